"""One process of a supervisor: what is asked of it while it works, freezes and ends."""

import asyncio
import os
import signal
from dataclasses import replace

import psutil
import pytest

from gateway_process.inspection import ConnectionQuery, Work
from gateway_process.process import ChildProcess, Start
from gateway_process.signals import Order
from tests.gateway_process.roles.probe.role import ProbeSettings, sockets_of

pytestmark = pytest.mark.usefixtures("probes")


async def launched(**settings: object) -> ChildProcess:
    """Start a probe."""
    probe = ProbeSettings(**settings)  # type: ignore[arg-type]
    (sockets,) = sockets_of(probe)
    start = Start(package="probe", settings=probe, sockets=sockets, number=3, restarts=2)
    process = await ChildProcess.launch(start, lambda _: None)
    for sock in sockets["probe"]:
        sock.close()
    return process


async def test_it_is_started_asked_and_stopped() -> None:
    """From start to end it says what it was given, and its end is clean."""
    process = await launched()
    await process.settled.wait()
    assert process.is_ready
    assert process.addresses["number"] == "3"
    assert await process.work() == Work(messages_in=2)
    page = await process.connections(ConnectionQuery())
    assert page is not None
    assert page.rows == []
    process.order(Order.STOP)
    assert await process.end == 0
    assert process.ended_well
    assert not process.is_ready


async def test_one_that_has_ended_takes_nothing() -> None:
    """Orders, questions and a kill come too late without harm."""
    process = await launched(fault="die")
    assert await process.end == 9
    process.order(Order.STOP)
    process.hand_over(process.start.settings)
    assert await process.reload(process.start.settings) == "it ended with exit code 9"
    process.kill()
    assert await process.work() is None
    assert await process.connections(ConnectionQuery()) is None
    assert process.settled.is_set()
    assert not process.ended_well
    assert process.how_it_ended == "ended with exit code 9"


async def test_one_that_ends_while_it_is_asked_does_not_answer() -> None:
    """Who waits for an answer is told at once that there is none."""
    process = await launched()
    await process.settled.wait()
    os.kill(process.pid, signal.SIGSTOP)
    asked = [asyncio.create_task(process.work()) for _ in range(3)]
    await asyncio.sleep(0)
    process.kill()
    assert await asyncio.gather(*asked) == [None] * 3
    assert await process.end == -signal.SIGKILL
    assert process.how_it_ended == "was killed by signal 9"


async def test_a_reload_is_answered_when_it_is_done() -> None:
    """Empty if the role took the settings over, else with its reason; a process that ends says how."""
    process = await launched()
    await process.settled.wait()
    settings = ProbeSettings()
    assert await process.reload(replace(settings, greeting="two")) == ""
    assert await process.reload(replace(settings, greeting="bad")) == "greeting: bad; give another"
    os.kill(process.pid, signal.SIGSTOP)
    reload = asyncio.create_task(process.reload(settings))
    await asyncio.sleep(0)
    process.kill()
    assert await reload == "it was killed by signal 9"


async def test_failure_is_told_in_its_own_words() -> None:
    """Why it did not start comes from the process itself."""
    process = await launched(fault="refuse")
    await process.settled.wait()
    assert not process.is_ready
    assert process.failure == "no register at 127.0.0.1:9; start one"


async def test_process_that_cannot_be_started_leaves_nothing_open() -> None:
    """What was opened for it is closed again."""
    start = Start(package="a\0b", settings=ProbeSettings(), sockets={}, number=0, restarts=0)
    before = psutil.Process().num_fds()
    with pytest.raises(ValueError, match="null byte"):
        await ChildProcess.launch(start, lambda _: None)
    assert psutil.Process().num_fds() == before
