"""The time of one handler: when it is over, and when it stands still."""

import asyncio
import time

import pytest

from gateway.entry.allowance import Allowance

LONG = 30.0


async def waiting(seconds: float, *, uncounted: bool) -> bool:
    """Wait with an allowance that is used up at once unless the wait does not count; give if it was."""
    task = asyncio.current_task()
    assert task is not None
    allowance = Allowance(task, 0.01)
    try:
        if uncounted:
            with allowance.uncounted(), allowance.uncounted():
                await asyncio.sleep(seconds)
        else:
            await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        task.uncancel()
    finally:
        allowance.end()
    return allowance.is_used_up


async def test_a_handler_is_cancelled_when_its_time_is_over() -> None:
    """The allowance says so."""
    assert await asyncio.create_task(waiting(LONG, uncounted=False))


async def test_a_wait_for_others_does_not_count() -> None:
    """Nor do two at once; a handler that has ended is not cancelled either."""
    assert not await asyncio.create_task(waiting(0.05, uncounted=True))


async def test_what_is_left_counts_after_a_wait() -> None:
    """The time goes on where it stood still."""

    async def handler() -> float:
        task = asyncio.current_task()
        assert task is not None
        begun = time.monotonic()
        allowance = Allowance(task, 0.05)
        with allowance.uncounted():
            counted = time.monotonic() - begun
            assert repr(allowance) == "<Allowance of 0.05 s, waiting>"
            await asyncio.sleep(0.1)
            begun = time.monotonic()
        assert repr(allowance) == "<Allowance of 0.05 s, running>"
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(LONG)
        allowance.end()
        assert repr(allowance) == "<Allowance of 0.05 s, used up>"
        return counted + time.monotonic() - begun

    assert 0.049 < await asyncio.create_task(handler()) < LONG


async def test_a_wait_that_outlives_its_handler_changes_nothing() -> None:
    """A task that the handler has left behind may still wait."""

    async def handler() -> Allowance:
        task = asyncio.current_task()
        assert task is not None
        allowance = Allowance(task, 0.01)
        with allowance.uncounted():
            allowance.end()
        await asyncio.sleep(0.03)
        return allowance

    assert not (await asyncio.create_task(handler())).is_used_up
