"""A worker that hangs: its browsers are not read from, others do not notice, and nothing is lost."""

import asyncio
import os
import signal
from contextlib import ExitStack

from gateway_wire.limits import EVENT_CREDIT
from tests.support.crowd import flood, talkers
from tests.support.daemons import Daemon
from tests.support.waiting import eventually
from tests.support.workers import Events, metric, resident
from tests.workers.talking import answers, running, to_the_end

MIB = 1024 * 1024


async def test_a_frozen_worker_pauses_its_own_browsers_and_loses_nothing() -> None:
    """They wait in their sockets, memory is bounded, and after SIGCONT all is handled in order."""
    with running(gateways=1, workers=["numbers"], processes=2) as run, ExitStack() as stack:
        (door,) = run.gateways
        async with talkers(door.ready.ws, 12) as talking:
            pids = [int((await talker.ask("0")).split()[1]) for talker in talking]
            frozen = pids[0]
            ill = [talker for talker, pid in zip(talking, pids, strict=True) if pid == frozen]
            well = [talker for talker in talking if talker not in ill]
            assert len(ill) == len(well)
            before = resident(door.pid)
            os.kill(frozen, signal.SIGSTOP)
            stack.callback(os.kill, frozen, signal.SIGCONT)
            sent = [await flood(talker, str) for talker in ill]
            assert min(sent) > EVENT_CREDIT
            await asyncio.to_thread(eventually, lambda: paused(door) == len(ill))

            for number in range(1, 200):
                for talker in well:
                    assert (await talker.ask(f"{number}")).startswith(f"{number} ")
            assert [len(talker.received) for talker in ill] == [1] * len(ill)
            assert resident(door.pid) - before < 16 * MIB

            os.kill(frozen, signal.SIGCONT)
            events = len(talking) + sum(sent) + 200 * len(well) + len(ill)
            account = await to_the_end(run, talking, events, Events(0, 0, 0, 0, 0))
            assert account.lost == 0
            for talker, count in zip(ill, sent, strict=True):
                numbers = [answer.number for answer in answers(talker)]
                assert numbers == [0, *range(count)]
                assert {answer.pid for answer in answers(talker)} == {frozen}
            assert await asyncio.to_thread(paused, door) == 0


def paused(door: Daemon) -> int:
    """Give how many browsers a gateway does not read from."""
    return metric(door, "paused_connections")
