"""Order per sender: whatever is coalesced, and however fast a browser reads.

What one thread or task says on one client object reaches each browser in that order: exactly the
messages that name the browser, each once, whatever mix of client, uid, group and all they were sent to,
and in whatever way.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from random import Random
from typing import Final, NamedTuple

import pytest

from gateway_client import AsyncGatewayClient, GatewayClient
from tests.promises.mixed import (
    GROUPS,
    Errand,
    Member,
    errands,
    meant_for,
    received,
    send_async,
    send_blocking,
)
from tests.support.certificates import certificate
from tests.support.cluster import ANY, gateway, register
from tests.support.crowd import talkers
from tests.support.daemons import Daemon
from tests.support.waiting import eventually
from tests.support.workers import metric

SEED: Final = 20260704
MESSAGES: Final = 600
"""Of each sender."""
ROUNDS: Final = 3
"""Times that browsers stop reading."""
PLAIN: Final = 4
SECURE: Final = 2
"""Browsers at each gateway, without TLS and with it."""
THREADS: Final = ("thread0", "thread1", "thread2", "thread3")
TASKS: Final = ("task0", "task1")
"""The senders."""
END: Final = "the end"


class Cluster(NamedTuple):
    """Two gateways, each with both kinds of listeners."""

    directory: Daemon
    gateways: list[Daemon]
    trusted: ssl.SSLContext


class Senders(NamedTuple):
    """A blocking client that threads share, and an asyncio one that tasks share."""

    blocking: GatewayClient
    aio: AsyncGatewayClient

    async def send(self, messages: Sequence[Sequence[Errand]], seed: int) -> None:
        """Have each sender say its messages, all side by side."""
        async with asyncio.TaskGroup() as tasks:
            for each in messages:
                name = each[0].sender
                chance = Random(f"{SEED} {seed} ways of {name}")
                if name in THREADS:
                    saying = asyncio.to_thread(send_blocking, self.blocking, each, chance)
                else:
                    saying = send_async(self.aio, each, chance)
                tasks.create_task(saying)


@pytest.fixture(scope="module", params=["0", "0.005"], ids=lambda value: f"flush_interval={value}")
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """Run them, with the flush interval of each kind."""
    made = certificate(tmp_path_factory.mktemp("certificate"))
    flags = (
        *("--listen", f"wss://{ANY}", *made.flags),
        *("--flush-interval", request.param, "--ping-interval", "0", "--send-buffer", "64MiB"),
    )
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        gateways = [gateway(directory, *flags) for _ in range(2)]
        for each in gateways:
            stack.push(each)
            each.launch()
        for each in gateways:
            each.become_ready()
        yield Cluster(directory, gateways, made.trusted())


@asynccontextmanager
async def audience(cluster: Cluster, *, narrow: bool) -> AsyncIterator[list[Member]]:
    """Connect browsers to all listeners, and give each a uid that two share, and some groups."""
    chance = Random(SEED)
    async with AsyncExitStack() as stack:
        talking = []
        for door in cluster.gateways:
            plain, secure = door.ready.ws.split(",")
            for url, count, tls in ((plain, PLAIN, None), (secure, SECURE, cluster.trusted)):
                connecting = talkers(url, count, tls=tls, narrow=narrow)
                talking += await stack.enter_async_context(connecting)
        client = await stack.enter_async_context(AsyncGatewayClient(cluster.directory.ready.listen))
        members = []
        for number, talker in enumerate(talking):
            groups = frozenset(chance.sample(GROUPS, chance.randint(0, 4)))
            members.append(Member(talker, f"user {number % (len(talking) // 2)}", groups))
        async with client.pipeline() as pipeline:
            for each in members:
                pipeline.bind_uid(each.talker.client_id, each.uid)
                for group in each.groups:
                    pipeline.join_group(each.talker.client_id, group)
        assert all(pipeline.results)
        yield members


@asynccontextmanager
async def senders(cluster: Cluster) -> AsyncIterator[Senders]:
    """Give clients to send with; in the end nothing of what was not confirmed may have been lost."""
    address = cluster.directory.ready.listen
    with GatewayClient(address) as blocking:
        async with AsyncGatewayClient(address) as aio:
            yield Senders(blocking, aio)
            assert (blocking.lost, aio.lost) == (0, 0)


def planned(members: Sequence[Member], count: int, seed: int) -> list[list[Errand]]:
    """Give what each sender has to say."""
    return [
        errands(name, members, count, Random(f"{SEED} {seed} {name}")) for name in THREADS + TASKS
    ]


async def check(clients: Senders, members: Sequence[Member], said: list[list[Errand]]) -> None:
    """Wait until all has come; every browser must have exactly what names it."""
    for each in members:
        expected = meant_for(each.talker.client_id, *said)
        await each.talker.until_received(sum(map(len, expected.values())))
    assert await clients.aio.send_to_all(END) == len(members)
    for each in members:
        await each.talker.until_text(END)
        del each.talker.received[-1]
        expected = meant_for(each.talker.client_id, *said)
        assert received(each.talker, [*expected]) == expected
        assert each.talker.close_code is None


async def test_each_sender_keeps_its_order_to_every_browser(cluster: Cluster) -> None:
    """Threads and tasks side by side: each browser has what each of them sent it, in order, once."""
    async with audience(cluster, narrow=False) as members, senders(cluster) as clients:
        before = await asyncio.to_thread(written, cluster)
        said = planned(members, MESSAGES, 0)
        await clients.send(said, 0)
        await check(clients, members, said)
        after = await asyncio.to_thread(written, cluster)
    messages, writes = (now - then for now, then in zip(after, before, strict=True))
    assert messages == sum(len(e.named) for each in said for e in each) + len(members)
    assert writes < messages  # or nothing was coalesced, and this tests less than it should


async def test_browsers_that_stop_reading_and_go_on_lose_no_order(cluster: Cluster) -> None:
    """They fill up while they do not read, go on under the stream, and have all of it in order."""
    async with (
        audience(cluster, narrow=False) as others,
        audience(cluster, narrow=True) as moody,
        senders(cluster) as clients,
    ):
        said: list[list[Errand]] = [[] for _ in THREADS + TASKS]
        for number in range(ROUNDS):
            for each in moody:
                each.talker.stop_reading()
            more = planned([*others, *moody], MESSAGES // ROUNDS, number)
            sending = asyncio.create_task(clients.send(more, number))
            await asyncio.to_thread(eventually, lambda: blocked(cluster) == len(moody))
            for each in moody:
                each.talker.read_on()
            await sending
            said = [before + now for before, now in zip(said, more, strict=True)]
        await check(clients, [*others, *moody], said)
        # A gateway hears a little later than its browsers that they have taken everything.
        await asyncio.to_thread(eventually, lambda: blocked(cluster) == 0)


def written(cluster: Cluster) -> tuple[int, int]:
    """Give how many messages were put into outboxes, and in how many writes they left."""
    gateways = cluster.gateways
    messages = sum(metric(each, "deliveries_total") for each in gateways)
    return messages, sum(metric(each, "flushes_total") for each in gateways)


def blocked(cluster: Cluster) -> int:
    """Give the browsers that have not taken what they were sent."""
    return sum(metric(each, "blocked_connections") for each in cluster.gateways)
