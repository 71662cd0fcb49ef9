"""A core whose commands come on real links."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from gateway.backend import Backend
from gateway.executor import Executor
from gateway.flusher import Flusher
from gateway.handlers import link_table
from gateway_wire.aio.link import AioLink
from gateway_wire.aio.listener import LinkListener
from gateway_wire.commands import Consume, Role
from gateway_wire.errors import ErrorCode
from tests.gateway.handlers.support import Gateway
from tests.gateway.running import WorkerLink, dial_worker
from tests.support.links import Dialler, address_of, bound, party


class Linked(Gateway):
    """A core that workers and consumers dial."""

    def __init__(self, dialler: Dialler) -> None:
        super().__init__()
        self._dialler = dialler

    async def consumer(self, *topics: str, prefetch: int = 100) -> WorkerLink:
        """Dial as a consumer of topics, or of nothing yet."""
        consumer = WorkerLink(*await self._dialler.dial(Role.CLIENT))
        if topics:
            assert await consumer.ask(Consume([*topics], prefetch, "w")) is None
        return consumer

    async def worker(self, *, takes: bool = True) -> WorkerLink:
        """Dial as a worker."""
        return await dial_worker(self._dialler, takes=takes)


@asynccontextmanager
async def linked() -> AsyncIterator[Linked]:
    """Serve a core on a real socket."""
    loop = asyncio.get_running_loop()
    sock = bound()
    async with Dialler(address_of(sock)) as dialler:
        core = Linked(dialler)
        flusher = Flusher(loop, 0)
        flusher.outbox = core.outbox
        of_links = link_table(core.hub, core.router, core.of_queues, lambda: core.now)
        executor = Executor(loop, flusher, core.table, of_links)

        def gone(link: AioLink) -> None:
            core.router.link_lost(link, core.now)
            core.of_queues.link_lost(link)

        backend = Backend(partial(LinkListener, party(Role.GATEWAY), ""), executor, gone)
        await backend.start(sock)
        try:
            yield core
        finally:
            backend.stop_accepting()
            backend.close_links(ErrorCode.STOPPING, "the test is over")
            await backend.wait_closed()
