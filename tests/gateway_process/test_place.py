"""A place and its processes: crashes, replacements, and both at once."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from gateway_process.errors import ChildError, RunError, StartupError
from gateway_process.inspection import State
from gateway_process.place import START_LIMIT
from gateway_process.signals import Order
from tests.gateway_process.probing import ENVIRONMENT
from tests.gateway_process.supervising import Supervised, children, until
from tests.support.daemons import Daemon
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("probes")


def is_gone(pid: int) -> bool:
    """Whether a process has ended and was seen off."""
    return not psutil.pid_exists(pid)


# Replacing


async def test_replaced_process_ends_after_its_successor_is_ready() -> None:
    """A new process with new settings answers at the same address; the old one has gone."""
    async with Supervised(greeting="one") as running:
        before = await running.status()
        assert await running.replace(greeting="two", cold="x")
        after = await running.status()
        assert after.pid != before.pid
        assert (after.state, after.listening) == (State.READY, before.listening)
        assert (after.restarts, after.last_failure) == (0, "")
        assert children() == {after.pid}
        assert await running.ask("greet") == "two"


async def test_old_process_works_until_the_new_one_is_ready(tmp_path: Path) -> None:
    """While the new one starts, the old one answers and stands in the status."""
    gate = tmp_path / "gate"
    async with Supervised() as running:
        (old,) = children()
        replacing = asyncio.create_task(running.replace(fault=f"hold {gate}"))
        await until(lambda: len(children()) == 2)
        status = await running.status()
        assert (status.state, status.pid) == (State.REPLACING, old)
        assert status.work is not None
        assert await running.ask("pid") == str(old)
        gate.touch()
        assert await replacing
        assert old not in children()


async def test_old_process_may_finish() -> None:
    """The old one has its stop timeout; the new one works and is told of meanwhile."""
    async with Supervised(fault="slow-stop", stop_timeout=20.0) as running:
        (old,) = children()
        replacing = asyncio.create_task(running.replace(fault=""))
        status = await running.until_status(lambda now: now.pid != old)
        assert status.state is State.REPLACING
        assert old in children()
        os.kill(old, signal.SIGKILL)
        assert await replacing
        assert children() == {status.pid}


async def test_old_process_that_does_not_finish_is_killed(caplog: pytest.LogCaptureFixture) -> None:
    """One that takes no order is ended when its time is over, and the log says so."""
    async with Supervised(stop_timeout=0.0) as running:
        old = await running.signal(signal.SIGSTOP)
        assert await running.replace()
        assert is_gone(old)
        assert "probe #0 was replaced; the old process was killed by signal 9" in caplog.text


@pytest.mark.parametrize(
    ("fault", "limit", "why"),
    [
        ("refuse", START_LIMIT, "failed (no register at 127.0.0.1:9; start one)"),
        ("die", START_LIMIT, "ended with exit code 9"),
        ("wait", 1.0, "failed (was not ready within 1 s)"),
    ],
)
async def test_new_process_that_does_not_start_costs_nothing(
    fault: str, limit: float, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The old one goes on; log and status say in full why there is no new one."""
    async with Supervised(start_limit=limit) as running:
        (old,) = children()
        assert not await running.replace(fault=fault)
        status = await running.status()
        assert (status.pid, status.state, status.last_failure) == (old, State.READY, why)
        assert (
            f"probe #0 is not replaced: the new process {why}; the old one goes on" in caplog.text
        )
        assert children() == {old}


async def test_old_process_may_crash_while_it_is_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The new one fills the place then; no third is started."""
    gate = tmp_path / "gate"
    async with Supervised() as running:
        replacing = asyncio.create_task(running.replace(fault=f"hold {gate}"))
        await until(lambda: len(children()) == 2)
        old = await running.signal(signal.SIGKILL)
        await until(lambda: "was killed by signal 9 while it was replaced" in caplog.text)
        assert (await running.status()).state is State.CRASHED
        gate.touch()
        assert await replacing
        status = await running.status()
        assert status.state is State.READY
        assert children() == {status.pid} != {old}


async def test_crash_of_both_is_a_crash(caplog: pytest.LogCaptureFixture) -> None:
    """When the old one crashed and the new one does not start, another is started."""
    async with Supervised() as running:
        replacing = asyncio.create_task(running.replace(fault="wait"))
        await until(lambda: len(children()) == 2)
        old = await running.signal(signal.SIGKILL)
        (new,) = children() - {old}
        await until(lambda: "while it was replaced" in caplog.text)
        running.children[0].settings = running.settings
        os.kill(new, signal.SIGKILL)
        assert not await replacing
        await until(lambda: caplog.text.count("is ready") == 2)
        assert (await running.status()).restarts == 1


async def test_new_process_may_crash_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """A crash after the replacement is one as ever: the place is filled again."""
    async with Supervised() as running:
        assert await running.replace()
        await running.signal(signal.SIGKILL)
        await until(lambda: caplog.text.count("is ready") == 3)
        status = await running.status()
        assert (status.state, status.restarts) == (State.READY, 1)


async def test_new_process_may_crash_while_the_old_one_finishes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The place does not wait for the old one before it is filled again."""
    async with Supervised(fault="slow-stop", stop_timeout=20.0) as running:
        (old,) = children()
        replacing = asyncio.create_task(running.replace(fault="", stop_timeout=25.0))
        await running.until_status(lambda now: now.pid != old)
        await running.signal(signal.SIGKILL)
        await until(lambda: caplog.text.count("is ready") == 3)
        assert old in children()
        os.kill(old, signal.SIGKILL)
        assert await replacing


async def test_reload_fills_a_crashed_place_at_once() -> None:
    """With the settings mended, nobody waits for the end of the pause."""
    async with Supervised() as running:
        running.children[0].settings = running.settings
        await running.ask("crash")
        await running.until_status(lambda now: now.state is State.CRASHED)
        assert await running.replace(greeting="mended")
        assert await running.ask("greet") == "mended"


async def test_reload_puts_an_end_to_a_start_that_waits(caplog: pytest.LogCaptureFixture) -> None:
    """A place that is filled again for ever is filled by the next process, once settings are right."""
    async with Supervised() as running:
        running.children[0].settings = replace(running.settings, fault="wait")
        await running.signal(signal.SIGKILL)
        await running.until_status(lambda now: now.state is State.CRASHED and not now.pid)
        stuck = await running.until_status(lambda now: bool(now.pid))
        assert await running.replace()
        assert children() == {(await running.status()).pid} != {stuck.pid}
        assert "is not replaced" not in caplog.text


async def test_reload_of_an_empty_place_that_fails_is_told() -> None:
    """The place goes on being filled, and the reload is over."""
    async with Supervised(start_limit=1.0) as running:
        await running.signal(signal.SIGKILL)
        await running.until_status(lambda now: now.state is State.CRASHED and not now.pid)
        assert not await running.replace(fault="wait")
        assert (await running.status()).last_failure


async def test_replacements_leave_nothing_behind() -> None:
    """Channels of processes that were replaced are closed, also of those that never worked."""
    async with Supervised() as running:
        assert await running.replace()
        before = psutil.Process().num_fds()
        for fault in ("", "refuse", ""):
            await running.replace(fault=fault)
        assert psutil.Process().num_fds() == before


# Ending


@pytest.mark.parametrize("order", [Order.STOP, Order.DRAIN])
async def test_end_during_a_replacement_ends_both(order: Order) -> None:
    """The one that starts and the one that works both end, cleanly."""
    async with Supervised() as running:
        replacing = asyncio.create_task(running.replace(fault="wait"))
        await until(lambda: len(children()) == 2)
        running.supervisor.order(order)
        await running.end
        assert not await replacing
        assert children() == set()


async def test_end_while_the_old_one_finishes_waits_for_both() -> None:
    """A stop after the new one took over counts the old one in: it did not stop cleanly."""
    async with Supervised(fault="slow-stop", stop_timeout=3.0) as running:
        (old,) = children()
        replacing = asyncio.create_task(running.replace(fault=""))
        await running.until_status(lambda now: now.pid != old)
        running.supervisor.order(Order.STOP)
        with pytest.raises(RunError, match="stop took longer than stop_timeout"):
            await running.end
        assert not await replacing
        assert children() == set()


async def test_replacement_after_the_end_is_none() -> None:
    """A place that ends takes no new process."""
    async with Supervised() as running:
        running.supervisor.order(Order.STOP)
        assert not await running.replace()
        await running.end


async def test_stop_during_the_start_is_clean() -> None:
    """A stop before the first process was ready ends it, with no error."""
    running = Supervised(fault="wait")
    await until(children)
    assert (await running.status()).state is State.STARTING
    running.supervisor.order(Order.STOP)
    assert (await running.status()).state is State.STOPPING
    await running.end
    assert children() == set()


async def test_stop_before_anything_ran_is_clean() -> None:
    """A stop that comes first starts nothing, or ends what it started."""
    running = Supervised()
    running.supervisor.order(Order.STOP)
    await running.end
    assert children() == set()


@pytest.mark.parametrize(
    ("fault", "error"), [("refuse", ChildError), ("die", StartupError), ("bug", ChildError)]
)
async def test_first_process_that_fails_ends_the_place(fault: str, error: type[Exception]) -> None:
    """What never worked is not kept."""
    async with Supervised(fault=fault) as running:
        with pytest.raises(error):
            await running.end
        assert not await running.replace()


# Mendable


@pytest.mark.parametrize("fault", ["refuse", "die"])
async def test_mendable_place_waits_for_what_works(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A first process that fails is told and ends nothing; a replacement fills the place."""
    async with Supervised(mendable=True, fault=fault) as running:
        assert not running.end.done()
        status = await running.status()
        assert (status.state, status.pid, status.restarts) == (State.CRASHED, 0, 0)
        assert f"probe #0 {status.last_failure}; it is started again when that is mended" in (
            caplog.text
        )
        assert not await running.replace(fault=fault)
        assert await running.replace(fault="")
        assert await running.ask("greet") == "hello"


async def test_mendable_place_that_waits_can_be_ended() -> None:
    """A stop is clean although nothing ever worked."""
    async with Supervised(mendable=True, fault="refuse") as running:
        running.supervisor.order(Order.STOP)
        await running.end
        assert running.children[0].is_ending


async def test_mendable_place_is_filled_after_a_crash_once_it_can_be() -> None:
    """A crash is followed by another start; one that fails then waits too."""
    async with Supervised(mendable=True) as running:
        running.children[0].settings = replace(running.settings, fault="refuse")
        await running.signal(signal.SIGKILL)
        await running.until_status(lambda now: "no register" in now.last_failure)
        assert await running.replace(fault="")
        assert (await running.status()).restarts == 1


async def test_replacements_asked_for_at_once_follow_each_other() -> None:
    """A reload and a change of a file may come together; both are carried out."""
    async with Supervised() as running:
        (first,) = children()
        child = running.children[0]
        await asyncio.gather(child.replace(), child.replace())
        assert first not in children()
        assert len(children()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="stuck children die with it on Linux only")
def test_killed_supervisor_takes_both_along() -> None:
    """Also in the middle of a replacement nobody outlives a supervisor that is killed."""
    with Daemon("replacing", environment=ENVIRONMENT) as daemon:
        daemon.send_signal(signal.SIGHUP)
        daemon.line(starting_with="waiting")
        left = psutil.Process(daemon.pid).children()
        assert len(left) == 2
        left[0].suspend()
        daemon.send_signal(signal.SIGKILL)
        assert daemon.wait() == -signal.SIGKILL
        _, alive = psutil.wait_procs(left, timeout=10)
        assert alive == []


def test_second_stop_signal_kills_both() -> None:
    """A stop that is cut short leaves neither of the two."""
    with Daemon("replacing", environment=ENVIRONMENT) as daemon:
        daemon.send_signal(signal.SIGHUP)
        daemon.line(starting_with="waiting")
        left = psutil.Process(daemon.pid).children()
        for each in left:
            each.suspend()
        daemon.send_signal(signal.SIGTERM)
        daemon.send_signal(signal.SIGINT)
        daemon.wait()
        eventually(lambda: not any(each.is_running() for each in left))


# Crashing


async def test_crashes_are_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    """The log says how long it waits; the next process is told how often it came to that."""
    async with Supervised() as running:
        assert await running.ask("crash") == ""
        status = await running.until_status(lambda now: now.state is State.CRASHED and not now.pid)
        assert status.last_failure == "ended with exit code 7"
        assert "probe #0 ended with exit code 7; starting it again in 0.5 s" in caplog.text
        await until(lambda: caplog.text.count("is ready") == 2)
        status = await running.status()
        assert (status.restarts, status.last_failure) == (1, "ended with exit code 7")
        assert status.work is not None
        assert status.work.messages_in == 1  # a probe tells its `Context.restarts` so
