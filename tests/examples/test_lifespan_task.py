"""The FastAPI example's lifespan task, which consumes what pages send, in a real browser and across a restart."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp
import pytest
from playwright.async_api import Browser, Page

from gateway_client import AsyncGatewayClient
from scripts.tree import ROOT
from tests.examples.running import log_in, running, served, shows
from tests.support.daemons import DEV_ON_ANY_PORT, Daemon

FOLDER: Final = ROOT / "examples/fastapi"


async def say(page: Page, text: str) -> None:
    """Say something by the page's own form, so by its websocket."""
    await page.fill("#say input", text)
    await page.press("#say input", "Enter")


@pytest.mark.asyncio(loop_scope="module")
async def test_what_pages_say_reaches_the_group(browser: Browser) -> None:
    """In the order in which it was said, with the name that the login says."""
    with running("fastapi") as example:
        ann = await log_in(browser, example, "Ann")
        bob = await log_in(browser, example, "Bob")
        for text in ("one", "two", "<b>three</b>"):
            await say(ann, text)
        await shows(bob, "Ann: one", "Ann: two", "Ann: <b>three</b>")
        await ann.context.close()
        await bob.context.close()


@contextmanager
def application(dev: Daemon) -> Iterator[None]:
    """Run the application for the length of a block, then stop it, which must be clean."""
    command = Daemon(
        *("-m", "uvicorn", "app:app", "--port", "0"),
        environment={"GATEWAYWORKER_REGISTER": dev.ready.register, "PYTHONWARNINGS": ""},
        folder=FOLDER,
        launcher=[sys.executable],
    )
    command.launch()
    try:
        served(command)
        yield
        command.stop(code=-signal.SIGTERM)  # Uvicorn stops cleanly, and then ends by the signal
        assert "Application shutdown complete" in command.stderr
        assert "Traceback" not in command.stderr
    finally:
        command.kill()


async def test_what_is_sent_during_a_restart_waits() -> None:
    """The task is cancelled with the application, and the next one has what came meanwhile."""
    with Daemon("gateway", *DEV_ON_ANY_PORT, "--no-demo", "--route", "queue:chat") as dev:
        async with (
            AsyncGatewayClient(dev.ready.register) as client,
            aiohttp.ClientSession() as http,
            http.ws_connect(dev.ready.ws) as page,
        ):
            client_id = (await page.receive_json())["client_id"]
            with application(dev):
                await page.send_str("who am I?")
                assert await page.receive_json() == {"from": "server", "text": "Log in first."}
            assert await client.bind_uid(client_id, "ann")
            assert await client.join_group(client_id, "news")
            await page.send_bytes(b"no text: passed over")
            await page.send_str("x" * 501)
            await page.send_str("anybody?")
            with application(dev):
                assert await page.receive_json() == {"from": "ann", "text": "anybody?"}
            assert (await client.get_all_queues())["chat"]["waiting"] == 0
