"""Timers: when they run, where, and how they end."""

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

import businessworker
from businessworker import current
from businessworker.timers import Timers, next_beat
from tests.businessworker.stage import Stage, stage
from tests.support.waiting import PATIENCE

SHORT = 0.001
"""Seconds that a test's timer waits: some time, but none that anybody notices."""


@asynccontextmanager
async def timers(**handlers: Any) -> AsyncIterator[tuple[Timers, Stage]]:
    """Give open timers beside a dispatcher."""
    opened = Timers()
    async with stage(**(handlers or {"on_message": print})) as on:
        opened.open(on.mailbox, on.dispatcher.run)
        yield opened, on
        await opened.close(PATIENCE)


async def test_after_calls_once_on_the_loop_or_on_a_thread() -> None:
    """`async def` functions run on the loop, others on a thread, with their arguments."""
    calls: list[tuple[str, bool]] = []
    done = asyncio.Event()

    async def asynchronous(text: str) -> None:
        calls.append((text, threading.current_thread() is threading.main_thread()))
        timer.after(0, threaded, "threaded")

    def threaded(text: str) -> None:
        calls.append((text, threading.current_thread() is threading.main_thread()))
        on.mailbox.post(done.set)

    async with timers() as (timer, on):
        timer.after(SHORT, asynchronous, "asynchronous")
        await done.wait()
    assert calls == [("asynchronous", True), ("threaded", False)]


async def test_every_calls_again_and_again_and_never_beside_itself() -> None:
    """A call that takes longer than the interval holds up the next."""
    running: list[int] = []
    most: list[int] = []
    done = asyncio.Event()

    async def beat() -> None:
        running.append(1)
        most.append(len(running))
        await asyncio.sleep(5 * SHORT)
        running.pop()
        if len(most) == 3:
            done.set()

    async with timers() as (timer, _):
        assert repr(timer.every(SHORT, beat)).endswith("beat every 0.001 s>")
        await done.wait()
    assert set(most) == {1}


def test_beats_that_were_missed_are_left_out() -> None:
    """The beat stays the same; there is no burst to catch up."""
    assert next_beat(10.0, 2.0, 10.1) == 12.0
    assert next_beat(10.0, 2.0, 12.5) == 14.0
    assert next_beat(10.0, 2.0, 19.0) == 20.0
    assert next_beat(10.0, 2.0, 9.9) == 12.0


@pytest.mark.parametrize("from_thread", [False, True])
async def test_a_cancelled_timer_does_not_call(from_thread: bool) -> None:
    """From any thread, before it is armed and after."""
    calls: list[int] = []
    async with timers() as (timer, on):
        early, late = timer.after(0, calls.append, 1), timer.after(10 * SHORT, calls.append, 2)

        def cancel() -> None:
            early.cancel()
            late.cancel()
            late.cancel()

        if from_thread:
            await asyncio.to_thread(cancel)
        else:
            cancel()
        done = asyncio.Event()
        timer.after(20 * SHORT, on.mailbox.post, done.set)
        await done.wait()
        assert repr(early).endswith("append once, cancelled>")
    if not from_thread:
        assert calls == []
    assert 2 not in calls


async def test_every_may_cancel_itself() -> None:
    """The call that cancels is the last."""
    calls: list[int] = []
    done = asyncio.Event()

    async def beat() -> None:
        calls.append(1)
        if len(calls) == 2:
            mine.cancel()
            timer.after(5 * SHORT, on.mailbox.post, done.set)

    async with timers() as (timer, on):
        mine = timer.every(SHORT, beat)
        await done.wait()
        assert repr(timer).startswith("<Timers: 0 armed")
    assert calls == [1, 1]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("raises", "told"),
    [
        (ValueError("why"), "ValueError: why"),
        (StopIteration("why"), "StopIteration: why"),
        (SystemExit("why"), "SystemExit: why"),
        (KeyboardInterrupt("why"), "KeyboardInterrupt: why"),
        (asyncio.CancelledError("why"), "what it awaits was cancelled"),
    ],
)
async def test_a_timer_that_raises_is_logged_and_goes_on(
    caplog: pytest.LogCaptureFixture, raises: BaseException, told: str, *, is_async: bool
) -> None:
    """An error costs one call, whatever it is, and never the process."""
    calls: list[int] = []
    done = asyncio.Event()

    def beat() -> None:
        calls.append(1)
        if len(calls) == 2:
            on.mailbox.post(done.set)
        raise raises

    async def beat_on_the_loop() -> None:
        beat()

    async with timers() as (timer, on):
        timer.every(SHORT, beat_on_the_loop if is_async else beat)
        async with asyncio.timeout(PATIENCE):
            await done.wait()
    assert "beat" in caplog.text
    assert told in caplog.text


async def test_one_that_does_not_end_when_it_is_closed_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """So that a stop does not wait for it, and its author learns of it."""
    begun, release = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        begun.set()
        while not release.is_set():
            with suppress(asyncio.CancelledError):
                await release.wait()

    async with timers() as (timer, _):
        timer.after(0, stubborn)
        await begun.wait()
        async with asyncio.timeout(PATIENCE):
            await timer.close(SHORT)
        assert "stubborn was cancelled and does not end" in caplog.text
        release.set()


async def test_a_timer_has_no_current_client() -> None:
    """Whoever sets it, it is not for that client."""
    told: list[str] = []
    done = asyncio.Event()

    def later() -> None:
        try:
            told.append(current.client_id)
        except RuntimeError as error:
            told.append(str(error))
        on.mailbox.post(done.set)

    async def later_on_the_loop() -> None:
        later()

    def on_message(client_id: str, message: str) -> None:
        timer.after(0, later if message == "thread" else later_on_the_loop)

    async with timers(on_message=on_message) as (timer, on):
        on.assign("a")
        for message in ("thread", "loop"):
            done.clear()
            on.tell(on.message("a", message))
            await done.wait()
    assert len(told) == 2
    assert all("was used outside of an event" in text for text in told)


async def test_closing_ends_what_waits_and_what_runs() -> None:
    """Armed timers are cancelled, running `async def` ones too; a thread goes on unheard."""
    tidied: list[str] = []
    begun = asyncio.Semaphore(0)
    release = threading.Event()

    async def forever() -> None:
        begun.release()
        try:
            await asyncio.Event().wait()
        finally:
            tidied.append("forever")

    def stuck() -> None:
        on.mailbox.post(begun.release)
        assert release.wait(PATIENCE)

    async with timers() as (timer, on):
        timer.after(0, forever)
        timer.every(SHORT, stuck)
        timer.after(1000, forever)
        await begun.acquire()
        await begun.acquire()
        await timer.close(PATIENCE)
        assert tidied == ["forever"]
        assert repr(timer) == "<Timers: 0 armed, 0 running>"
        with pytest.raises(RuntimeError, match="timers run in a business worker"):
            timer.after(0, stuck)
        release.set()


async def test_a_letter_that_comes_after_closing_arms_nothing() -> None:
    """A thread may set a timer in the moment of the stop."""
    async with timers() as (timer, _):
        timer.after(0, print)
        await timer.close(PATIENCE)
        await asyncio.sleep(0)
        assert repr(timer) == "<Timers: 0 armed, 0 running>"


async def test_where_a_module_is_imported_there_are_no_timers() -> None:
    """The error says where to set them."""
    with pytest.raises(RuntimeError, match="set them in on_worker_start"):
        businessworker.timer.every(1, print)


@pytest.mark.parametrize(
    ("seconds", "error"),
    [
        (-1, ValueError),
        (math.inf, ValueError),
        (math.nan, ValueError),
        (10**10, ValueError),
        ("1", TypeError),
        (True, TypeError),
        (None, TypeError),
    ],
)
async def test_times_that_are_none_are_refused(seconds: Any, error: type[Exception]) -> None:
    """The message shows the value."""
    async with timers() as (timer, _):
        for set_timer in (timer.after, timer.every):
            with pytest.raises(error, match="a timer's time is a number of seconds"):
                set_timer(seconds, print)


async def test_every_needs_an_interval() -> None:
    """0 would never let anything else run."""
    async with timers() as (timer, _):
        with pytest.raises(ValueError, match="seconds > 0"):
            timer.every(0, print)


async def _notify() -> None: ...


@pytest.mark.parametrize(
    ("make", "message"), [(_notify, "give the function and its arguments"), (int, "not 0")]
)
async def test_what_cannot_be_called_is_refused(make: Callable[[], Any], message: str) -> None:
    """Above all a coroutine: the function was called in place of being given."""
    async with timers() as (timer, _):
        with pytest.raises(TypeError, match=message):
            timer.after(1, make())
