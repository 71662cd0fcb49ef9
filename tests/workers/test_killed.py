"""Workers that are killed or stopped under load: no browser is dropped, every event is accounted for."""

import asyncio
import os
import signal
from collections.abc import Callable
from itertools import pairwise
from typing import Final

import pytest

from gateway_wire.limits import EVENT_CREDIT
from tests.support.crowd import talkers
from tests.support.waiting import eventually
from tests.support.workers import Events, metric, settled_events
from tests.workers.talking import Answer, Running, answers, numbered, running, to_the_end

BROWSERS: Final = 10
"""At each of two gateways."""
MESSAGES: Final = 1_000
"""From each of them, as fast as the gateway reads."""
SENT: Final = 2 * BROWSERS * MESSAGES
BEFORE: Final = 200
"""Answers that the first browser has got when its worker is ended."""
LOST: Final = 'events_lost_total{reason="worker_lost"}'
KINDS: Final = ["numbers", "numbers:Blocking"]

Act = Callable[[Running, int], None]
"""Does something to the workers; is given the process that serves the first browser."""


async def under_load(run: Running, act: Act) -> tuple[Events, list[list[Answer]]]:
    """Have browsers talk, act in the middle; give the gateways' account, and each browser's answers."""
    one, two = run.gateways
    async with talkers(one.ready.ws, BROWSERS) as here, talkers(two.ready.ws, BROWSERS) as there:
        talking = [*here, *there]
        before = await asyncio.to_thread(settled_events, *run.gateways)
        for talker in talking:
            talker.send_all(numbered(MESSAGES))
        await here[0].until_received(BEFORE)
        await asyncio.to_thread(act, run, answers(here[0])[-1].pid)
        account = await to_the_end(run, talking, SENT, before)
    return account, [answers(talker) for talker in talking]


def kill_process(_: Running, pid: int) -> None:
    """Kill one process; its supervisor starts another."""
    os.kill(pid, signal.SIGKILL)


def kill_instance(run: Running, _: int) -> None:
    """Kill a whole instance, with its supervisor."""
    run.workers[0].kill()


def stop_instance(run: Running, _: int) -> None:
    """Stop an instance as one should."""
    run.workers[0].stop()


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize(("kill", "left"), [(kill_process, 4), (kill_instance, 2)])
async def test_a_worker_killed_under_load_costs_what_it_had_in_hand(
    kill: Act, left: int, target: str
) -> None:
    """Order is kept, nothing is handled twice, and events are acknowledged or counted as lost."""
    with running(gateways=2, workers=[target] * 2, processes=2) as run:
        account, answered = await under_load(run, kill)
        assert account.acknowledged + account.lost == SENT
        assert 0 < account.lost <= EVENT_CREDIT * len(answered)
        assert sum(metric(each, LOST) for each in run.gateways) == account.lost
        for each in answered:
            assert all(first.number < second.number for first, second in pairwise(each))
        # What a killed worker has said and not acknowledged is answered and counted as lost.
        assert account.acknowledged <= sum(map(len, answered)) <= SENT
        await asyncio.to_thread(eventually, lambda: metric(run.gateways[0], "workers") == left)


@pytest.mark.parametrize("target", KINDS)
async def test_a_worker_stopped_under_load_costs_nothing(target: str) -> None:
    """It finishes what it has, the others take over its browsers and their sessions."""
    with running(gateways=2, workers=[target] * 2, processes=2) as run:
        account, answered = await under_load(run, stop_instance)
        assert account.lost == 0
        for each in answered:
            numbers = [(answer.number, answer.seen) for answer in each]
            assert numbers == [(number, number) for number in range(MESSAGES)]
