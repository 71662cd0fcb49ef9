"""BusinessWorkers as PHP's are, on real sockets: they say hello, read frames, and send some.

`served` is a gateway's core over pipes that such workers dial, so that nothing happens at its other end but what a
test does.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final, Self

from gateway.backend import Backend
from gateway.connection import Connection
from gateway.executor import Executor
from gateway.flusher import Flusher
from gateway.holding import Loss
from gateway.php.frames import Command, Frame, FrameDecoder
from gateway.php.link import PhpLink
from gateway.php.worker import PING_INTERVAL, PhpWorkers
from gateway_wire import close_codes
from gateway_wire.addresses import Address
from gateway_wire.aio.listener import Acceptor
from gateway_wire.errors import ErrorCode
from tests.gateway.php.support import PhpGateway
from tests.gateway.support import turns_until
from tests.support.links import address_of, bound

GONE: Final = close_codes.CONNECTION_LOST.reason("gone")


class PhpWorkerPeer:
    """A BusinessWorker's end of its link; an async context manager that dials."""

    def __init__(self, address: Address, key: str = "Business:0", secret_key: str = "") -> None:
        self._address = address
        self._hello = {"worker_key": key, "secret_key": secret_key}
        self._decoder = FrameDecoder()

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        await self.say_hello()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    async def say_hello(self) -> None:
        """Begin to take events."""
        await self.say(Frame(Command.WORKER_CONNECT, body=json.dumps(self._hello).encode()))

    async def say(self, *frames: Frame) -> None:
        """Send frames."""
        self._writer.write(b"".join(frame.encode() for frame in frames))
        await self._writer.drain()

    async def next(self) -> Frame:
        """Give the next frame."""
        while (frame := self._decoder.take()) is None:
            data = await self._reader.read(1 << 20)
            assert data, "the gateway closed the link"
            self._decoder.feed(data)
        return frame

    async def told(self, count: int) -> list[Frame]:
        """Give so many frames as they come."""
        return [await self.next() for _ in range(count)]

    async def ended(self) -> list[Frame]:
        """Give all frames until the gateway closes the link."""
        with suppress(ConnectionError):
            self._decoder.feed(await self._reader.read())
        frames = []
        while (frame := self._decoder.take()) is not None:
            frames.append(frame)
        return frames

    def close(self) -> None:
        """Die."""
        self._writer.transport.abort()


class Served(PhpGateway):
    """A core over pipes whose workers are PHP's, and dial."""

    def __init__(self, secret_key: str = "", ping_interval: float = PING_INTERVAL) -> None:
        super().__init__()
        loop = asyncio.get_running_loop()
        flusher = Flusher(loop, 0)
        flusher.outbox = self.outbox
        workers = PhpWorkers(self.router, loop, ping_interval=ping_interval)
        table = {Frame: self.requests.execute}
        self.executor = Executor(loop, flusher, table, workers.table())
        self.workers = workers
        listener = partial(Acceptor, partial(PhpLink, secret_key))
        self.backend = Backend(listener, self.executor, workers.link_lost)
        self._sock = bound()
        self.address = address_of(self._sock)

    async def start(self) -> None:
        """Let workers dial."""
        await self.backend.start(self._sock)

    async def stop(self) -> None:
        """End all links."""
        self.backend.stop_accepting()
        self.backend.close_links(ErrorCode.STOPPING, "the test is over")
        await self.backend.wait_closed()

    async def taking(self, count: int) -> None:
        """Wait until so many workers take events."""
        await turns_until(lambda: self.router.workers == count)

    async def finished(self) -> None:
        """Wait until no event is unfinished."""
        await turns_until(lambda: not self.router.unacked)

    def say(self, connection: Connection, *messages: str | bytes) -> None:
        """Let a client send messages."""
        for message in messages:
            self.clients.received(connection.edge, message)

    def end(self, connection: Connection) -> None:
        """Let a client's connection end."""
        self.clients.lost(connection.edge, GONE)

    def sums(self) -> tuple[int, int, int, int, int]:
        """Give entered, acknowledged, lost, unacknowledged and held; the first is their sum."""
        counters = self.router.counters
        parts = (
            counters.acknowledged,
            counters.lost[Loss.WORKER_LOST],
            self.router.unacked,
            self.router.held,
        )
        assert counters.entered == sum(parts)
        return (counters.entered, *parts)


@asynccontextmanager
async def served(
    secret_key: str = "", *, ping_interval: float = PING_INTERVAL
) -> AsyncIterator[Served]:
    """Let workers of PHP dial a core over pipes."""
    core = Served(secret_key, ping_interval)
    await core.start()
    try:
        yield core
    finally:
        await core.stop()


def kinds(frames: list[Frame]) -> list[int]:
    """Give the commands of some frames."""
    return [frame.command for frame in frames]
