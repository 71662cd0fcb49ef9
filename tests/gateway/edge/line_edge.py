"""A second client protocol, for tests alone: lines of UTF-8 over TCP, without handshake or farewell.

It proves that the interface carries something that is not websocket. It is served by the
same `EdgeServer`: `add_listener(..., speaks=LineEdge)`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from gateway.edge.context import AcceptedProtocol, EdgeContext, Origin
from gateway.edge.interface import ConnectRequest, EdgeRecord, Encoding
from gateway.edge.proxies import Address
from gateway_wire.close_codes import CONNECTION_LOST, CloseReason, peer_closed, sent_reason


class LineEncoding:
    """Text as a line; bytes as a line of hexadecimal digits."""

    @property
    def name(self) -> str:
        return "line"

    def encode(self, message: str | bytes) -> bytes:
        payload = message if isinstance(message, str) else message.hex()
        return payload.encode() + b"\n"


LINE: Final = LineEncoding()


class LineEdge(AcceptedProtocol):
    """One client that speaks lines."""

    __slots__ = ("_buffer", "_closing", "_reason", "_transport", "connection")

    _transport: asyncio.Transport

    def __init__(self, context: EdgeContext, origin: Origin, peer: Address) -> None:
        super().__init__(context, origin, peer)
        self.connection: Any = None
        self._buffer = b""
        self._closing = False
        self._reason: CloseReason | None = None

    @property
    def encoding(self) -> Encoding:
        return LINE

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def goodbye(self, code: int, reason: str) -> bytes:
        because = sent_reason(code, reason)
        if not self._closing:
            self._closing, self._reason = True, because
            self._transport.resume_reading()
            self._context.closings.add(self)
        return b""

    def finish(self) -> None:
        pass

    def abort(self, reason: CloseReason) -> None:
        self._reason = self._reason or reason
        self._closing = True
        self._transport.abort()

    def overdue(self) -> None:
        self._transport.abort()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def record(self) -> EdgeRecord:
        return {"encoding": LINE.name, "buffer": self._buffer}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)
        self._context.counters.opened += 1
        request = ConnectRequest("", "", {}, *self._peer, self._origin.listener)
        self._transport.write(self._context.events.opened(self, request))

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            if not self._closing:
                self._context.events.received(self, line.decode(errors="replace"))

    def eof_received(self) -> None:
        self._reason = self._reason or peer_closed(1005)

    def pause_writing(self) -> None:
        self._context.events.write_paused(self)

    def resume_writing(self) -> None:
        self._context.events.write_resumed(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._context.counters.lost += 1
        self._context.released()
        self._context.events.lost(self, self._reason or CONNECTION_LOST.reason())
        self.connection = None
