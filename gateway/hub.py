"""Who is connected to this gateway process: indexes by client id, uid and group.

Rule: pure bookkeeping. No bytes, no sockets, no clock; every method does a fixed small number of
dictionary operations, except those that return what they touched. Counts are the sizes of what is
kept anyway. A uid or group exists only while a connection has it.

What is returned is the index itself where that is possible: walk it, do not keep it, and do not add
or remove connections meanwhile.

Members are the keys of a dict, not a set, for the order in which it is walked: that in which they came,
which is about the order in which memory, ours and the kernel's, was given to them. Writing to thousands of
sockets in that order costs a fifth less than in the order of their hashes (docs/performance.md).
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from gateway.connection import Connection

__all__ = ["Hub"]

_Index: TypeAlias = "dict[str, dict[Connection, None]]"

_NOBODY: Final[frozenset[Connection]] = frozenset()


class Hub:
    """Indexes of the connections of one gateway process.

    Attributes:
        connections: Every open connection by client id.
        watched: What to call when the session of a connection is stored, for the few where somebody
            waits for that.
    """

    __slots__ = ("_groups", "_uids", "connections", "watched")

    def __init__(self) -> None:
        """Start with nobody connected."""
        self.connections: dict[str, Connection] = {}
        self.watched: dict[Connection, Callable[[], None]] = {}
        self._uids: _Index = {}
        self._groups: _Index = {}

    def __repr__(self) -> str:
        return (
            f"<Hub {len(self.connections)} connections, {len(self._uids)} uids, "
            f"{len(self._groups)} groups>"
        )

    @property
    def uids(self) -> Mapping[str, Collection[Connection]]:
        """The connections of each uid."""
        return self._uids

    @property
    def groups(self) -> Mapping[str, Collection[Connection]]:
        """The members of each group."""
        return self._groups

    # Connections come and go.

    def add(self, connection: Connection) -> None:
        """List a connection that is open."""
        self.connections[connection.client_id] = connection

    def remove(self, connection: Connection) -> bool:
        """Forget a connection, its uid and its memberships; False if it was not listed."""
        if self.connections.pop(connection.client_id, None) is None:
            return False
        if connection.uid is not None:
            _discard(self._uids, connection.uid, connection)
        for group in connection.groups:
            _discard(self._groups, group, connection)
        return True

    # Uids.

    def bind(self, connection: Connection, uid: str) -> None:
        """Bind a connection to a uid in place of the one that it had."""
        if connection.uid == uid:
            return
        if connection.uid is not None:
            _discard(self._uids, connection.uid, connection)
        connection.uid = uid
        self._uids.setdefault(uid, {})[connection] = None

    def unbind(self, connection: Connection, uid: str) -> None:
        """Unbind a connection from a uid, if it is bound to that one."""
        if connection.uid == uid:
            connection.uid = None
            _discard(self._uids, uid, connection)

    # Sessions.

    def store_session(self, connection: Connection, session: Mapping[Any, Any]) -> None:
        """Replace a connection's session, and tell who waits for that."""
        connection.session = session
        if self.watched and (stored := self.watched.get(connection)) is not None:
            stored()

    # Groups.

    def join(self, connection: Connection, group: str) -> None:
        """Make a connection a member of a group."""
        if not isinstance(connection.groups, set):
            connection.groups = set()
        connection.groups.add(group)
        self._groups.setdefault(group, {})[connection] = None

    def leave(self, connection: Connection, group: str) -> None:
        """End a membership, if there is one."""
        if isinstance(connection.groups, set) and group in connection.groups:
            connection.groups.remove(group)
            _discard(self._groups, group, connection)

    def dissolve(self, group: str) -> int:
        """End all memberships of a group and return how many there were."""
        members = self._groups.pop(group, {})
        for connection in members:
            if isinstance(connection.groups, set):
                connection.groups.discard(group)
        return len(members)

    # Who is meant.

    def of_clients(self, client_ids: Iterable[str]) -> Collection[Connection]:
        """Return those of these clients that are here, each once."""
        connections = self.connections
        return dict.fromkeys(connections[each] for each in client_ids if each in connections)

    def of_uids(self, uids: Collection[str]) -> Collection[Connection]:
        """Return the connections bound to any of these uids, each once."""
        return _union(self._uids, uids)

    def of_groups(self, groups: Collection[str]) -> Collection[Connection]:
        """Return the members of any of these groups, each once."""
        return _union(self._groups, groups)


def _discard(index: _Index, key: str, connection: Connection) -> None:
    connections = index[key]
    connections.pop(connection, None)
    if not connections:
        del index[key]


def _union(index: _Index, keys: Collection[str]) -> Collection[Connection]:
    # One name is the common case and costs nothing: the index itself.
    if len(keys) == 1:
        (key,) = keys
        return index.get(key, _NOBODY)
    return dict.fromkeys(chain.from_iterable(index.get(key, _NOBODY) for key in keys))
