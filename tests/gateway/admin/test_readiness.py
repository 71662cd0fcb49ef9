"""Readiness of a whole gateway process, from start to stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession
from websockets.asyncio.client import connect

from gateway.process import GatewayProcess
from gateway.program import HTTP, INTERNAL, public_kind
from gateway.settings import GatewaySettings
from gateway_process.addresses import ListenUrl
from gateway_process.daemon import Context
from gateway_process.errors import RunError
from gateway_wire.addresses import Address
from tests.gateway.admin.core import register
from tests.support.links import address_of, bound

LOOPBACK = Address("127.0.0.1", 0)


class Running:
    """A gateway process on sockets of the test."""

    def __init__(self, registers: Address) -> None:
        settings = GatewaySettings(
            listen=(ListenUrl("ws", LOOPBACK),),
            http=LOOPBACK,
            register=(registers,),
            drain=0.0,
        )
        internal, http, public = bound(), bound(), bound()
        http.listen()  # who asks before the port is served waits
        self.http = f"http://{address_of(http)}"
        self.url = f"ws://{address_of(public)}/"
        sockets = {INTERNAL: [internal], HTTP: [http], public_kind(0): [public]}
        self.process = GatewayProcess(settings, Context(number=0, sockets=sockets, fail=_failed))

    async def readiness(self) -> tuple[int, dict[str, Any]]:
        """Give status and body of `/readyz`."""
        async with ClientSession(self.http) as session, session.get("/readyz") as answer:
            return answer.status, await answer.json()


def _failed(error: RunError) -> None:
    raise AssertionError(error)


@asynccontextmanager
async def starting(registers: Address) -> AsyncIterator[tuple[Running, asyncio.Task[Any]]]:
    """Start a gateway, and stop it at the end; give it and its start."""
    running = Running(registers)
    start = asyncio.create_task(running.process.start())
    try:
        yield running, start
    finally:
        start.cancel()
        await asyncio.wait([start])
        await running.process.stop()


async def test_it_is_not_ready_before_a_register_knows_it() -> None:
    """The port answers while the gateway waits for its register."""
    with bound() as nobody:
        async with starting(address_of(nobody)) as (running, _):
            status, body = await running.readiness()
    assert (status, body["registers"]) == (503, {"connected": 0, "lost": 1})
    assert body["reason"].startswith("starting")


async def test_it_is_ready_when_it_has_started() -> None:
    """A register knows it and browsers are accepted."""
    async with register() as (_, address), starting(address) as (running, start):
        await start
        status, body = await running.readiness()
    assert (status, body["status"]) == (200, "ready")


async def test_it_is_not_ready_while_it_drains() -> None:
    """Browsers that are here may stay, and no more should come."""
    async with register() as (_, address), starting(address) as (running, start):
        await start
        async with connect(running.url):
            drain = asyncio.create_task(running.process.drain())
            status, body = await running.readiness()
        await drain
    assert status == 503
    assert body["reason"].startswith("draining")
