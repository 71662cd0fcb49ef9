"""The one timer of a process's edge.

`TickClock` (pure) decides how many ticks have passed; `Ticker` (the shell) owns
the loop's timer and turns what was added to it: wheel and deadlines. Everything
that waits for a time counts ticks and nothing else, so a late tick moves all of
them at once: if the process was stopped, frozen or starved for longer than one
tick, its clients were not heard because nobody listened, and their time starts
over from now.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from gateway.edge.deadlines import Deadlines

__all__ = ["TICK", "TickClock", "Ticker", "Turning"]

TICK: Final = 1.0
"""Seconds; the resolution of every timeout of the edge. Fine enough for timeouts of seconds, and
with `ping_interval` 25 a tick pings 1/25 of the connections."""

T = TypeVar("T")


class Turning(Protocol):
    """Something that ticks turn."""

    def turn(self) -> None:
        """Let one tick pass."""


class TickClock:
    """Counts ticks from readings of a clock, and leaves out time that nobody watched.

    Args:
        period: Seconds from tick to tick.
        now: The first reading.
    """

    __slots__ = ("_last", "_period")

    def __init__(self, period: float, now: float) -> None:
        self._period = period
        self._last = now

    def advance(self, now: float) -> int:
        """Return how many ticks passed since the last one: 0, 1 or 2.

        A reading that comes more than a period late counts for nothing and starts over from now.
        """
        elapsed = now - self._last
        if elapsed > 2 * self._period:
            self._last = now
            return 0
        ticks = int(elapsed / self._period)
        self._last += ticks * self._period
        return ticks

    def next_tick(self) -> float:
        """Return the reading at which the next tick is due."""
        return self._last + self._period


class Ticker:
    """Turns what was added to it, from one timer of the loop.

    Args:
        period: Seconds from tick to tick.
    """

    def __init__(self, period: float = TICK) -> None:
        self._period = period
        self._turning: list[Turning] = []
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        state = "running" if self._timer is not None else "stopped"
        return f"<Ticker {state} period={self._period} turning={len(self._turning)}>"

    def ticks(self, seconds: float) -> int:
        """Return how many ticks `seconds` are, rounded up."""
        return math.ceil(seconds / self._period)

    def add(self, turning: Turning) -> None:
        """Turn `turning` at every tick from now on."""
        self._turning.append(turning)

    def deadlines(self, seconds: float, expire: Callable[[T], None]) -> Deadlines[T]:
        """Return deadlines `seconds` ahead that this timer turns."""
        deadlines = Deadlines(max(1, self.ticks(seconds)), expire)
        self.add(deadlines)
        return deadlines

    def start(self) -> None:
        """Start ticking on the running loop."""
        loop = asyncio.get_running_loop()
        clock = TickClock(self._period, loop.time())

        def tick() -> None:
            # Set first, so that the timer outlives a callback that raises.
            ticks = clock.advance(loop.time())
            self._timer = loop.call_at(clock.next_tick(), tick)
            for _ in range(ticks):
                for turning in self._turning:
                    turning.turn()

        self.stop()
        self._timer = loop.call_at(clock.next_tick(), tick)

    def stop(self) -> None:
        """Stop ticking; harmless if it is stopped."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
