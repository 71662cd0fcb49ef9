"""One open websocket: a relay between the transport, the codec and the core.

When a connection may speak and how it ends is `connected`'s; here is what control frames mean.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from gateway.edge.codec import (
    PING_FRAME,
    WEBSOCKET,
    Close,
    MessageReader,
    Ping,
    Pong,
    Violation,
    close_frame,
    pong_frame,
)
from gateway.edge.connected import ConnectedEdge, State
from gateway.edge.context import EdgeContext
from gateway.edge.interface import EdgeRecord, Encoding
from gateway_wire.close_codes import CONNECTION_LOST, CloseReason, peer_closed

__all__ = ["WebSocketEdge"]

# Bound once: looking a member up on its enum costs more than the comparison.
_OPEN = State.OPEN


class WebSocketEdge(ConnectedEdge):
    """The `Edge` of a websocket whose handshake is done; arguments as for `ConnectedEdge`."""

    __slots__ = ("_pong", "_reader")

    _READER: ClassVar[type[MessageReader]] = MessageReader

    def __init__(self, context: EdgeContext, transport: asyncio.Transport) -> None:
        super().__init__(context, transport)
        self._reader = self._READER(context.max_message)
        # Payload of the newest Ping that waits for its answer.
        self._pong: bytes | None = None

    @property
    def encoding(self) -> Encoding:
        """Plain websocket frames."""
        return WEBSOCKET

    def finish(self) -> None:
        """Wait for the client: it answers the Close frame, and then the transport is closed."""

    def record(self) -> EdgeRecord:
        """Return the protocol state as plain values; see `Edge.record`."""
        return {**super().record(), "pong": self._pong, **self._reader.record()}

    def eof_received(self) -> None:
        """End the connection: a client that will not speak again without a Close is lost."""
        if self._state is _OPEN:
            self.abort(CONNECTION_LOST.reason("the stream ended without a Close frame"))

    # What ConnectedEdge asks for.

    def _pass_on(self, data: bytes) -> None:
        for event in self._reader.feed(data):
            if isinstance(event, (str, bytes)):
                if self._state is _OPEN:
                    self._context.events.received(self, event)
            else:
                self._on_control(event)
        if self._pong is not None and not self._write_paused:
            self._answer()

    def _farewell(self, code: int, reason: str) -> bytes:
        return close_frame(code, reason)

    def _question(self) -> bytes:
        return PING_FRAME

    def _answer(self) -> None:
        """Answer the newest Ping; older ones need no answer (RFC 6455 5.5.3)."""
        payload, self._pong = self._pong, None
        if payload is not None and self._state is _OPEN:
            self._transport.write(pong_frame(payload))

    def _begin_end(self, state: State, reason: CloseReason) -> None:
        self._pong = None
        super()._begin_end(state, reason)

    # Private: what control frames mean.

    def _on_control(self, event: Ping | Pong | Close | Violation) -> None:
        if isinstance(event, Ping):
            if self._state is _OPEN:
                self._pong = event.payload
        elif isinstance(event, Close):
            self._on_close(event)
        elif isinstance(event, Violation):
            self._fail(event.reason)

    def _on_close(self, event: Close) -> None:
        """Echo the code if the peer closes first; the server then ends TCP first (7.1.1)."""
        if self._state is _OPEN:
            self._begin_end(State.ENDING, peer_closed(event.code, event.reason))
            self._transport.write(close_frame(event.code))
        self._state = max(self._state, State.ENDING)
        self._transport.close()
