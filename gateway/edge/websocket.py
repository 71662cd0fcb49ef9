"""One open websocket: a relay between the transport, the codec and the core.

What is decided here is only when the connection may still speak:

    OPEN      messages in both directions
    CLOSING   the core said goodbye: it may still write, what arrives is read for the Close alone
    ENDING    nothing is written any more; the transport is closing, or waits for the peer's end
    CLOSED    the transport is gone and `lost` was told

The first cause of the end stays: it is what `lost` is told, whatever follows.
CLOSING and ENDING last at most `close_timeout`. An idle connection is this
object, its reader and the transport.

One read may bring 40,000 small messages. When the core stops reading among them, the rest is kept as
the bytes that came, which take a fraction of the room that messages take.
"""

from __future__ import annotations

import asyncio
from enum import IntEnum
from typing import Any, ClassVar, Final

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
from gateway.edge.context import EdgeContext
from gateway.edge.interface import EdgeRecord, Encoding
from gateway_wire.close_codes import CONNECTION_LOST, CloseReason, peer_closed, sent_reason

__all__ = ["SLICE", "State", "WebSocketEdge"]

SLICE: Final = 4096
"""Bytes of one read that are passed on before it is asked again whether the core still reads: more
than most reads bring, and no more than 700 messages."""


class State(IntEnum):
    """How far a connection is; it only ever moves forward."""

    OPEN = 0
    CLOSING = 1
    ENDING = 2
    CLOSED = 3


# Bound once: looking a member up on its enum costs more than the comparison.
_OPEN: Final = State.OPEN
_ENDING: Final = State.ENDING


class WebSocketEdge(asyncio.Protocol):
    """The `Edge` of a websocket whose handshake is done.

    Args:
        context: What all connections share.
        transport: The transport, whose protocol this is from now on.
    """

    __slots__ = (
        "_context",
        "_heard",
        "_pong",
        "_reader",
        "_reading",
        "_reason",
        "_slot",
        "_state",
        "_stuck",
        "_transport",
        "_unread",
        "_write_paused",
        "connection",
    )

    _READER: ClassVar[type[MessageReader]] = MessageReader
    _SLICE: ClassVar[int] = SLICE

    def __init__(self, context: EdgeContext, transport: asyncio.Transport) -> None:
        self.connection: Any = None
        self._context = context
        self._transport = transport
        self._reader = self._READER(context.max_message)
        self._state = State.OPEN
        # Why the connection ends, from the first cause on.
        self._reason: CloseReason | None = None
        self._reading = True
        # What was read when the core stopped reading, and not yet passed on.
        self._unread = b""
        self._write_paused = False
        # Payload of the newest Ping that waits for its answer.
        self._pong: bytes | None = None
        # Whether anything was heard since the last time a sign of life was asked for.
        self._heard = True
        # Bytes that waited in the transport then, if it could not be asked for that reason.
        self._stuck = 0
        self._slot = context.keepalive.add(self)

    def __repr__(self) -> str:
        paused = " write_paused" if self._write_paused else ""
        return f"<WebSocketEdge {self._state.name}{paused} reason={self._reason}>"

    # The core's side: the Edge interface.

    @property
    def encoding(self) -> Encoding:
        """Plain websocket frames."""
        return WEBSOCKET

    def write(self, data: bytes) -> None:
        """Give encoded bytes to the transport; see `Edge.write`."""
        if self._state < _ENDING:
            self._transport.write(data)

    def goodbye(self, code: int, reason: str) -> bytes:
        """Begin to close and return the Close frame; see `Edge.goodbye`."""
        because = sent_reason(code, reason)
        if self._state is not _OPEN:
            return b""
        self.resume_reading()  # the peer's Close must be seen
        self._begin_end(State.CLOSING, because)
        return close_frame(code, reason)

    def abort(self, reason: CloseReason) -> None:
        """End the connection at once; see `Edge.abort`."""
        if self._state is State.CLOSED:
            return
        self._reason = self._reason or reason
        self._state = State.ENDING
        self._transport.abort()

    def pause_reading(self) -> None:
        """Stop reading from the client; see `Edge.pause_reading`."""
        if self._reading and self._state is _OPEN:
            self._reading = False
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read from the client again; see `Edge.resume_reading`."""
        if not self._reading and self._state is _OPEN:
            self._reading = self._heard = True
            if self._unread:  # in a turn of its own: the core may be walking over its events
                asyncio.get_running_loop().call_soon(self._read_on)
            else:
                self._transport.resume_reading()

    def record(self) -> EdgeRecord:
        """Return the protocol state as plain values; see `Edge.record`."""
        return {
            "encoding": self.encoding.name,
            "state": self._state.name.lower(),
            "reading": self._reading,
            "unread": self._unread,
            "write_paused": self._write_paused,
            "pong": self._pong,
            **self._reader.record(),
        }

    # The wheel's and the deadlines' side.

    def ping(self) -> None:
        """Ask the client for a sign of life, also one that is not read from.

        That one's answer is not seen. But proxies on the way see that the connection is used, and if
        the client has gone, the network says so.
        """
        if self._state is not _OPEN:
            return
        self._heard = False
        if self._write_paused:  # behind what waits a Ping would only make it more
            self._stuck = self._transport.get_write_buffer_size()
        else:
            self._stuck = 0
            self._transport.write(PING_FRAME)

    def silent(self) -> bool:
        """Tell whether a sign of life was asked for and none came.

        A client that is not read from cannot be heard. One that still has to take what was sent
        before gives its sign by taking some of it.
        """
        if self._heard or not self._reading or self._state is not _OPEN:
            return False
        if self._write_paused:
            return 0 < self._stuck <= self._transport.get_write_buffer_size()
        return True

    def overdue(self) -> None:
        """Abort: the close handshake took too long."""
        if self._state is not State.CLOSED:
            self._transport.abort()

    # The transport's side: asyncio.Protocol.

    def data_received(self, data: bytes) -> None:
        """Pass on what the bytes completed, as long as the core reads."""
        self._heard = True
        if self._unread or len(data) > SLICE:
            self._pass_on_in_slices(self._unread + data)
        else:
            self._pass_on(data)

    def eof_received(self) -> None:
        """End the connection: a client that will not speak again without a Close is lost."""
        if self._state is _OPEN:
            self.abort(CONNECTION_LOST.reason("the stream ended without a Close frame"))

    def pause_writing(self) -> None:
        """Tell the core that the transport holds unsent bytes."""
        self._write_paused = True
        if self._state < _ENDING:
            self._context.events.write_paused(self)

    def resume_writing(self) -> None:
        """Tell the core that the transport sent everything."""
        self._write_paused = False
        self._heard = True
        if self._pong is not None:
            self._answer_ping()
        if self._state < _ENDING and not self._write_paused:
            self._context.events.write_resumed(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the core the end and forget everything."""
        self._state = State.CLOSED
        reason = self._reason or CONNECTION_LOST.reason(str(exc) if exc else "")
        context = self._context
        context.keepalive.remove(self._slot, self)
        context.closings.remove(self)
        self._unread = b""  # the core may keep this edge until its last event is dealt with
        context.counters.lost += 1
        context.released()
        try:
            context.events.lost(self, reason)
        finally:
            self.connection = None

    # Private: what was read.

    def _pass_on(self, data: bytes) -> None:
        for event in self._reader.feed(data):
            if isinstance(event, (str, bytes)):
                if self._state is _OPEN:
                    self._context.events.received(self, event)
            else:
                self._on_control(event)
        if self._pong is not None and not self._write_paused:
            self._answer_ping()

    def _pass_on_in_slices(self, data: bytes) -> None:
        """Pass on as much as the core wants to read, and keep the rest."""
        at = 0
        while self._reading and at < len(data):
            self._pass_on(data[at : at + self._SLICE])
            at += self._SLICE
        self._unread = data[at:]

    def _read_on(self) -> None:
        """Pass on what was kept, then read what has come since."""
        if self._reading:
            self._pass_on_in_slices(self._unread)
        if self._reading and not self._transport.is_closing():
            self._transport.resume_reading()

    # Private: what control frames mean.

    def _on_control(self, event: Ping | Pong | Close | Violation) -> None:
        if isinstance(event, Ping):
            if self._state is _OPEN:
                self._pong = event.payload
        elif isinstance(event, Close):
            self._on_close(event)
        elif isinstance(event, Violation):
            self._fail(event.reason)

    def _answer_ping(self) -> None:
        """Answer the newest Ping; older ones need no answer (RFC 6455 5.5.3)."""
        payload, self._pong = self._pong, None
        if payload is not None and self._state is _OPEN:
            self._transport.write(pong_frame(payload))

    def _on_close(self, event: Close) -> None:
        """Echo the code if the peer closes first; the server then ends TCP first (7.1.1)."""
        if self._state is _OPEN:
            self._begin_end(State.ENDING, peer_closed(event.code, event.reason))
            self._transport.write(close_frame(event.code))
        self._state = max(self._state, State.ENDING)
        self._transport.close()

    def _fail(self, reason: CloseReason) -> None:
        """Send a Close and wait for the peer to end TCP (7.1.7).

        Closing at once while the peer still sends would make the kernel answer with a reset,
        which can overtake the Close frame.
        """
        if self._state is not _OPEN:
            self._state = max(self._state, State.ENDING)
            self._transport.close()
            return
        self._begin_end(State.ENDING, reason)
        self._transport.write(close_frame(reason.code, reason.text))
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _begin_end(self, state: State, reason: CloseReason) -> None:
        self._state = state
        self._reason = reason
        self._pong = None
        self._context.closings.add(self)
        if state is _ENDING:
            self._context.events.ending(self)
