"""Reloads under load: workers are replaced, and no browser and no event notices."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.support.cluster import children
from tests.support.crowd import Talker, talkers
from tests.support.daemons import run as command
from tests.support.waiting import eventually
from tests.support.workers import metric, settled_events
from tests.workers.talking import Running, answers, running, to_the_end

pytestmark = [pytest.mark.serial, pytest.mark.timeout(240)]

RELOADS = 5
BROWSERS = 20
"""At each of two gateways."""
INTERVAL = 0.02
"""Seconds between two messages of a browser: 2,000 a second from all."""


async def keep_talking(talking: Sequence[Talker], reloads: "asyncio.Future[None]") -> int:
    """Send a message from each browser at every beat until the reloads are done; give how many each."""
    loop = asyncio.get_running_loop()
    begin, sent = loop.time(), 0
    while not reloads.done():
        for number, talker in enumerate(talking):
            talker.send(f"{sent} wait" if number % 2 else f"{sent}")
        sent += 1
        await asyncio.sleep(begin + sent * INTERVAL - loop.time())  # the pace is the test
    return sent


def reload_often(run: Running) -> None:
    """Reload both instances, each time until every process is another one and serves every gateway."""
    for _ in range(RELOADS):
        before = pids(run)
        for each in run.workers:
            code, _, stderr = command("businessworker", "reload", f"--run-dir={each.run_dir}")
            assert code == 0, stderr
        eventually(lambda: len(pids(run)) == len(before) and not pids(run) & before)  # noqa: B023
        for door in run.gateways:
            eventually(lambda: metric(door, "workers") == len(before))  # noqa: B023


def pids(run: Running) -> set[int]:
    """Give the processes of the workers."""
    return {child.pid for each in run.workers for child in children(each)}


async def test_five_reloads_under_2000_messages_a_second_lose_and_double_nothing() -> None:
    """Every message is answered once and in order, sessions go along, nobody is closed."""
    with running(gateways=2, workers=["numbers", "numbers:Blocking"], processes=1) as run:
        one, two = run.gateways
        async with (
            talkers(one.ready.ws, BROWSERS) as here,
            talkers(two.ready.ws, BROWSERS) as there,
        ):
            talking = [*here, *there]
            before = await asyncio.to_thread(settled_events, *run.gateways)
            reloads = asyncio.ensure_future(asyncio.to_thread(reload_often, run))
            sent = await keep_talking(talking, reloads)
            await reloads
            account = await to_the_end(run, talking, sent * len(talking), before)
        assert account.lost == 0
        for talker in talking:
            numbers = [(answer.number, answer.seen) for answer in answers(talker)]
            assert numbers == [(number, number) for number in range(sent)]
            assert len({answer.pid for answer in answers(talker)}) > RELOADS / 2
