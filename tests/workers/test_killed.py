"""Workers that are killed under load: no browser is dropped, and every event is accounted for."""

import asyncio
import os
import signal
from collections.abc import Callable
from itertools import pairwise

import pytest

from gateway_wire.limits import EVENT_CREDIT
from tests.support.crowd import Talker, talkers
from tests.support.waiting import eventually
from tests.support.workers import metric, settled_events
from tests.workers.talking import Running, answers, numbered, running, to_the_end

BROWSERS = 10
"""At each of two gateways."""
MESSAGES = 1_000
"""From each of them, as fast as the gateway reads."""
BEFORE = 200
"""Answers that the first browser has got when its worker is killed."""


def kill_process(run: Running, talker: Talker) -> None:
    """Kill the one process that serves a browser; its supervisor starts another."""
    os.kill(answers(talker)[-1].pid, signal.SIGKILL)


def kill_instance(run: Running, talker: Talker) -> None:
    """Kill a whole instance, with its supervisor."""
    run.workers[0].kill()


LOST = 'events_lost_total{reason="worker_lost"}'


@pytest.mark.parametrize("target", ["numbers", "numbers:Blocking"])
@pytest.mark.parametrize(("kill", "left"), [(kill_process, 4), (kill_instance, 2)])
async def test_a_worker_killed_under_load_costs_what_it_had_in_hand(
    kill: Callable[[Running, Talker], None], left: int, target: str
) -> None:
    """Order is kept, nothing is handled twice, and events are acknowledged or counted as lost."""
    with running(gateways=2, workers=[target] * 2, processes=2) as run:
        one, two = run.gateways
        async with (
            talkers(one.ready.ws, BROWSERS) as here,
            talkers(two.ready.ws, BROWSERS) as there,
        ):
            talking = [*here, *there]
            before = await asyncio.to_thread(settled_events, *run.gateways)
            for talker in talking:
                talker.send_all(numbered(MESSAGES))
            await here[0].until_received(BEFORE)
            kill(run, here[0])
            sent = len(talking) * MESSAGES
            account = await to_the_end(run, talking, sent, before)
        assert account.acknowledged + account.lost == sent
        assert 0 < account.lost <= EVENT_CREDIT * len(talking)
        assert sum(metric(each, LOST) for each in run.gateways) == account.lost
        answered = 0
        for talker in talking:
            numbers = [answer.number for answer in answers(talker)]
            assert all(first < second for first, second in pairwise(numbers))
            answered += len(numbers)
        # What a killed worker has said and not acknowledged is answered and counted as lost.
        assert account.acknowledged <= answered <= sent
        await asyncio.to_thread(eventually, lambda: metric(one, "workers") == left)
