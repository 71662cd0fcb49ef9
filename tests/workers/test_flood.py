"""A browser that floods a slow handler: it alone waits."""

import asyncio
import time
from statistics import quantiles

import pytest

from gateway_wire.limits import EVENT_CREDIT
from tests.support.cluster import children
from tests.support.crowd import Talker, flood, talkers
from tests.support.waiting import eventually
from tests.support.workers import events_of, metric, resident
from tests.workers.talking import running

pytestmark = pytest.mark.serial

MIB = 1024 * 1024
ROUNDS = 300
TOLERATED = 0.25
"""Seconds of a round trip that are nothing on a busy machine; a flooded browser would wait for ever."""


async def slowest(talker: Talker) -> float:
    """Do round trips one after another; give the time of the slowest but the worst of a hundred."""
    times = []
    for number in range(ROUNDS):
        begin = time.perf_counter()
        assert await talker.ask(str(number)) == str(number)
        times.append(time.perf_counter() - begin)
    return quantiles(times, n=100)[-1]


async def keep_flooding(talker: Talker) -> None:
    """Send whenever the socket takes it, until cancelled."""
    while True:
        await flood(talker, lambda _: "slow")
        await talker.until(lambda: not talker.is_stuck)


@pytest.mark.parametrize("target", ["slow", "slow:Blocking"])
async def test_a_flood_against_a_slow_handler_holds_up_the_flooder_alone(target: str) -> None:
    """It is not read from, others keep their round trips, and memory stays bounded."""
    with running(gateways=1, workers=[target], processes=1) as run:
        (door,), (instance,) = run.gateways, run.workers
        (process,) = children(instance)
        async with talkers(door.ready.ws, 2) as (flooder, other):
            alone = await slowest(other)
            before = resident(door.pid), resident(process.pid)
            flooding = asyncio.create_task(keep_flooding(flooder))
            await asyncio.to_thread(eventually, lambda: metric(door, "paused_connections") == 1)
            beside = await slowest(other)
            assert beside < max(10 * alone, TOLERATED)
            flooding.cancel()
            account = await asyncio.to_thread(events_of, door)
            assert account.unacknowledged <= EVENT_CREDIT
            assert account.held * 4_000 < MIB  # what one read of its socket had brought
            grown = [resident(door.pid) - before[0], resident(process.pid) - before[1]]
            assert max(grown) < 16 * MIB
