"""What every edge does with its socket, whatever is spoken on it.

What is decided here is only when the connection may still speak:

    OPEN      messages in both directions
    CLOSING   the core said goodbye: it may still write, what arrives is read for the end alone
    ENDING    nothing is written any more; the transport is closing, or waits for the peer's end
    CLOSED    the transport is gone and `lost` was told

The first cause of the end stays: it is what `lost` is told, whatever follows.
CLOSING and ENDING last at most `close_timeout`. An idle connection is this
object, what reads its bytes, and the transport.

One read may bring 40,000 small messages, or large ones if they are compressed. They are passed on for as
long as a turn of the loop may last, and as long as the core reads. The rest is kept as the bytes that
came, which take a fraction of the room that messages take.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from contextlib import suppress
from enum import IntEnum
from time import perf_counter
from typing import Any, ClassVar, Final

from gateway.edge.context import EdgeContext
from gateway.edge.interface import EdgeRecord, Encoding
from gateway_wire.close_codes import CONNECTION_LOST, CloseReason, sent_reason

__all__ = ["SLICE", "ConnectedEdge", "State", "is_secure", "prepare"]

SLICE: Final = 4096
"""Bytes of one read that are passed on before it is asked again whether the core still reads: more
than most reads bring, and no more than 700 websocket messages."""

SECONDS: Final = 0.005
"""Time for which one client's bytes are passed on before others are served, as long as commands get."""


class State(IntEnum):
    """How far a connection is; it only ever moves forward."""

    OPEN = 0
    CLOSING = 1
    ENDING = 2
    CLOSED = 3


# Bound once: looking a member up on its enum costs more than the comparison.
_OPEN: Final = State.OPEN
_ENDING: Final = State.ENDING


class ConnectedEdge(asyncio.Protocol):
    """The `Edge` of an open connection; what is spoken on it is a subclass's matter.

    Args:
        context: What all connections share.
        transport: The transport, whose protocol this is from now on.
    """

    __slots__ = (
        "_context",
        "_heard",
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

    _SLICE: ClassVar[int] = SLICE

    def __init__(self, context: EdgeContext, transport: asyncio.Transport) -> None:
        self.connection: Any = None
        self._context = context
        self._transport = transport
        self._state = State.OPEN
        # Why the connection ends, from the first cause on.
        self._reason: CloseReason | None = None
        self._reading = True
        # What was read when the core stopped reading, and not yet passed on.
        self._unread = b""
        self._write_paused = False
        # Whether anything was heard since the last time a sign of life was asked for.
        self._heard = True
        # Bytes that waited in the transport then, if it could not be asked for that reason.
        self._stuck = 0
        self._slot = context.keepalive.add(self)

    def __repr__(self) -> str:
        paused = " write_paused" if self._write_paused else ""
        return f"<{type(self).__name__} {self._state.name}{paused} reason={self._reason}>"

    # The core's side: the Edge interface.

    @property
    @abstractmethod
    def encoding(self) -> Encoding:
        """How messages to this client are encoded."""

    def write(self, data: bytes) -> None:
        """Give encoded bytes to the transport; see `Edge.write`."""
        if self._state < _ENDING:
            self._transport.write(data)

    def goodbye(self, code: int, reason: str) -> bytes:
        """Begin to close and return the farewell; see `Edge.goodbye`."""
        because = sent_reason(code, reason)
        if self._state is not _OPEN:
            return b""
        self.resume_reading()  # the peer's end must be seen
        self._begin_end(State.CLOSING, because)
        return self._farewell(code, reason)

    @abstractmethod
    def finish(self) -> None:
        """Take note that nothing more will be written; see `Edge.finish`."""

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
        }

    # The wheel's and the deadlines' side.

    def ping(self) -> None:
        """Ask the client for a sign of life, also one that is not read from.

        That one's answer is not seen. But proxies on the way see that the connection is used, and if
        the client has gone, the network says so.
        """
        if self._state is not _OPEN:
            return
        question = self._question()
        if not question:
            return
        self._heard = False
        if self._write_paused:  # behind what waits a ping would only make it more
            self._stuck = self._transport.get_write_buffer_size()
        else:
            self._stuck = 0
            self._transport.write(question)

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
        """Abort: closing took too long."""
        if self._state is not State.CLOSED:
            self._transport.abort()

    # The transport's side: asyncio.Protocol.

    def data_received(self, data: bytes) -> None:
        """Pass on what the bytes completed, as long as the core reads."""
        self._heard = True
        if self._unread or len(data) > SLICE or not self._reading:
            self._pass_on_in_slices(self._unread + data)
        else:
            self._pass_on(data)

    def pause_writing(self) -> None:
        """Tell the core that the transport holds unsent bytes."""
        self._write_paused = True
        if self._state < _ENDING:
            self._context.events.write_paused(self)

    def resume_writing(self) -> None:
        """Tell the core that the transport sent everything."""
        self._write_paused = False
        self._heard = True
        self._answer()
        if self._state < _ENDING and not self._write_paused:
            self._context.events.write_resumed(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the core the end and forget everything."""
        self._state = State.CLOSED
        reason = self._reason or CONNECTION_LOST.reason(str(exc) if exc else "")
        context = self._context
        context.keepalive.remove(self._slot, self)
        context.closings.remove(self)
        self._unread = b""  # nobody is told of it any more
        context.counters.lost += 1
        context.released()
        try:
            context.events.lost(self, reason)
        finally:
            self.connection = None

    # What a subclass speaks.

    @abstractmethod
    def _pass_on(self, data: bytes) -> None:
        """Pass on what these bytes completed."""

    @abstractmethod
    def _farewell(self, code: int, reason: str) -> bytes:
        """Return the last bytes to the client."""

    @abstractmethod
    def _question(self) -> bytes:
        """Return what asks the client for a sign of life; `b""` if it cannot be asked."""

    @abstractmethod
    def _answer(self) -> None:
        """Write the protocol's own answers that wait, now that there is room."""

    # Private.

    def _pass_on_in_slices(self, data: bytes) -> None:
        """Pass on what the core wants to read and the turn has time for, and keep the rest."""
        at, end = 0, perf_counter() + SECONDS
        while self._reading and at < len(data):
            self._pass_on(data[at : at + self._SLICE])
            at += self._SLICE
            if perf_counter() >= end:
                break
        self._unread = data[at:]
        if self._unread and self._reading and not self._transport.is_closing():
            self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._read_on)

    def _read_on(self) -> None:
        """Pass on what was kept, then read what has come since."""
        if self._reading:
            self._pass_on_in_slices(self._unread)
        if self._reading and not self._unread and not self._transport.is_closing():
            self._transport.resume_reading()

    def _fail(self, reason: CloseReason) -> None:
        """Say farewell to a peer that broke a rule, and wait for it to end TCP (RFC 6455 7.1.7).

        Closing at once while the peer still sends would make the kernel answer with a reset,
        which can overtake the farewell.
        """
        if self._state is not _OPEN:
            self._state = max(self._state, State.ENDING)
            self._transport.close()
            return
        self._begin_end(State.ENDING, reason)
        self._transport.write(self._farewell(reason.code, reason.text))
        self._end_output()

    def _end_output(self) -> None:
        """Tell the peer that nothing more comes, where the transport can without ending the rest."""
        if self._transport.can_write_eof():
            with suppress(OSError):  # it has gone, and the transport is about to hear of it
                self._transport.write_eof()

    def _begin_end(self, state: State, reason: CloseReason) -> None:
        self._state = state
        self._reason = reason
        self._context.closings.add(self)
        if state is _ENDING:
            self._context.events.ending(self)


def is_secure(transport: asyncio.Transport) -> bool:
    """Tell whether a transport is one of TLS."""
    return transport.get_extra_info("sslcontext") is not None


def prepare(transport: asyncio.Transport) -> None:
    """Let the gateway own unsent bytes: whatever the kernel does not take is told at once.

    Plain transports pause above the limit, those of TLS at it: with 0 they would while all is sent.
    """
    transport.set_write_buffer_limits(high=1 if is_secure(transport) else 0, low=0)
