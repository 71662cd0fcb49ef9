"""SELECT: some properties of the clients that are in some groups, have some uids or some connection ids.

The question is JSON, `{"fields": [...], "where": {"groups": [...], "uid": [...], "connection_id": [...]}}`.
A client that is found by any of these is in the answer, and all are where there is no condition. The answer is
an array by connection id, of arrays by field.

GatewayClient's lists for all groups, which are made of answers with the field `groups`, stop (`break`) at the first
client that has no uid or no group. So in these answers those that have both come first, then those with groups,
then those with a uid, then the others. Otherwise clients stand in the order in which they connected or joined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.php.answers import array_of, string_of
from gateway.php.arguments import (
    ArgumentError,
    array_values,
    connection_id_of,
    is_empty,
    key_of,
    names_of,
    numbers_of,
)
from gateway.php.sessions import write_session
from gateway.php.values import array_key, serialize

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable

    from gateway.connection import Connection
    from gateway.hub import Hub

__all__ = ["rows_of", "selected", "session_of", "still_here"]

_NULL: Final = b"N;"


def selected(
    question: Any, hub: Hub, of_numbers: Callable[[Iterable[int]], Collection[Connection]]
) -> Generator[bytes, None, None]:
    """Give the entries of the answer; who is asked for is decided at once.

    Args:
        question: The decoded JSON.
        hub: Who is connected.
        of_numbers: Finds connections by their ids.

    Raises:
        ArgumentError: It is no such question.
    """
    if not isinstance(question, dict) or "fields" not in question:
        raise ArgumentError('a selection is {"fields": [...], "where": {...}}')
    fields = list(dict.fromkeys(str(key_of(each)) for each in array_values(question["fields"])))
    found: Collection[Connection] = ()
    if where := question.get("where"):
        found = _matching(where, hub, of_numbers)
    elif fields:
        found = tuple(hub.connections.values())
    present = _complete_first(found, hub) if "groups" in fields else still_here(found, hub)
    return rows_of(present, _Writer(fields).entry)


def rows_of(
    connections: Iterable[Connection | None], entry: Callable[[Connection], bytes]
) -> Generator[bytes, None, None]:
    """Give the entry of each connection, by its id; `b""` for one that is not shown now."""
    for connection in connections:
        if connection is None:
            yield b""
        else:
            yield b"i:%d;%b" % (connection_id_of(connection.client_id), entry(connection))


def session_of(connection: Connection) -> bytes:
    """Return a session as the original keeps it: the string that `serialize` makes of it."""
    return string_of(write_session(connection.session) if connection.session else b"")


def _matching(
    where: Any, hub: Hub, of_numbers: Callable[[Iterable[int]], Collection[Connection]]
) -> dict[Connection, None]:
    """Find the connections that meet any of the conditions; unknown ones are met by nobody."""
    if not isinstance(where, dict):
        raise ArgumentError("where names its conditions")
    found: dict[Connection, None] = {}
    for condition, wanted in where.items():
        values = array_values(wanted)
        if condition == "connection_id":
            found.update(dict.fromkeys(of_numbers(numbers_of(values))))
        elif condition == "groups":
            found.update(dict.fromkeys(hub.of_groups(names_of(values))))
        elif condition == "uid":
            found.update(dict.fromkeys(hub.of_uids(names_of(values))))
    return found


def still_here(
    connections: Iterable[Connection], hub: Hub
) -> Generator[Connection | None, None, None]:
    """Give connections; None for one that has gone meanwhile."""
    here = hub.connections
    for connection in connections:
        yield connection if connection.client_id in here else None


def _complete_first(
    connections: Iterable[Connection], hub: Hub
) -> Generator[Connection | None, None, None]:
    """Give those first that clients of PHP must see first; None for one whose turn comes later."""
    here = hub.connections
    later: tuple[list[Connection], ...] = ([], [], [])
    for connection in connections:
        has_uid, has_groups = not is_empty(connection.uid), bool(connection.groups)
        if not (has_uid and has_groups):
            later[0 if has_groups else 1 if has_uid else 2].append(connection)
            yield None
        elif connection.client_id in here:
            yield connection
    for rest in later:
        yield from still_here(rest, hub)


class _Writer:
    """Writes what is asked for of each connection."""

    __slots__ = ("_fields", "_groups")

    def __init__(self, fields: Iterable[str]) -> None:
        kinds = {"uid": self._uid, "groups": self._all_groups, "session": session_of}
        self._fields = [
            (serialize(array_key(field)), kinds.get(field, _unknown)) for field in fields
        ]
        # The entry of each group that was met: many clients are in the same.
        self._groups: dict[str, bytes] = {}

    def entry(self, connection: Connection) -> bytes:
        """Return an array of the fields."""
        return array_of([name + write(connection) for name, write in self._fields])

    def _uid(self, connection: Connection) -> bytes:
        return serialize(connection.uid)

    def _all_groups(self, connection: Connection) -> bytes:
        """Return the groups by themselves; null for a connection that never was in one."""
        if isinstance(connection.groups, frozenset):
            return _NULL
        return array_of([self._group(group) for group in sorted(connection.groups)])

    def _group(self, group: str) -> bytes:
        entry = self._groups.get(group)
        if entry is None:
            entry = self._groups[group] = serialize(array_key(group)) + serialize(group)
        return entry


def _unknown(_: Connection) -> bytes:
    return _NULL
