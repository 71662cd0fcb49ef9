"""Deadlines that all lie the same time ahead, counted in ticks, without I/O.

Equal delays make a queue: what was added first is due first, so a turn looks at
nothing but what is due. Nothing is ever taken out early: `expire` is called for
things that finished long ago too and must ask them. So at most rate x delay
finished things are kept, and adding costs one append.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Deadlines"]

T = TypeVar("T")


class Deadlines(Generic[T]):
    """Calls `expire` for each thing added, `ticks` to `ticks + 1` ticks later.

    Args:
        ticks: The delay; at least 1.
        expire: Called with each thing whose time has come, finished or not.
    """

    __slots__ = ("_buckets", "_expire", "_ticks")

    def __init__(self, ticks: int, expire: Callable[[T], None]) -> None:
        self._ticks = ticks
        self._expire = expire
        # One list for each tick that is not due yet; the rightmost takes what is added now.
        self._buckets: deque[list[T]] = deque([[]])

    def __repr__(self) -> str:
        return f"<Deadlines ticks={self._ticks} waiting={len(self)}>"

    def __len__(self) -> int:
        return sum(map(len, self._buckets))

    def add(self, thing: T) -> None:
        """Let `thing` expire after the delay."""
        self._buckets[-1].append(thing)

    def turn(self) -> None:
        """Let one tick pass."""
        self._buckets.append([])
        if len(self._buckets) > self._ticks + 1:
            for thing in self._buckets.popleft():
                self._expire(thing)
