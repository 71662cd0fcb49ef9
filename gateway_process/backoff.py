"""How long to wait before a crashed child is started again. Pure: time is an argument.

Doubling from 0.5 s to 10 s: a child that crashes on every start costs little, one that crashed
once is back at once. A child that was healthy for 30 s starts over.
"""

from typing import Final

__all__ = ["FIRST", "HEALTHY", "LONGEST", "Backoff"]

FIRST: Final = 0.5
"""Seconds before the first restart."""
LONGEST: Final = 10.0
"""Seconds that the doubling stops at."""
HEALTHY: Final = 30.0
"""Seconds after which a child counts as well, and its crashes are forgotten."""


class Backoff:
    """The delays of one child's restarts."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = FIRST

    def __repr__(self) -> str:
        return f"<Backoff next={self._next:g} s>"

    def delay(self, ready_at: float | None, now: float) -> float:
        """Give the seconds to wait after an end.

        Args:
            ready_at: when the run that ended had become ready; None if it never did.
            now: when it ended, by the same clock.
        """
        if ready_at is not None and now - ready_at >= HEALTHY:
            self._next = FIRST
        delay, self._next = self._next, min(self._next * 2, LONGEST)
        return delay
