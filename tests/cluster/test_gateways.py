"""Gateways that die or freeze under traffic: real processes, SIGKILL and SIGSTOP."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread
from typing import NamedTuple

import pytest

from gateway_client import GatewayClient, GatewayUnavailable, PartialResult, ReplyTimeout
from tests.support.cluster import Browser, browse, gateway, nodes, register
from tests.support.daemons import Daemon
from tests.support.waiting import eventually

TIMEOUT = 2.0
"""Seconds of a call here: what the one caller pays who finds a gateway frozen."""
AT_ONCE = 1.5
"""Seconds within which a call that does not wait for anybody returns on a busy machine."""
FORGOTTEN = 10.0
"""Seconds after which a gateway that went without a word is gone from the directory."""


class Cluster(NamedTuple):
    """A register, two gateways with a browser each, and a client that has used both."""

    directory: Daemon
    well: Daemon
    ill: Daemon
    here: Browser
    there: Browser
    client: GatewayClient


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Give a running cluster; `ill` is the gateway to harm, `there` its browser."""
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        well, ill = (stack.enter_context(gateway(directory)) for _ in range(2))
        here, there = (stack.enter_context(browse(each.ready.ws)) for each in (well, ill))
        client = stack.enter_context(GatewayClient(directory.ready.listen, timeout=TIMEOUT))
        assert client.send_to_all("hello") == 2
        assert (here.text(), there.text()) == ("hello", "hello")
        yield Cluster(directory, well, ill, here, there, client)


def elapsed(since: float) -> float:
    """Give the seconds since then."""
    return time.monotonic() - since


def test_a_killed_gateway_costs_the_others_nothing(cluster: Cluster) -> None:
    """The others get every message; the dead one is named or forgotten, never waited for."""
    directory, _, ill, here, there, client = cluster
    ill.kill()
    since = time.monotonic()
    reached = client.send_to_all("after the kill")
    assert elapsed(since) < TIMEOUT
    assert reached == 1
    named = {failure.address for failure in (*reached.not_sent, *reached.unknown)}
    assert named <= {ill.ready.internal}
    assert here.text() == "after the kill"

    eventually(lambda: nodes(directory) == [here.client_id[:12]], timeout=FORGOTTEN)
    eventually(lambda: client.send_to_all("and then").is_complete)
    assert client.is_online(here.client_id)
    assert not client.is_online(there.client_id)
    assert client.send_to_client(there.client_id, "nobody") == 0
    assert client.get_all_client_id_list() == [here.client_id]


def test_a_gateway_killed_under_a_stream_of_sends_is_named(cluster: Cluster) -> None:
    """Each send says honestly whom it reached; those to the living arrive in order, all of them."""
    *_, ill, here, _, client = cluster
    told = []
    for number in range(200):
        if number == 100:
            ill.kill()
        told.append(client.send_to_all(str(number)))
    assert [int(reached) for reached in told[:100]] == [2] * 100
    assert {int(reached) for reached in told[100:]} == {1}
    assert [here.text() for _ in range(200)] == [str(number) for number in range(200)]
    for failure in (f for reached in told for f in (*reached.not_sent, *reached.unknown)):
        assert failure.address == ill.ready.internal
        assert failure.reason


def test_calls_for_a_client_of_a_killed_gateway_say_so_until_it_is_forgotten(
    cluster: Cluster,
) -> None:
    """Offline is told only once the directory knows; before, the error names the gateway."""
    *_, ill, _, there, client = cluster
    ill.kill()

    def offline() -> bool:
        try:
            return client.send_to_client(there.client_id, "x") == 0
        except (GatewayUnavailable, ReplyTimeout) as error:
            assert ill.ready.internal in str(error)  # noqa: PT017
            return False

    eventually(offline, timeout=FORGOTTEN)


def test_a_frozen_gateway_costs_one_caller_its_timeout(cluster: Cluster) -> None:
    """One call pays; later ones do not wait, and pushes to the others arrive at once throughout."""
    *_, ill, here, _, client = cluster
    ill.freeze()
    since = time.monotonic()
    reached = client.send_to_all("first")
    assert TIMEOUT * 0.9 < elapsed(since) < TIMEOUT + AT_ONCE
    assert reached == 1
    assert [failure.address for failure in reached.unknown] == [ill.ready.internal]
    assert here.text() == "first"

    since = time.monotonic()
    for number in range(20):
        reached = client.send_to_all(str(number))
        assert reached == 1
        assert [failure.address for failure in reached.not_sent] == [ill.ready.internal]
        assert here.text() == str(number)
    assert elapsed(since) < AT_ONCE
    ill.thaw()


def test_others_get_a_push_before_the_frozen_one_times_out(cluster: Cluster) -> None:
    """While the one caller still waits, the message is there already."""
    *_, ill, here, _, client = cluster
    ill.freeze()
    since = time.monotonic()
    arrived: list[float] = []

    def listen() -> None:
        assert here.text() == "x"
        arrived.append(elapsed(since))

    listener = Thread(target=listen)
    listener.start()
    client.send_to_all("x", timeout=5)
    listener.join()
    assert arrived[0] < AT_ONCE
    ill.thaw()


def test_a_frozen_gateway_comes_back(cluster: Cluster) -> None:
    """Thawed before it was forgotten it is used again by itself, and its browser never left."""
    directory, _, ill, here, there, client = cluster
    ill.freeze()
    assert client.send_to_all("lost or late") == 1
    ill.thaw()
    eventually(lambda: client.send_to_all("back") == 2)
    assert sorted(nodes(directory)) == sorted([here.client_id[:12], there.client_id[:12]])
    received = [there.text()]
    while received[-1] != "back":
        received.append(there.text())
    assert received in (["back"], ["lost or late", "back"])


def test_the_directory_forgets_a_frozen_gateway_and_takes_it_back(cluster: Cluster) -> None:
    """Silent for 10 s it is gone, and its client offline; when it goes on it is listed again."""
    directory, _, ill, here, there, client = cluster
    ill.freeze()
    since = time.monotonic()
    client.send_to_all("x")
    eventually(lambda: nodes(directory) == [here.client_id[:12]])
    assert elapsed(since) < FORGOTTEN
    ill.thaw()
    eventually(lambda: len(nodes(directory)) == 2)
    eventually(lambda: client.send_to_client(there.client_id, "welcome back") == 1)
    received = there.text()
    while received != "welcome back":
        received = there.text()


def test_queries_tell_what_the_others_said(cluster: Cluster) -> None:
    """A count while one gateway is frozen: PartialResult, with the value of those who answered."""
    *_, ill, _, _, client = cluster
    ill.freeze()
    with pytest.raises(PartialResult) as partial:
        client.get_all_client_count()
    assert partial.value.value == 1
    missing = (*partial.value.not_sent, *partial.value.unknown)
    assert [failure.address for failure in missing] == [ill.ready.internal]
    assert client.get_all_client_count(partial="return") == 1
    ill.thaw()
