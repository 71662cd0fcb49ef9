"""The clients against real registers and gateways that are killed, frozen and restarted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from websockets.sync.client import ClientConnection, connect

from gateway_client import (
    AsyncGatewayClient,
    GatewayClient,
    GatewayFailure,
    RegisterUnavailable,
)
from tests.support.daemons import Daemon
from tests.support.waiting import PATIENCE, eventually


class Cluster:
    """One register and two gateways."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.register = stack.enter_context(
            Daemon("register", "start", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
        )
        self.gateways = [self._gateway() for _ in range(2)]

    def _gateway(self) -> Daemon:
        options = {
            "--listen": "ws://127.0.0.1:0",
            "--http": "127.0.0.1:0",
            "--start-port": "0",
            "--register": self.register.ready.listen,
        }
        arguments = [each for option in options.items() for each in option]
        return self._stack.enter_context(Daemon("gateway", "start", *arguments))

    def browser(self, gateway: Daemon) -> tuple[ClientConnection, str]:
        """Connect a browser; give it and its client id."""
        browser = self._stack.enter_context(connect(gateway.ready.ws, max_queue=None))
        return browser, json.loads(browser.recv(PATIENCE))["client_id"]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster of real processes."""
    with ExitStack() as stack:
        yield Cluster(stack)


@pytest.fixture
def client(cluster: Cluster) -> Iterator[GatewayClient]:
    """A blocking client of it."""
    with GatewayClient(cluster.register.ready.listen, secret_key="") as client:
        yield client


def _names(failures: tuple[GatewayFailure, ...], gateway: Daemon) -> bool:
    return [failure.address for failure in failures] == [gateway.ready.internal]


def test_a_killed_gateway_is_named_and_then_forgotten(
    cluster: Cluster, client: GatewayClient
) -> None:
    """The others get the message; when the register has dropped it nobody is missing."""
    well, killed = cluster.gateways
    browser, _ = cluster.browser(well)
    _, gone = cluster.browser(killed)
    assert client.send_to_all("1") == 2
    killed.kill()
    reached = client.send_to_all("2")
    assert reached == 1
    assert [browser.recv(PATIENCE), browser.recv(PATIENCE)] == ["1", "2"]
    eventually(lambda: client.send_to_all("3").is_complete)
    assert client.is_online(gone) is False


def test_a_frozen_gateway_costs_one_caller_and_comes_back(
    cluster: Cluster, client: GatewayClient
) -> None:
    """The message is at the others at once; later calls do not wait; after SIGCONT all is well."""
    well, frozen = cluster.gateways
    browser, _ = cluster.browser(well)
    cluster.browser(frozen)
    assert client.send_to_all("1") == 2
    frozen.freeze()
    first = client.send_to_all("2", timeout=1)
    assert (first, _names(first.unknown, frozen)) == (1, True)
    begun = time.monotonic()
    second = client.send_to_all("3", timeout=60)
    assert time.monotonic() - begun < 30
    assert (second, _names(second.not_sent, frozen)) == (1, True)
    assert [browser.recv(PATIENCE) for _ in range(3)] == ["1", "2", "3"]
    frozen.thaw()
    eventually(lambda: client.send_to_all("4", timeout=1) == 2)


async def test_the_asyncio_client_names_a_frozen_gateway_too(cluster: Cluster) -> None:
    """The same with one link for all tasks."""
    _, frozen = cluster.gateways
    async with AsyncGatewayClient(cluster.register.ready.listen, secret_key="") as client:
        assert await client.get_all_client_count() == 0
        frozen.freeze()
        first = await client.send_to_all("m", timeout=1)
        assert _names(first.unknown, frozen)
        second = await client.send_to_all("m", timeout=60)
        assert _names(second.not_sent, frozen)
        frozen.thaw()


def test_pushes_go_on_without_any_register(cluster: Cluster, client: GatewayClient) -> None:
    """Who knows the gateways needs no register; who does not is told what is missing."""
    browser, me = cluster.browser(cluster.gateways[0])
    assert client.bind_uid(me, 42)
    cluster.register.kill()
    assert client.send_to_uid(42, "m") == 1
    assert browser.recv(PATIENCE) == "m"
    with (
        GatewayClient(cluster.register.ready.listen, secret_key="") as fresh,
        pytest.raises(RegisterUnavailable, match=cluster.register.ready.listen),
    ):
        fresh.send_to_uid(42, "m")
