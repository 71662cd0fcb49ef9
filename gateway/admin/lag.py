"""How late the loop is: the time a callback waits beyond its due time, which every browser waits too.

One timer looks twice a second. What counts is the worst of the last minute, so that a stall between two
scrapes is seen; :class:`WorstOfLast` keeps it without a clock, :class:`LoopLag` has the timer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

__all__ = ["LoopLag", "WorstOfLast"]

LOOK: Final = 0.5
"""Seconds between two looks; a stall that is shorter may fall between them."""
LOOKS: Final = 120
"""Looks that are remembered: a minute, the longest usual interval between two scrapes."""


class WorstOfLast:
    """The largest of the last so many values."""

    __slots__ = ("_falling", "_keep", "_number")

    def __init__(self, keep: int) -> None:
        """Start without values; `keep` is how many count."""
        self._keep = keep
        self._number = 0
        # Values that may yet be the largest, falling, each with its number.
        self._falling: deque[tuple[int, float]] = deque()

    def __repr__(self) -> str:
        return f"<WorstOfLast {self._keep}: {self.value:g}>"

    def add(self, value: float) -> None:
        """Take a value; the oldest one counts no longer."""
        falling = self._falling
        while falling and falling[-1][1] <= value:
            falling.pop()
        falling.append((self._number, value))
        if falling[0][0] <= self._number - self._keep:
            falling.popleft()
        self._number += 1

    @property
    def value(self) -> float:
        """The largest; 0 if there is none."""
        return self._falling[0][1] if self._falling else 0.0


class LoopLag:
    """Measures the running loop from :meth:`start` to :meth:`stop`."""

    def __init__(self, look: float = LOOK) -> None:
        """Measure nothing yet; `look` is the time between two looks, in seconds."""
        self._look = look
        self._worst = WorstOfLast(LOOKS)
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<LoopLag {self.seconds * 1000:.1f} ms>"

    @property
    def seconds(self) -> float:
        """The worst lateness of the last minute."""
        return self._worst.value

    def start(self) -> None:
        """Begin to look."""
        self.stop()
        loop = asyncio.get_running_loop()

        def look(due: float) -> None:
            now = loop.time()
            self._worst.add(max(0.0, now - due))
            after(now)

        def after(now: float) -> None:
            due = now + self._look
            self._timer = loop.call_at(due, look, due)

        after(loop.time())

    def stop(self) -> None:
        """Look no more; harmless when stopped."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
