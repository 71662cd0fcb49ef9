"""Links of a client that are cut in the middle of a call: a clear error, then recovery by itself.

The gateway is frozen, so that a call which was written has certainly no answer yet; then this
process's own socket is shut down under the library's feet, as a broken network does it.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from gateway_client import AsyncGatewayClient, GatewayClient, ReplyTimeout
from tests.support.cluster import Browser, browse, gateway, register, split
from tests.support.daemons import Daemon
from tests.support.waiting import eventually


class Cluster(NamedTuple):
    """A register and a gateway with a browser."""

    directory: Daemon
    running: Daemon
    browser: Browser


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Give a running cluster."""
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        running = stack.enter_context(gateway(directory))
        yield Cluster(directory, running, stack.enter_context(browse(running.ready.ws)))


def unread(port: int) -> int:
    """Give the bytes that wait to be read by whoever has this local port."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    mine = (row.split() for row in rows if row.split()[1].endswith(f":{port:04X}"))
    return sum(int(columns[4].partition(":")[2], 16) for columns in mine)


def cut_links_to(address: str) -> int:
    """Shut down every connection of this process to an address; say how many there were."""
    links = [
        each
        for each in psutil.Process().net_connections("tcp")
        if each.raddr and tuple(each.raddr) == split(address)
    ]
    for each in links:
        with socket.socket(fileno=os.dup(each.fd)) as sock:
            sock.shutdown(socket.SHUT_RDWR)
    return len(links)


def cut_while_under_way(running: Daemon) -> None:
    """Wait until a call was written to the frozen gateway, and cut its link."""
    address = running.ready.internal
    eventually(lambda: unread(split(address)[1]) > 0)
    assert cut_links_to(address) == 1


def told(error: ReplyTimeout, running: Daemon) -> bool:
    """Whether an error says who may have executed the call, and that the link was lost."""
    (failure,) = error.unknown
    return failure.address == running.ready.internal and "no answer, so it may" in str(error)


CALLS: list[Callable[[GatewayClient, str], object]] = [
    lambda client, client_id: client.send_to_client(client_id, "x", timeout=15),
    lambda client, _: client.get_all_client_count(timeout=15),
]


@pytest.mark.parametrize("call", CALLS, ids=["send", "query"])
def test_a_blocking_call_whose_link_is_cut_says_so_and_the_next_one_works(
    cluster: Cluster, call: Callable[[GatewayClient, str], object]
) -> None:
    """The error comes at the cut and not at the timeout; the next call dials anew."""
    directory, running, browser = cluster
    with GatewayClient(directory.ready.listen) as client, ThreadPoolExecutor(1) as threads:
        assert client.is_online(browser.client_id)
        running.freeze()
        under_way = threads.submit(call, client, browser.client_id)
        cut_while_under_way(running)
        with pytest.raises(ReplyTimeout) as error:
            under_way.result(timeout=5)
        assert told(error.value, running)
        running.thaw()
        assert client.send_to_client(browser.client_id, "after") == 1
        while browser.text() != "after":
            pass


def test_a_send_to_all_whose_link_is_cut_names_the_gateway(cluster: Cluster) -> None:
    """It was asked, so nothing is raised: who may have executed it stands in `.unknown`."""
    directory, running, browser = cluster
    with GatewayClient(directory.ready.listen) as client, ThreadPoolExecutor(1) as threads:
        assert client.is_online(browser.client_id)
        running.freeze()
        under_way = threads.submit(client.send_to_all, "x", timeout=15)
        cut_while_under_way(running)
        reached = under_way.result(timeout=5)
        assert (reached, reached.not_sent) == (0, ())
        assert [failure.address for failure in reached.unknown] == [running.ready.internal]
        running.thaw()
        assert client.send_to_all("after") == 1


async def test_an_asyncio_call_whose_link_is_cut_says_so_and_the_next_one_works(
    cluster: Cluster,
) -> None:
    """All tasks that share the link are told; the next call dials anew."""
    directory, running, browser = cluster
    async with AsyncGatewayClient(directory.ready.listen, timeout=15) as client:
        assert await client.is_online(browser.client_id)
        running.freeze()
        under_way = [
            asyncio.create_task(client.send_to_client(browser.client_id, "x")) for _ in range(3)
        ]
        await asyncio.to_thread(cut_while_under_way, running)
        async with asyncio.timeout(5):
            results = await asyncio.gather(*under_way, return_exceptions=True)
        for result in results:
            assert isinstance(result, ReplyTimeout)
            assert told(result, running)
        running.thaw()
        assert await client.send_to_client(browser.client_id, "after") == 1
        while await asyncio.to_thread(browser.text) != "after":
            pass


def test_a_link_that_was_cut_while_idle_is_not_noticed(cluster: Cluster) -> None:
    """A dead link is found before a call is written on it: no call fails."""
    directory, running, browser = cluster
    with GatewayClient(directory.ready.listen) as client:
        for number in range(3):
            assert client.send_to_client(browser.client_id, str(number)) == 1
            assert cut_links_to(running.ready.internal) == 1
        assert [browser.text() for _ in range(3)] == ["0", "1", "2"]


def test_the_watch_of_a_register_that_was_cut_is_taken_up_again(cluster: Cluster) -> None:
    """A client whose register link broke still learns of gateways that come later."""
    directory, _, browser = cluster
    with GatewayClient(directory.ready.listen) as client:
        assert client.send_to_client(browser.client_id, "x") == 1
        assert cut_links_to(directory.ready.listen) == 1
        with gateway(directory) as second, browse(second.ready.ws) as late:
            eventually(lambda: client.get_all_client_count() == 2)
            assert client.send_to_client(late.client_id, "y") == 1
            assert late.text() == "y"
