"""The HTTP port of a worker process, asked by a real HTTP client; `test_process.py` asks one that works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from businessworker.admin import Admin
from businessworker.dispatcher import Dispatcher
from businessworker.events import events_of
from businessworker.mailbox import Mailbox
from businessworker.process import WorkerProcess
from businessworker.settings import WorkerSettings
from gateway_process.daemon import Context
from gateway_process.secret import Secret
from tests.businessworker.peers import message
from tests.businessworker.sources import RecordingSource
from tests.businessworker.stage import assigned
from tests.support.links import address_of, bound

PREFIX = "gatewayworker_businessworker_"


class Handlers:
    """Handlers of an application."""

    @staticmethod
    async def on_message(client_id: str, message: str) -> None:
        """Do nothing, or fail."""
        assert message != "fail"


@asynccontextmanager
async def served(key: str = "") -> AsyncIterator[tuple[WorkerProcess, aiohttp.ClientSession]]:
    """Run the HTTP port of a worker that was not started, and a client to it."""
    context = Context(number=0, sockets={}, fail=lambda error: pytest.fail(str(error)), restarts=2)
    process = WorkerProcess(WorkerSettings(events="shop"), context)
    admin = Admin(process, Secret(key))
    sock = bound()
    base = f"http://{address_of(sock)}"
    await admin.start(sock)
    try:
        async with aiohttp.ClientSession(base) as session:
            yield process, session
    finally:
        await admin.stop()
        await process.links.close()


async def test_health_needs_no_key_and_metrics_do() -> None:
    """Load balancers hold none."""
    async with served("s3cret") as (_, session):
        async with session.get("/healthz") as response:
            assert (response.status, await response.json()) == (200, {"status": "ok"})
        async with session.get("/readyz") as response:
            assert response.status == 503
            assert await response.json() == {
                "status": "not ready",
                "gateways": {},
                "reason": "starting",
            }
        async with session.get("/metrics") as response:
            assert response.status == 401


async def test_metrics_are_those_of_the_parts() -> None:
    """Before the application is imported those of the links, afterwards the events' too."""
    async with served() as (process, session):
        before = await metrics(session)
        assert before["ready"] == 0
        assert before["process_restarts_total"] == 2
        assert "clients" not in before

        process.events = events_of(Handlers, "shop:Handlers")
        process.dispatcher = Dispatcher(
            process.events, Mailbox(asyncio.get_running_loop()), process.pool
        )
        process.dispatcher.receive(
            RecordingSource(), [assigned("a"), message(1, "a"), message(2, "a", "fail")]
        )
        await process.dispatcher.finish()

        after = await metrics(session)
        assert (after["clients"], after["events_total"], after["events_finished_total"]) == (
            1,
            2,
            2,
        )
        assert after['handled_total{handler="on_message",result="returned"}'] == 1
        assert after['handled_total{handler="on_message",result="raised"}'] == 1
        assert process.work().messages_in == 2
        process.dispatcher.close()


async def metrics(session: aiohttp.ClientSession) -> dict[str, float]:
    """Read the page."""
    async with session.get("/metrics") as response:
        assert response.status == 200
        lines = (await response.text()).splitlines()
    ours = (line.removeprefix(PREFIX).rsplit(" ", 1) for line in lines if line.startswith(PREFIX))
    return {name: float(value) for name, value in ours}
