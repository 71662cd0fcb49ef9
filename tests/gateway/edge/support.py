"""A browser that speaks raw bytes, and a core that writes down what it is told."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway.edge.codec import unmask
from gateway.edge.interface import ConnectRequest, Edge, EdgeEvents
from gateway.edge.options import EdgeOptions
from gateway.edge.server import EdgeServer
from gateway_wire.close_codes import CloseReason

KEY = b"\x37\xfa\x21\x3d"
"""The masking key of the examples in RFC 6455 5.7."""

NONCE = "dGhlIHNhbXBsZSBub25jZQ=="
"""Sec-WebSocket-Key of the example in RFC 6455 1.3; its answer is `ACCEPT`."""

ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

QUICK = 0.02
"""A tick for tests that wait for a deadline: it is never a limit for anything that should succeed."""


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, key: bytes | None = KEY) -> bytes:
    """Return a frame as a browser sends it; `key=None` leaves the mask out."""
    first, mask, size = opcode | (0x80 if fin else 0), 0x80 if key is not None else 0, len(payload)
    if size < 126:
        head = bytes((first, mask | size))
    elif size < 65536:
        head = bytes((first, mask | 126)) + struct.pack("!H", size)
    else:
        head = bytes((first, mask | 127)) + struct.pack("!Q", size)
    return head + payload if key is None else head + key + unmask(payload, key)


def text(message: str) -> bytes:
    """Return a masked text frame."""
    return frame(0x1, message.encode())


def cuts(stream: bytes) -> list[list[bytes]]:
    """Give every way in which a network may cut a stream in two, and into single bytes."""
    in_two = [[stream[:at], stream[at:]] for at in range(len(stream) + 1)]
    return [*in_two, [stream[at : at + 1] for at in range(len(stream))]]


def close(code: int, reason: str = "") -> bytes:
    """Return a masked Close frame."""
    return frame(0x8, struct.pack("!H", code) + reason.encode())


def request(target: str = "/", *extra: str, **replaced: str | None) -> bytes:
    """Return a handshake; `replaced` gives other values for headers, None leaves one out."""
    headers: dict[str, str | None] = {
        "Host": "example.com",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec_WebSocket_Key": NONCE,
        "Sec_WebSocket_Version": "13",
    }
    headers |= replaced
    lines = [f"GET {target} HTTP/1.1"]
    lines += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items() if v is not None]
    return "\r\n".join([*lines, *extra, "", ""]).encode("latin-1")


@dataclass
class Recorder:
    """A core that keeps what it is told; `on_*` may be set to act at once."""

    edges: list[Edge] = field(default_factory=list)
    requests: list[ConnectRequest] = field(default_factory=list)
    messages: list[str | bytes] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    reasons: list[CloseReason] = field(default_factory=list)
    ending_edges: list[Edge] = field(default_factory=list)
    on_opened: Callable[[Edge], object] | None = None
    first: bytes = b""
    on_received: Callable[[Edge, str | bytes], object] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def opened(self, edge: Edge, request: ConnectRequest) -> bytes:
        self.edges.append(edge)
        self.requests.append(request)
        self._tell("opened")
        if self.on_opened:
            self.on_opened(edge)
        return self.first

    def received(self, edge: Edge, message: str | bytes) -> None:
        self.messages.append(message)
        self._tell("received")
        if self.on_received:
            self.on_received(edge, message)

    def write_paused(self, edge: Edge) -> None:
        self._tell("write_paused")

    def write_resumed(self, edge: Edge) -> None:
        self._tell("write_resumed")

    def ending(self, edge: Edge) -> None:
        self.ending_edges.append(edge)
        self._changed.set()

    def lost(self, edge: Edge, reason: CloseReason) -> None:
        self.reasons.append(reason)
        self._tell("lost")

    def _tell(self, what: str) -> None:
        self.told.append(what)
        self._changed.set()

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait until what was told makes `predicate` true."""
        while not predicate():
            self._changed.clear()
            await self._changed.wait()

    async def edge(self) -> Edge:
        """Return the first edge that is opened."""
        await self.until(lambda: bool(self.edges))
        return self.edges[0]

    async def reason(self) -> CloseReason:
        """Return why the first connection was lost."""
        await self.until(lambda: bool(self.reasons))
        return self.reasons[0]


def bound(host: str = "127.0.0.1") -> socket.socket:
    """Return a socket bound to a free port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
    sock.bind((host, 0))
    return sock


@dataclass
class Served:
    """A running edge with one listener."""

    server: EdgeServer
    events: Any
    host: str
    port: int

    async def connect(self, sent: bytes = b"") -> Browser:
        """Open a TCP connection and send bytes."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(sent)
        return Browser(reader, writer)

    async def open(self, target: str = "/", after: bytes = b"") -> Browser:
        """Open a websocket; `after` goes out in the same segment as the request."""
        browser = await self.connect(request(target) + after)
        await browser.head()
        return browser


@dataclass
class Browser:
    """A client that speaks raw bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    async def head(self) -> str:
        """Return an HTTP response's head."""
        return (await self.reader.readuntil(b"\r\n\r\n")).decode()

    async def receive(self, size: int) -> bytes:
        """Return exactly `size` bytes."""
        return await self.reader.readexactly(size)

    async def frame(self) -> tuple[int, bytes]:
        """Return the first byte and the payload of the next frame."""
        first, size = await self.reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return first, await self.reader.readexactly(size)

    async def close_frame(self) -> tuple[int, str]:
        """Return code and reason of the Close frame that comes next."""
        first, payload = await self.frame()
        assert first == 0x88
        return struct.unpack("!H", payload[:2])[0], payload[2:].decode()

    async def rest(self) -> bytes:
        """Return what comes until the server ends the connection, even by a reset."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""


@asynccontextmanager
async def serving(
    events: EdgeEvents | None = None,
    *,
    host: str = "127.0.0.1",
    options: EdgeOptions | None = None,
    **listener: Any,
) -> AsyncIterator[Served]:
    """Serve one listener named `public` and abort what is left at the end."""
    events = events or Recorder()
    server = EdgeServer(events, options or EdgeOptions())
    public = server.add_listener("public", [bound(host)], **listener)
    server.start()
    try:
        yield Served(server, events, host, public.addresses[0][1])
    finally:
        server.close()
        for edge in getattr(events, "edges", []):
            edge.abort(CloseReason(1006, "test", ""))
        # No transport may outlive its loop.
        await turns_until(lambda: not server.counters.connections)


async def turns_until(predicate: Callable[[], bool]) -> None:
    """Let the loop turn until something holds that nobody tells."""
    while not predicate():  # noqa: ASYNC110  turns of this loop are awaited, not time
        await asyncio.sleep(0)
