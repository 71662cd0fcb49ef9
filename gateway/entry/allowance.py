"""The time that one handler may take in all, waits that are not its own left out.

When it is over the handler's task is cancelled, and again each time that it goes on regardless.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Allowance"]


class Allowance:
    """The time of one handler, from now on.

    Args:
        task: The task that it runs in.
        seconds: How long it may take.

    Attributes:
        seconds: The same.
        is_used_up: Whether it took longer.
    """

    __slots__ = ("_handle", "_left", "_loop", "_task", "_waits", "is_used_up", "seconds")

    def __init__(self, task: asyncio.Task[Any], seconds: float) -> None:
        self.is_used_up = False
        self._task = task
        self._loop = task.get_loop()
        self.seconds = self._left = seconds
        # Waits that are under way and do not count.
        self._waits = 0
        self._handle: asyncio.TimerHandle | None = self._loop.call_later(seconds, self._over)

    def __repr__(self) -> str:
        state = "used up" if self.is_used_up else "waiting" if self._waits else "running"
        return f"<Allowance of {self.seconds:g} s, {state}>"

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Let the time stand still while the handler waits for others."""
        if not self._waits and self._handle is not None:
            self._left = max(0.0, self._handle.when() - self._loop.time())
            self._handle.cancel()
        self._waits += 1
        try:
            yield
        finally:
            self._waits -= 1
            if not self._waits and self._handle is not None:
                self._handle = self._loop.call_later(self._left, self._over)

    def end(self) -> None:
        """Take note that the handler has ended."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _over(self) -> None:
        self.is_used_up = True
        self._task.cancel()
        self._handle = self._loop.call_later(self.seconds, self._over)
