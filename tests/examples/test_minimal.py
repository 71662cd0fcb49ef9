"""The quick start of the README, run as it stands."""

import runpy
import threading
from collections.abc import Iterator
from typing import Final

import aiohttp
import pytest
from werkzeug.serving import make_server

from gatewayworker import Gateway
from scripts.tree import ROOT
from tests.support.daemons import DEV_ON_ANY_PORT, Daemon

MINIMAL: Final = ROOT / "examples/minimal"


@pytest.fixture
def dev() -> Iterator[Daemon]:
    """Give a running register and gateway, which `Gateway` uses."""
    with Daemon("gateway", *DEV_ON_ANY_PORT, "--no-demo") as running:
        Gateway.register_address = running.ready.register
        yield running
        Gateway.close()
        Gateway.register_address = None


@pytest.fixture
def application(dev: Daemon) -> Iterator[str]:
    """Serve the example's application; give its URL."""
    example = runpy.run_path(str(MINIMAL / "app.py"))
    server = make_server("127.0.0.1", 0, example["app"], threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_what_is_published_reaches_the_page(dev: Daemon, application: str) -> None:
    """The page and its script are served; a bound connection gets what is posted to /publish."""
    async with aiohttp.ClientSession(application) as browser:
        for path, content in (("/page.html", "connectPush("), ("/push.js", "connectPush(")):
            async with browser.get(path) as response:
                assert content in await response.text()
        socket = await bound(browser, dev)
        async with browser.post("/publish", data="It works") as response:
            assert await response.json() == {"reached": 1}
        assert await socket.receive_json() == {"text": "It works"}
        await socket.close()


async def test_what_a_page_sends_is_handled_by_the_events(dev: Daemon, application: str) -> None:
    """A worker knows who the application has bound, counts in the session, and tells the group."""
    worker = Daemon(
        "businessworker", "start", "events", f"--register={dev.ready.register}", folder=MINIMAL
    )
    with worker:
        async with aiohttp.ClientSession(application) as browser:
            page, other = [await bound(browser, dev) for _ in range(2)]
            for text in ("hello", "again"):
                await page.send_str(text)
            await page.close()
            received = [await other.receive_json() for _ in range(3)]
            await other.close()
    assert received == [{"text": "ann, 1: hello"}, {"text": "ann, 2: again"}, {"text": "ann left"}]


async def bound(browser: aiohttp.ClientSession, dev: Daemon) -> aiohttp.ClientWebSocketResponse:
    """Connect as the page does."""
    socket = await browser.ws_connect(dev.ready.ws)
    introduction = {"client_id": (await socket.receive_json())["client_id"]}
    async with browser.post("/bind", json=introduction) as response:
        assert await response.json() == {"joined": True}
    return socket


async def test_the_applications_source_is_not_served(application: str) -> None:
    """Only what lies in static/ is given to browsers."""
    async with aiohttp.ClientSession(application) as browser:
        for path in ("/app.py", "/..%2Fapp.py"):
            async with browser.get(path) as response:
                assert response.status == 404
