"""The time limit of application code: what is ended, what is left alone, what it leaves behind."""

import asyncio
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.entry import limit as limit_module
from gateway.entry.limit import (
    LIMIT,
    Limited,
    TimeLimit,
    TookTooLong,
    Watch,
    interruptible,
    limit_tasks,
    time_limit,
)
from gateway.outbox import Outbox
from tests.gateway.support import turns_until

# The other method of pytest-timeout is the same signal.
pytestmark = pytest.mark.timeout(60, method="thread")

LONG = 30.0
"""Seconds that nothing in these tests ever waits for."""


@pytest.fixture
def limit() -> Iterator[TimeLimit]:
    """Give a limit that is stopped afterwards."""
    made = TimeLimit()
    yield made
    made.stop()


def ended(limit: TimeLimit, function: Callable[[], object]) -> float:
    """Give the seconds after which a call was ended."""
    before = time.monotonic()
    with pytest.raises(TookTooLong):
        limit.run(function)
    return time.monotonic() - before


def spin() -> None:
    """Go in a circle for ever."""
    while True:
        pass


def read() -> None:
    """Read from a socket to which nobody writes."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.recv(1)


def wait_for_thread() -> None:
    """Wait for a lock that nobody releases."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


@pytest.mark.parametrize("function", [spin, read, wait_for_thread, lambda: time.sleep(LONG)])
def test_what_keeps_the_loop_is_ended(limit: TimeLimit, function: Callable[[], None]) -> None:
    """Work without end, and waits of every kind."""
    assert LIMIT <= ended(limit, function) < LONG / 2


def test_except_exception_does_not_swallow_it(limit: TimeLimit) -> None:
    """It is no `Exception`."""

    def stubborn() -> None:
        while True:
            try:
                time.sleep(LONG)
            except Exception:  # noqa: BLE001 - what many write
                continue

    ended(limit, stubborn)


def test_a_bare_except_swallows_it_for_a_while_only(limit: TimeLimit) -> None:
    """It is raised again and again, soon outside what swallows it."""

    def more_stubborn() -> None:
        while True:
            try:
                time.sleep(LONG)
            except:  # noqa: E722 - what some write
                continue

    ended(limit, more_stubborn)


def test_what_sends_in_a_circle_is_ended_between_two_calls_of_ours(limit: TimeLimit) -> None:
    """Nearly all of its time passes in code of ours, which is not left half-way."""
    outbox = Outbox(1000, 1000, on_dirty=lambda: None, cut=lambda _: None)
    begun = finished = 0

    def flood() -> None:
        nonlocal begun, finished
        while True:
            begun += 1
            for _ in range(50):
                outbox.offer((), "x")
            finished += 1

    ended(limit, flood)
    assert finished
    assert begun <= finished + 1


def test_only_application_code_is_interrupted() -> None:
    """Not ours, nor the loop's, nor logging's, nor imports; and nothing where no call of it is."""

    def code(name: str) -> Any:
        return compile("", name, "exec")

    ours = limit_module.__file__
    assert interruptible([code("/srv/app.py")])
    assert interruptible([code(time.__name__), code("/srv/app.py")])
    assert not interruptible([])
    for protected in (ours, asyncio.__file__, "<frozen importlib._bootstrap>", signal.__name__):
        expected = protected == signal.__name__
        assert interruptible([code(protected), code("/srv/app.py")]) is expected
        assert interruptible([code("/srv/app.py"), code(protected)]) is expected


def test_an_import_is_not_left_half_way(limit: TimeLimit, tmp_path: Path) -> None:
    """The call is ended when the module is there: the next one has it."""
    name = f"slow_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(f"import time; time.sleep({3 * LIMIT}); there = True\n")
    sys.path.insert(0, str(tmp_path))

    def late() -> None:
        __import__(name)
        spin()

    try:
        assert ended(limit, late) >= 3 * LIMIT
        assert sys.modules[name].there
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop(name, None)


def test_many_short_calls_are_not_ended(limit: TimeLimit) -> None:
    """Each has the time to itself, however long they take together."""
    end = time.monotonic() + 3 * LIMIT
    calls = 0
    while time.monotonic() < end:
        limit.run(int)
        calls += 1
    assert repr(limit) == f"<TimeLimit {calls} calls, ticking>"


async def test_nothing_ticks_while_nothing_runs(limit: TimeLimit) -> None:
    """An idle process has no timer; it ticks again with the next call, which has its full time."""
    limit.run(int)
    assert signal.getitimer(signal.ITIMER_REAL) != (0, 0)
    await turns_until(lambda: signal.getitimer(signal.ITIMER_REAL) == (0, 0))
    assert ended(limit, spin) >= LIMIT


def test_a_stopped_limit_leaves_nothing_behind() -> None:
    """The signal has the handler that it had, and no timer runs."""
    before = signal.getsignal(signal.SIGALRM)
    limit = TimeLimit()
    limit.run(int)
    limit.stop()
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_call_has_its_result(limit: TimeLimit) -> None:
    """It returns or raises what it does."""
    assert limit.run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        limit.run(divmod, 1, 0)


def test_where_nothing_can_be_ended_it_is_told() -> None:
    """A call that took too long is told; a short one is not."""
    told: list[float] = []
    watch = Watch(told.append)
    assert watch.run(int) == 0
    assert not told

    def slow_and_wrong() -> float:
        time.sleep(1.5 * LIMIT)
        return 1 / 0

    with pytest.raises(ZeroDivisionError):
        watch.run(slow_and_wrong)
    watch.stop()
    [seconds] = told
    assert seconds >= 1.5 * LIMIT


def test_the_limit_is_what_the_thread_allows() -> None:
    """Signals come to the main thread alone."""
    made: list[object] = []
    thread = threading.Thread(target=lambda: made.append(time_limit(lambda _: None)))
    thread.start()
    thread.join()
    assert isinstance(made[0], Watch)
    here = time_limit(lambda _: None)
    assert isinstance(here, TimeLimit)
    here.stop()


async def test_a_coroutine_is_driven_to_its_end(limit: TimeLimit) -> None:
    """It awaits as if it were awaited directly, and its result is returned."""

    async def work() -> str:
        await asyncio.sleep(0)
        async with asyncio.timeout(LONG):
            return await asyncio.get_running_loop().run_in_executor(None, str, 5)

    assert await Limited(limit.run, work()) == "5"


async def test_what_a_coroutine_awaits_may_raise(limit: TimeLimit) -> None:
    """The exception arrives in it, and what it does with that is its own."""

    async def careful() -> str:
        try:
            await asyncio.wait_for(asyncio.get_running_loop().create_future(), 0.001)
        except TimeoutError:
            return "caught"
        return "not raised"

    assert await Limited(limit.run, careful()) == "caught"


async def test_a_step_of_a_coroutine_is_ended(limit: TimeLimit) -> None:
    """Also one that comes after a wait."""

    async def late() -> None:
        await asyncio.sleep(0)
        spin()

    with pytest.raises(TookTooLong):
        await Limited(limit.run, late())


async def test_a_cancelled_coroutine_can_clean_up(limit: TimeLimit) -> None:
    """It gets the CancelledError of its task, and may await once more."""
    steps: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    async def drive() -> None:
        await Limited(limit.run, waits())

    task = asyncio.create_task(drive())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["cleaned up"]


def test_a_coroutine_that_is_thrown_away_is_closed(limit: TimeLimit) -> None:
    """Its `finally` runs when whoever drives it is closed."""
    steps: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            steps.append("closed")

    async def drive() -> None:
        await Limited(limit.run, waits())

    driven = drive()
    driven.send(None)
    driven.close()
    assert steps == ["closed"]


async def test_tasks_that_are_meant_are_limited(limit: TimeLimit) -> None:
    """Also those that `wait_for` and `gather` make; the others, and later ones, are as ever."""
    loop = asyncio.get_running_loop()
    is_meant = True
    stop = limit_tasks(loop, limit, lambda: is_meant)

    async def late() -> None:
        await asyncio.sleep(0)
        spin()

    async def name() -> str:
        task = asyncio.current_task()
        assert task is not None
        return f"{task.get_name()} {type(task.get_coro()).__name__}"

    with pytest.raises(TookTooLong):
        await asyncio.wait_for(late(), LONG)
    with pytest.raises(TookTooLong):
        await asyncio.gather(late())
    assert await asyncio.create_task(name(), name="mine") == "mine Limited"
    is_meant = False
    assert await asyncio.create_task(name(), name="other") == "other coroutine"
    is_meant = True
    stop()
    assert loop.get_task_factory() is None
    assert await asyncio.create_task(name(), name="later") == "later coroutine"


async def test_a_task_that_is_cancelled_before_it_begins_leaves_nothing(limit: TimeLimit) -> None:
    """Its coroutine is closed, so that nobody warns that it was never awaited."""
    stop = limit_tasks(asyncio.get_running_loop(), limit, lambda: True)
    task = asyncio.create_task(asyncio.sleep(LONG))
    assert "Limited" in repr(task.get_coro())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stop()


def test_a_process_that_was_frozen_is_not_held_to_account(limit: TimeLimit) -> None:
    """One tick comes for all that it has missed, and that is one look."""

    def frozen() -> None:
        for _ in range(2):
            limit._tick(signal.SIGALRM, sys._getframe())
        looks.append("went on")
        limit._tick(signal.SIGALRM, sys._getframe())

    looks: list[str] = []
    with pytest.raises(TookTooLong):
        limit.run(frozen)
    assert looks == ["went on"]
