"""Browsers for load: many in one loop, cheap, and each knows what it sent and what came back.

Masked with zeros, a message stands in its frame as it is, so a talker costs the test little more than its
`write` and `find`. What is sent while the gateway does not read waits in the socket, then in the
transport: `is_stuck` tells that the socket takes no more.

A narrow browser's sockets hold little, so that the gateway notices soon when it stops reading: 50 KB are
on the way to it then, and 4 MB to another one.
"""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, cast

from tests.support.cluster import split, upgrade
from tests.support.waiting import PATIENCE

_TEXT: Final = 0x81
_CLOSE: Final = 0x88
_NO_MASK: Final = bytes(4)
_PADDING: Final = "x" * 4_000
_BATCH: Final = 16

_NARROW_SEGMENT: Final = 536
"""Bytes of a segment to a narrow browser: the kernel allows a sender a few dozen of them at first."""
_NARROW_BUFFER: Final = 4096
"""Bytes that a narrow browser's own socket keeps."""


class Talker(asyncio.Protocol):
    """One browser.

    Attributes:
        client_id: Its id.
        received: The texts that came, after the init message.
        close_code: How the gateway ended the connection; None while it is open, 1006 for a cut.
        is_stuck: Whether its socket takes no more.
    """

    def __init__(self) -> None:
        self.client_id = ""
        self.received: list[str] = []
        self.close_code: int | None = None
        self.is_stuck = False
        self._buffer = bytearray()
        self._is_open = False
        self._watchers: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def __repr__(self) -> str:
        state = "open" if self.close_code is None else f"closed with {self.close_code}"
        return f"<Talker {self.client_id}: {len(self.received)} received, {state}>"

    def send(self, text: str) -> None:
        """Send a message."""
        self._transport.write(frame(text))

    def send_all(self, frames: bytes) -> None:
        """Send messages that are encoded already."""
        self._transport.write(frames)

    async def until(self, question: Callable[[], bool]) -> None:
        """Wait until something is true of it, which is asked whenever anything has come or changed."""
        if not question():
            future = asyncio.get_running_loop().create_future()
            self._watchers.append((question, future))
            async with asyncio.timeout(PATIENCE):
                await future

    async def until_received(self, count: int) -> None:
        """Wait until so many messages have come."""
        await self.until(lambda: len(self.received) >= count)

    async def until_text(self, text: str) -> None:
        """Wait until this message is the last that came."""
        await self.until(lambda: self.received[-1:] == [text])

    async def ask(self, text: str) -> str:
        """Send a message and wait for the one that comes back."""
        count = len(self.received) + 1
        self.send(text)
        await self.until_received(count)
        return self.received[count - 1]

    def stop_reading(self) -> None:
        """Leave what comes where it is, until told to read on."""
        self._wire.pause_reading()

    def read_on(self) -> None:
        """Read again."""
        self._wire.resume_reading()

    def secured(self, transport: asyncio.Transport, wire: asyncio.Transport) -> None:
        """Begin, over TLS; `wire` is the transport under it, which stops when this stops reading."""
        self.connection_made(transport)
        self._wire = wire

    def close(self) -> None:
        """Go away without a word."""
        self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = self._wire = cast("asyncio.Transport", transport)
        self._transport.write(upgrade())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._is_open:
            _, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            self._buffer, self._is_open = rest, True
        self._take_frames()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.close_code is None:
            self.close_code = 1006
        self._look()

    def pause_writing(self) -> None:
        self.is_stuck = True
        self._look()

    def resume_writing(self) -> None:
        self.is_stuck = False
        self._look()

    # Private methods

    def _look(self) -> None:
        for watcher in tuple(self._watchers):
            question, future = watcher
            if future.done():
                self._watchers.remove(watcher)
            elif question():
                self._watchers.remove(watcher)
                future.set_result(None)

    def _take_frames(self) -> None:
        buffer, start = self._buffer, 0
        while len(buffer) >= start + 2:
            size, head = buffer[start + 1], 2
            if size >= 126:
                head = 4 if size == 126 else 10
                size = int.from_bytes(buffer[start + 2 : start + head])
            end = start + head + size
            if len(buffer) < end:
                break
            self._take(buffer[start], bytes(buffer[start + head : end]))
            start = end
        del buffer[:start]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == _CLOSE:
            self.close_code = int.from_bytes(payload[:2])
        elif opcode == _TEXT and not self.client_id:
            self.client_id = json.loads(payload)["client_id"]
        elif opcode == _TEXT:
            self.received.append(payload.decode())


def frame(text: str) -> bytes:
    """Encode a message as a browser does."""
    payload = text.encode()
    size = len(payload)
    head = bytes([_TEXT, 0x80 | size]) if size < 126 else bytes([_TEXT, 0xFE, *size.to_bytes(2)])
    return head + _NO_MASK + payload


def make_narrow(sock: socket.socket) -> None:
    """Have a socket that will be connected hold little; see above."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _NARROW_SEGMENT)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _NARROW_BUFFER)


@asynccontextmanager
async def talkers(
    url: str, count: int, *, tls: ssl.SSLContext | None = None, narrow: bool = False
) -> AsyncIterator[list[Talker]]:
    """Connect so many browsers, and wait until each has its id.

    Args:
        url: Where.
        count: How many.
        tls: What to trust, for `wss://`.
        narrow: Whether little is on its way to them when they do not read.
    """
    made: list[Talker] = []
    try:
        for _ in range(count):
            made.append(await _connect(url, tls, narrow=narrow))  # noqa: PERF401 - closed below
        for talker in made:
            await talker.until(lambda: bool(talker.client_id))  # noqa: B023 - awaited at once
        yield made
    finally:
        for talker in made:
            talker.close()


async def _connect(url: str, tls: ssl.SSLContext | None, *, narrow: bool) -> Talker:
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    if narrow:
        make_narrow(sock)
    sock.setblocking(False)
    await loop.sock_connect(sock, split(url))
    if tls is None:
        _, talker = await loop.create_connection(Talker, sock=sock)
        return talker
    talker = Talker()
    wire, _ = await loop.create_connection(asyncio.Protocol, sock=sock)
    transport = await loop.start_tls(wire, talker, tls, server_hostname="localhost")
    assert transport is not None
    talker.secured(transport, wire)
    return talker


async def flood(talker: Talker, text: Callable[[int], str]) -> int:
    """Send messages of 4 KB as long as a browser's socket takes them; give how many that were.

    Args:
        talker: The browser.
        text: Gives the first word of a message by its number; padding follows.
    """
    sent = 0
    while not talker.is_stuck:
        numbers = range(sent, sent + _BATCH)
        talker.send_all(b"".join(frame(f"{text(number)} {_PADDING}") for number in numbers))
        sent += _BATCH
        await asyncio.sleep(0)
    return sent
