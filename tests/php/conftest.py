"""A cluster with a secret key that PHP programs and Python programs use at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count, cycle
from typing import Any, Final

import pytest

from gateway_client import GatewayClient
from tests.php.programs import PhpClient
from tests.support import cluster as processes
from tests.support.daemons import Daemon
from tests.support.waiting import eventually

KEY: Final = "a secret key of the tests"


class Page(processes.Browser):
    """A browser at one of the gateways."""

    _markers = count()

    def received(self, ours: GatewayClient) -> list[str | bytes]:
        """Give every message that came so far: those before a marker that is sent now."""
        marker = f"marker {next(self._markers)}"
        assert ours.send_to_client(self.client_id, marker) == 1
        return list(iter(self.text, marker))


Open = Callable[[], Page]


class Cluster:
    """A register and two gateways, with a client of each language.

    Attributes:
        register: The register.
        gateways: The gateways.
        ours: Our own client.
        php: PHP's.
    """

    def __init__(self, register: Daemon, gateways: list[Daemon], stack: ExitStack) -> None:
        self.register = register
        self.gateways = gateways
        address = register.ready.listen
        self.ours = stack.enter_context(GatewayClient(address, secret_key=KEY))
        self.php = stack.enter_context(PhpClient(address, KEY))


def start(daemon: Daemon, stack: ExitStack) -> Daemon:
    """Start a daemon that has the key."""
    daemon.environment["GATEWAYWORKER_SECRET_KEY"] = KEY
    return stack.enter_context(daemon)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster that lives as long as the session; it is empty when a test begins."""
    with ExitStack() as stack:
        register = start(processes.register(), stack)
        flags = ("--php-start-port", "0")
        gateways = [start(processes.gateway(register, *flags), stack) for _ in range(2)]
        yield Cluster(register, gateways, stack)


@pytest.fixture
def ours(cluster: Cluster) -> GatewayClient:
    """Our own client."""
    return cluster.ours


@pytest.fixture
def php(cluster: Cluster) -> PhpClient:
    """PHP's client."""
    return cluster.php


@pytest.fixture
def open_page(cluster: Cluster) -> Iterator[Open]:
    """Opens browsers, at both gateways in turn, until the test ends."""
    urls = cycle(each.ready.ws for each in cluster.gateways)
    with ExitStack() as stack:
        yield lambda: Page(*stack.enter_context(processes.browse(next(urls))))
    eventually(lambda: cluster.ours.get_all_client_count() == 0)


@pytest.fixture
def people(php: PhpClient, ours: GatewayClient, open_page: Open) -> dict[str, Page]:
    """Ann twice, 1001 and Bob, and two without a name; half of it said in PHP, half in Python.

    Ann, her phone and 1001 are in "red"; 1001, Bob and somebody without a name in 77; one is in no group.
    """
    people = {name: open_page() for name in ("ann", "phone", "1001", "bob", "guest", "loner")}
    ids = {name: page.client_id for name, page in people.items()}
    php("bindUid", ids["ann"], "ann")
    ours.bind_uid(ids["phone"], "ann")
    php("bindUid", ids["1001"], 1001)
    ours.bind_uid(ids["bob"], "bob")
    for name in ("ann", "1001"):
        php("joinGroup", ids[name], "red")
    ours.join_group(ids["phone"], "red")
    for name in ("1001", "guest"):
        ours.join_group(ids[name], 77)
    php("joinGroup", ids["bob"], 77)
    return people


def keyed(names: Any) -> dict[Any, Any]:
    """Give PHP's lists of names, in which each is its own key; keys are numbers where they can be."""
    return {int(name) if name.isdigit() else name: name for name in names}
