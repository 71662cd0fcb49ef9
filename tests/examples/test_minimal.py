"""The quick start of the README, run as it stands."""

import runpy
import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler, make_server

import aiohttp
import pytest

from gatewayworker import Gateway
from scripts.tree import ROOT
from tests.support.daemons import DEV_ON_ANY_PORT, Daemon


class Quiet(WSGIRequestHandler):
    """Serves without a line on stderr for each request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


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
    example = runpy.run_path(str(ROOT / "examples/minimal/app.py"))
    with make_server("127.0.0.1", 0, example["application"], handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def test_what_is_published_reaches_the_page(dev: Daemon, application: str) -> None:
    """The page and its script are served; a bound connection gets what is posted to /publish."""
    async with (
        aiohttp.ClientSession(application) as browser,
        browser.ws_connect(dev.ready.ws) as socket,
    ):
        for path, content in (("/", "connectPush("), ("/push.js", "function connectPush(")):
            async with browser.get(path) as response:
                assert content in await response.text()
        client_id = (await socket.receive_json())["client_id"]
        for path, body in (("/bind", f'{{"client_id": "{client_id}"}}'), ("/publish", "It works")):
            async with browser.post(path, data=body) as response:
                assert response.status == 204
        assert await socket.receive_json() == {"text": "It works"}
