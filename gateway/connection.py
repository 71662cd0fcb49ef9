"""What the gateway knows of one client connection: one plain record, and its place in the outbox.

Rule: everything that would have to survive if the connection were handed to another process is in
:meth:`Connection.record`, as plain values, and can be read back. The rest belongs to the running
process: the edge that holds the socket and the bytes that wait for it. The hub owns `uid`,
`groups` and `session`, the outbox `pending`, the router `worker`, `lane` and `untold`, the destination
`headers`; nobody else writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict

import msgpack

from gateway.backlog import Backlog
from gateway_wire.commands import ClientAssigned, ClientSession
from gateway_wire.frames import pack_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.destination import Destination
    from gateway.edge.interface import ConnectRequest, Edge, EdgeRecord
    from gateway.holding import Lane
    from gateway.workers import Worker

__all__ = ["Connection", "ConnectionRecord"]


class ConnectionRecord(TypedDict):
    """One connection, as it could be written down."""

    client_id: str
    uid: str | None
    groups: list[str]
    session: dict[Any, Any]
    remote_addr: str
    remote_port: int
    listener: str
    opened_at: float
    headers: dict[str, str]
    edge: EdgeRecord


class Connection:
    """One client connection.

    Attributes:
        client_id: The handle that the client was told.
        edge: Its protocol and socket.
        encoding: The edge's encoding; here because the fan-out compares it per delivery.
        uid: The user it is bound to, or None.
        groups: The groups it is a member of.
        session: Its session; empty until something is stored.
        remote_addr: The client's address.
        remote_port: Its port.
        listener: Name of the listener that accepted it.
        opened_at: Wall-clock time at which it was let in, seconds since the epoch; a later connection of
            the same process has a later one, also where the clock stood still or was set back.
        packed_headers: The same in msgpack: a third of the size, and ready for each message on a queue.
        destination: Takes what it does.
        pending: Encoded frames that the transport has not been given.
        worker: The worker that gets its events, None before the first; it may be one that is gone.
        lane: Its events that are unfinished or wait; None while there are none.
        untold: What the worker must be told before the next event: that it has the client, or that
            the session was changed; None for nothing.
    """

    __slots__ = (
        "client_id",
        "destination",
        "edge",
        "encoding",
        "groups",
        "lane",
        "listener",
        "opened_at",
        "packed_headers",
        "pending",
        "remote_addr",
        "remote_port",
        "session",
        "uid",
        "untold",
        "worker",
    )

    def __init__(
        self,
        client_id: str,
        edge: Edge,
        request: ConnectRequest,
        opened_at: float,
        destination: Destination,
    ) -> None:
        """Make the record of a client that finished its handshake."""
        self.client_id = client_id
        self.edge = edge
        self.encoding = edge.encoding
        self.uid: str | None = None
        self.groups: frozenset[str] | set[str] = _NO_GROUPS
        self.session: Mapping[Any, Any] = _NO_SESSION
        self.remote_addr = request.remote_addr
        self.remote_port = request.remote_port
        self.listener = request.listener
        self.opened_at = opened_at
        self.packed_headers = _NO_HEADERS
        self.destination = destination
        self.pending: list[bytes] = []
        self.worker: Worker | None = None
        self.lane: Lane | None = None
        self.untold: type[ClientAssigned | ClientSession] | None = ClientAssigned

    def __repr__(self) -> str:
        uid = f" uid={self.uid!r}" if self.uid is not None else ""
        return f"<Connection {self.client_id} {self.remote_addr}:{self.remote_port}{uid}>"

    @property
    def headers(self) -> dict[str, str]:
        """Those of its handshake, where the destination keeps them, else empty; made anew each time."""
        headers: dict[str, str] = msgpack.unpackb(self.packed_headers)
        return headers

    @headers.setter
    def headers(self, headers: Mapping[str, str]) -> None:
        self.packed_headers = pack_field(dict(headers))

    @property
    def blocked(self) -> bool:
        """Whether the transport holds bytes that the client has not taken, or the client is given up."""
        return type(self.pending) is not list

    @property
    def waiting(self) -> int:
        """While blocked, bytes that the client has not taken."""
        return self.pending.size if isinstance(self.pending, Backlog) else 0

    def session_moved(self) -> None:
        """Take note that another hand than the client's worker changed the session."""
        if self.untold is None:
            self.untold = ClientSession

    def record(self) -> ConnectionRecord:
        """Return everything that is known of the connection, as plain values."""
        return {
            "client_id": self.client_id,
            "uid": self.uid,
            "groups": sorted(self.groups),
            "session": dict(self.session),
            "remote_addr": self.remote_addr,
            "remote_port": self.remote_port,
            "listener": self.listener,
            "opened_at": self.opened_at,
            "headers": self.headers,
            "edge": self.edge.record(),
        }


# Most connections never get one; they share these.
_NO_GROUPS: frozenset[str] = frozenset()
_NO_SESSION: Mapping[Any, Any] = {}
_NO_HEADERS: Final = pack_field({})
