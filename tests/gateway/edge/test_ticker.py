"""Tests of the clock and the one timer."""

from __future__ import annotations

import asyncio

from gateway.edge.ticker import TickClock, Ticker


def test_ticks_on_time() -> None:
    """A reading in each period is one tick, and small delays do not add up."""
    clock = TickClock(1.0, 100.0)

    assert [clock.advance(now) for now in (101.0, 102.4, 103.1, 104.0)] == [1, 1, 1, 1]
    assert clock.next_tick() == 105.0


def test_a_tick_too_early_is_none() -> None:
    """A timer that fires before its time changes nothing."""
    clock = TickClock(1.0, 100.0)

    assert clock.advance(100.999) == 0
    assert clock.advance(101.0) == 1


def test_a_tick_up_to_a_period_late_is_made_up_for() -> None:
    """What is not more than a period late counts in full."""
    clock = TickClock(1.0, 100.0)

    assert clock.advance(101.9) == 1
    assert clock.next_tick() == 102.0
    assert clock.advance(103.0) == 2


def test_a_tick_more_than_a_period_late_starts_over() -> None:
    """Time in which nobody listened counts for nothing and moves everything."""
    clock = TickClock(1.0, 100.0)

    assert clock.advance(160.0) == 0
    assert clock.next_tick() == 161.0
    assert clock.advance(161.0) == 1


class Turns:
    """Counts its turns and tells when there were enough."""

    def __init__(self, enough: int) -> None:
        self.count = 0
        self.enough = enough
        self.done = asyncio.Event()

    def turn(self) -> None:
        self.count += 1
        if self.count == self.enough:
            self.done.set()


def fail(thing: str) -> None:
    """Be a broken callback."""
    raise RuntimeError(thing)


async def test_it_turns_what_was_added_until_stopped() -> None:
    """Everything added is turned by the same timer; after `stop` nothing is."""
    ticker = Ticker(0.01)
    first, second = Turns(3), Turns(3)
    due: list[str] = []
    ticker.add(first)
    ticker.deadlines(0.02, due.append).add("x")
    ticker.add(second)
    running = repr(ticker)
    ticker.start()
    await second.done.wait()
    ticker.stop()
    ticker.stop()
    await asyncio.sleep(0)

    assert first.count == second.count == 3
    assert due == ["x"]
    assert running == "<Ticker stopped period=0.01 turning=3>"


async def test_it_outlives_what_raises() -> None:
    """A callback that fails costs its own turn and not the timer."""
    ticker, turns = Ticker(0.01), Turns(2)
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    ticker.deadlines(0.001, fail).add("x")
    ticker.add(turns)
    ticker.start()
    await turns.done.wait()
    ticker.stop()

    assert len(failures) == 1


def test_seconds_become_ticks() -> None:
    """Times are rounded up to whole ticks; 0 stays 0."""
    assert [Ticker(1.0).ticks(seconds) for seconds in (0, 0.2, 1, 24.5)] == [0, 1, 1, 25]
