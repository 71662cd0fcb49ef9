"""Connections over TLS, which are given large messages in slices.

A TLS transport encrypts whatever it is given, at once, into a copy of its own, and says that it holds too
much only at the write after that. So a large broadcast would be memory once for each client that
does not read, and nobody would know. Here no more than a slice is under way; the rest of the message
waits as a view of what all clients share.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from gateway.edge.connected import ConnectedEdge, State
from gateway.edge.context import EdgeContext
from gateway.edge.websocket import WebSocketEdge
from gateway_wire.close_codes import CloseReason

__all__ = ["SLICE", "SecureEdge", "SecureWebSocketEdge"]

SLICE: Final = 64 * 1024
"""Bytes given to TLS at once: four of its records, and what a plain transport under it holds gladly."""

_NOTHING: Final = memoryview(b"")

_IN_SUBCLASSES: Final = ()
"""Of two bases only one may have slots of its own, so what `SecureEdge` needs is declared below it."""


class SecureEdge(ConnectedEdge):
    """What TLS adds to an edge: stands before it among the bases of a class that has the slot `_rest`.

    Args:
        context: What all connections share.
        transport: The TLS transport.
        more: What the edge takes besides.
    """

    __slots__ = _IN_SUBCLASSES

    # What is left of the message that is being written; never empty but while paused.
    _rest: memoryview

    def __init__(self, context: EdgeContext, transport: asyncio.Transport, *more: Any) -> None:
        super().__init__(context, transport, *more)
        self._rest = _NOTHING

    def write(self, data: bytes) -> None:
        """Give encoded bytes to the transport, slice by slice until it is full; see `Edge.write`."""
        if len(data) <= SLICE:
            super().write(data)
        else:
            self._rest = memoryview(data)
            self._go_on()

    def resume_writing(self) -> None:
        """Write what is left; tell the core when nothing is. Each slice taken is a sign of life."""
        self._write_paused = False
        self._heard = True
        self._go_on()
        if not self._write_paused:
            super().resume_writing()

    def _go_on(self) -> None:
        while self._rest and not self._write_paused and self._state < State.ENDING:
            piece, self._rest = self._rest[:SLICE], self._rest[SLICE:]
            self._transport.write(piece)

    def _begin_end(self, state: State, reason: CloseReason) -> None:
        """A farewell must not come in the middle of a message: what is left of it goes first."""
        if state is State.ENDING and self._rest:
            self._transport.write(self._rest)
            self._rest = _NOTHING
        super()._begin_end(state, reason)


class SecureWebSocketEdge(SecureEdge, WebSocketEdge):
    """The `Edge` of a websocket over TLS; arguments as for `ConnectedEdge`."""

    __slots__ = ("_rest",)
