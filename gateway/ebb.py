"""When many browsers have left, and it is time to give their memory back.

Rule: pure; it is told the sockets at each tick and says whether now is the time. What is
done then is `gateway_process.heap`'s.

A tick is the time if no more than half of the most are left, and the leaving has paused: while a
crowd goes, what it leaves lies among what is still there. So a crowd that goes costs one stall, and one that
goes slowly one for each half.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CHEAP_WALK", "WORTH", "Ebb"]

WORTH: Final = 1_000
"""Sockets that there must have been: with what they are sent they take 3 MB, and fewer are not worth a
stall of 2 ms."""

CHEAP_WALK: Final = 1_000
"""Sockets up to which a walk over all that lives, 5 µs each, stops the loop for no longer than one
broadcast to them does."""


class Ebb:
    """Watches how many sockets there are."""

    __slots__ = ("_before", "_most")

    def __init__(self) -> None:
        """Begin with none."""
        self._before = 0
        # The most since the last time.
        self._most = 0

    def __repr__(self) -> str:
        return f"<Ebb from {self._most} to {self._before} sockets>"

    def turn(self, sockets: int) -> bool:
        """Let one tick pass; tell whether this is the time.

        Args:
            sockets: How many there are.
        """
        leaving = sockets < self._before
        self._before = sockets
        self._most = max(self._most, sockets)
        if leaving or self._most < WORTH or sockets > self._most / 2:
            return False
        self._most = sockets
        return True
