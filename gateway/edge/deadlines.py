"""Deadlines that all lie the same time ahead, counted in ticks, without I/O.

Equal delays make a queue: what was added first is due first, so a turn looks at
nothing but what is due. Whatever has finished is taken out, and then nothing is
kept of it: a dict keeps the order, and forgets any of its keys at once.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from typing import Generic, TypeVar

__all__ = ["Deadlines"]

T = TypeVar("T")


class Deadlines(Generic[T]):
    """Calls `expire` for each thing added, `ticks` to `ticks + 1` ticks later, unless it was removed.

    Args:
        ticks: The delay; at least 1.
        expire: Called with each thing whose time has come.
    """

    __slots__ = ("_expire", "_now", "_ticks", "_waiting")

    def __init__(self, ticks: int, expire: Callable[[T], None]) -> None:
        self._ticks = ticks
        self._expire = expire
        self._now = 0
        # The tick in which each thing expires, in the order of being added, so also of these ticks.
        self._waiting: dict[T, int] = {}

    def __repr__(self) -> str:
        return f"<Deadlines ticks={self._ticks} waiting={len(self)}>"

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, thing: T) -> None:
        """Let `thing`, which does not wait yet, expire after the delay."""
        self._waiting[thing] = self._now + self._ticks + 1

    def remove(self, thing: T) -> None:
        """Forget a thing that has finished; harmless if it is not there."""
        self._waiting.pop(thing, None)

    def turn(self) -> None:
        """Let one tick pass."""
        self._now += 1
        due = [thing for thing, _ in takewhile(self._is_due, self._waiting.items())]
        for thing in due:
            del self._waiting[thing]
        if not self._waiting:
            self._waiting = {}  # a dict keeps the room of the most that it ever held
        for thing in due:
            self._expire(thing)

    def _is_due(self, item: tuple[T, int]) -> bool:
        return item[1] <= self._now
