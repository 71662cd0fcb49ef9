"""The whole thing: two registers with a secret key, three gateway processes, two workers of two processes.

It lives as long as the session; browsers come and go. One worker has `async def` handlers in a
module, the other `def` methods of a class, and both do the same.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Final, NamedTuple

import pytest

from gateway_client import GatewayClient
from tests.support.cluster import ANY, Browser, browse, gateway, register
from tests.support.daemons import Daemon
from tests.support.waiting import eventually
from tests.support.workers import Journal, metric, worker

KEY: Final = "a secret key of the tests"
WORKERS: Final = {"red": "async_module", "blue": "def_class:Events"}
"""The workers by name, and what they run."""


class Cluster(NamedTuple):
    """What runs."""

    gateways: list[Daemon]
    workers: dict[str, Daemon]
    journal: Journal
    client: GatewayClient


class Page(NamedTuple):
    """A browser whose handlers do what it orders."""

    browser: Browser
    url: str
    client_id: str

    def order(self, what: str, *args: Any) -> Any:
        """Have something done by this browser's worker; give the result."""
        self.say({"do": what, "args": args})
        said = json.loads(self.browser.text())
        assert "error" not in said, said
        return said["result"]

    def fail(self, what: str, *args: Any) -> str:
        """Have something done that raises; give what it raised."""
        self.say({"do": what, "args": args})
        error: str = json.loads(self.browser.text())["error"]
        return error

    def say(self, message: str | bytes | dict[str, Any]) -> None:
        """Send a message."""
        text = json.dumps(message) if isinstance(message, dict) else message
        self.browser.socket.send(text)

    def read(self) -> str | bytes:
        """Wait for the next message."""
        return self.browser.text()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Start everything."""
    journal = Journal(tmp_path_factory.mktemp("journal"))
    key = {"GATEWAYWORKER_SECRET_KEY": KEY}
    with ExitStack() as stack:
        directories = [register() for _ in range(2)]
        for each in directories:
            each.environment.update(key)
            stack.enter_context(each)
        addresses = ",".join(each.ready.listen for each in directories)
        gateways = [gateway(addresses, "--processes=2"), gateway(addresses)]
        workers = {
            name: worker(
                addresses,
                target,
                f"--name={name}",
                "--processes=2",
                f"--http={ANY}",
                environment=journal.environment,
            )
            for name, target in WORKERS.items()
        }
        daemons = [*gateways, *workers.values()]
        for each in daemons:
            each.environment.update(key)
            stack.push(each)
            each.launch()
        for each in daemons:
            each.become_ready()
        eventually(lambda: sum(metric(each, "workers") for each in gateways) == 3 * 4)
        client = stack.enter_context(GatewayClient(addresses, secret_key=KEY))
        yield Cluster(gateways, workers, journal, client)


@pytest.fixture
def pages(cluster: Cluster) -> Iterator[Callable[..., Page]]:
    """Open browsers until the test ends: with a path and headers, at one of the gateways."""
    with ExitStack() as stack:

        def open_page(number: int = 0, path: str = "/", **more: Any) -> Page:
            url = cluster.gateways[number].ready.ws
            browser = stack.enter_context(browse(url + path, **more))
            return Page(browser, url, browser.client_id)

        yield open_page


@pytest.fixture(params=WORKERS)
def page(request: pytest.FixtureRequest, pages: Callable[..., Page]) -> Page:
    """Open a browser that is served by the worker of each kind."""
    return page_of(request.param, pages)


def page_of(name: str, pages: Callable[..., Page]) -> Page:
    """Open browsers until one is served by the worker of this name."""
    for _ in range(32):
        page = pages()
        if page.order("who")["name"] == name:
            return page
    raise AssertionError(f"none of 32 browsers was served by {name}")
