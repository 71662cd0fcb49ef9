"""Where what a client does goes: to a business worker, onto a queue, into the entry module, nowhere.

It is chosen once, at the handshake, and stays with the connection (`Connection.destination`); settings say how
(`gateway.routes`). Whoever takes what clients do is one of these, and knows nothing of the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from gateway.connection import Connection
    from gateway.edge.interface import ConnectRequest
    from gateway_wire.close_codes import CloseReason

__all__ = ["Destination", "Nowhere"]


class Destination(Protocol):
    """Takes what some clients do; each call returns quickly, and `now` is the loop's time.

    A destination that gets more than it can keep stops reading from the client
    (`connection.edge.pause_reading`), and still takes what was read already. No other may: one reason not
    to read would take back the other.
    """

    def opened(self, connection: Connection, request: ConnectRequest, now: float) -> bool:
        """A client finished its handshake; return whether it is let in at once.

        One that is not stays unlisted: nothing reaches it, and it is in no count of clients. The
        destination decides later, once, with `Clients.admit` or `Clients.refuse`; it may refuse from
        within this call already. What the client sends meanwhile arrives here, and so does its end.
        """

    def received(self, connection: Connection, message: str | bytes, now: float) -> bool:
        """A client sent a message; return whether it is for anybody."""

    def closed(self, connection: Connection, reason: CloseReason, now: float) -> None:
        """A client's connection ended, after everything else that it did; not told of a refused one."""

    def is_paused(self, connection: Connection) -> bool:
        """Return whether a client is not read from for now."""


class Nowhere:
    """Takes nothing (a `Destination`)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<Nowhere>"

    def opened(
        self, _connection: Connection, _request: ConnectRequest, _now: float
    ) -> Literal[True]:
        """Let it in."""
        return True

    def received(
        self, _connection: Connection, _message: str | bytes, _now: float
    ) -> Literal[False]:
        """Say that it is for nobody."""
        return False

    def closed(self, connection: Connection, reason: CloseReason, now: float) -> None:
        """Nothing is to be done."""

    def is_paused(self, _connection: Connection) -> Literal[False]:
        """Say no: there is always room."""
        return False
