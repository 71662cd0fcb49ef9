"""A whole gateway process on sockets of the test, in the test's own loop, and workers and consumers that dial it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession
from websockets.asyncio.client import ClientConnection, connect

from gateway.process import GatewayProcess
from gateway.program import HTTP, INTERNAL, PHP, public_kind
from gateway.routes import Route
from gateway.settings import GatewaySettings
from gateway_process.addresses import ListenUrl
from gateway_process.daemon import Context
from gateway_process.errors import RunError
from gateway_wire.addresses import Address
from gateway_wire.aio.link import AioLink
from gateway_wire.commands import (
    Acknowledge,
    Command,
    Consume,
    QueueMessage,
    Reply,
    Role,
    TakeEvents,
)
from tests.gateway.admin.core import register
from tests.support.links import Dialler, Owner, address_of, bound

LOOPBACK = Address("127.0.0.1", 0)


class Running:
    """A gateway process on sockets of the test."""

    def __init__(self, registers: Address, **settings: Any) -> None:
        all_settings = {
            "listen": (ListenUrl("ws", LOOPBACK),),
            "http": LOOPBACK,
            "register": (registers,),
            "drain": 0.0,
            **settings,
        }
        internal, http, public = bound(), bound(), bound()
        http.listen()  # who asks before the port is served waits
        self.http = f"http://{address_of(http)}"
        self.url = f"ws://{address_of(public)}"
        self.internal = address_of(internal)
        sockets = {INTERNAL: [internal], HTTP: [http], public_kind(0): [public]}
        if "php_start_port" in settings:
            sockets[PHP] = [bound()]
            self.php = address_of(sockets[PHP][0])
        context = Context(number=0, sockets=sockets, fail=_failed)
        self.settings = GatewaySettings(**all_settings)
        self.process = GatewayProcess(self.settings, context)

    async def readiness(self) -> tuple[int, dict[str, Any]]:
        """Give status and body of `/readyz`."""
        async with ClientSession(self.http) as session, session.get("/readyz") as answer:
            return answer.status, await answer.json()

    async def text(self, path: str) -> str:
        """Ask the HTTP port for a page."""
        async with ClientSession(self.http) as session, session.get(path) as answer:
            return await answer.text()


def _failed(error: RunError) -> None:
    raise AssertionError(error)


@asynccontextmanager
async def starting(
    registers: Address, **settings: Any
) -> AsyncIterator[tuple[Running, asyncio.Task[Any]]]:
    """Start a gateway, and stop it at the end; give it and its start."""
    running = Running(registers, **settings)
    start = asyncio.create_task(running.process.start())
    try:
        yield running, start
    finally:
        start.cancel()
        await asyncio.wait([start])
        await running.process.stop()


@asynccontextmanager
async def browsing(
    running: Running, path: str = "/"
) -> AsyncIterator[tuple[ClientConnection, str]]:
    """Connect a browser; give it and its client id."""
    async with connect(running.url + path, compression=None, close_timeout=1) as browser:
        yield browser, json.loads(await browser.recv())["client_id"]


class WorkerLink:
    """A worker's or consumer's end of a link: says commands, and gives what came."""

    def __init__(self, link: AioLink, owner: Owner) -> None:
        self.link = link
        self.owner = owner
        self._requests = 0

    async def next(self) -> tuple[int, Any]:
        """Give the next command with its request id."""
        envelope = await self.owner.envelopes.get()
        return envelope.request_id, envelope.command

    async def told(self, count: int) -> list[Any]:
        """Give so many commands as they come."""
        return [(await self.next())[1] for _ in range(count)]

    async def ask(self, command: Command) -> Any:
        """Say a command and give the answer's value, or the error; nothing else may come before."""
        self._requests += 1
        self.link.send(command, self._requests)
        request_id, answer = await self.next()
        assert request_id == self._requests
        return answer.value if isinstance(answer, Reply) else answer

    def finish(self, *event_ids: int) -> None:
        """Acknowledge events."""
        self.link.send(Acknowledge([*event_ids]))


async def dial_worker(dialler: Dialler, *, takes: bool = True) -> WorkerLink:
    """Dial as a worker, which takes events unless told otherwise."""
    worker = WorkerLink(*await dialler.dial(Role.WORKER))
    if takes:
        assert await worker.ask(TakeEvents("w", 0)) is None
    return worker


@asynccontextmanager
async def serving_workers(**settings: Any) -> AsyncIterator[tuple[Running, Dialler]]:
    """Run a gateway at a register of its own; give it and what dials it as workers."""
    async with register() as (_, registers):
        running = Running(registers, **settings)
        await running.process.start()
        try:
            async with Dialler(running.internal) as dialler:
                yield running, dialler
        finally:
            await running.process.stop()


async def dial_consumer(dialler: Dialler, *topics: str, prefetch: int = 100) -> WorkerLink:
    """Dial as a consumer of topics."""
    consumer = WorkerLink(*await dialler.dial(Role.CLIENT))
    assert await consumer.ask(Consume([*topics], prefetch)) is None
    return consumer


@asynccontextmanager
async def consuming(
    *routes: str, topics: tuple[str, ...] = ("chat",), prefetch: int = 100, **settings: Any
) -> AsyncIterator[tuple[Running, WorkerLink]]:
    """Run a gateway with routes, and a consumer; give both."""
    route = tuple(map(Route.parse, routes))
    async with serving_workers(route=route, **settings) as (running, dialler):
        yield running, await dial_consumer(dialler, *topics, prefetch=prefetch)


def text_of(message: QueueMessage) -> str:
    """Give the text that a browser sent."""
    text: str = message.data["frame"]["data"]
    return text
