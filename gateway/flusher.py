"""When the outbox is written: at the end of the turn of the loop that filled it, or a bit later.

The outbox is pure and owns no clock; this is its clock. With `flush_interval` 0 everything that one
turn of the loop brought leaves together. While more commands wait than one turn executes, what the
next turns fill is gathered too, for up to `GATHERING` seconds: writing to thousands of clients takes
longer than a turn, and what waits longest, the last command's message, is sooner out when there are
fewer writes. Messages for one client each are not: each is a write anyway, and who waits for an answer
would wait longer. A longer interval joins more frames into one write and costs that much latency always.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

    from gateway.outbox import Outbox

__all__ = ["GATHERING", "Flusher"]

GATHERING: Final = 0.02
"""Seconds for which messages are gathered while commands wait: a 60 Hz page misses one frame."""


class Flusher:
    """Writes the outbox in time."""

    __slots__ = ("_filled_at", "_gathering", "_interval", "_loop", "_scheduled", "outbox")

    def __init__(self, loop: asyncio.AbstractEventLoop, interval: float) -> None:
        """Make a flusher; `outbox` must be set before it is used.

        Args:
            loop: The loop whose turns count.
            interval: Seconds between filling and writing; 0 for the end of the turn.
        """
        self.outbox: Outbox | None = None
        self._loop = loop
        self._interval = interval
        self._scheduled = False
        # Whether commands wait, and since when something waits to be written.
        self._gathering = False
        self._filled_at = 0.0

    def __repr__(self) -> str:
        return f"<Flusher every {self._interval:g} s>"

    def soon(self) -> None:
        """See to it that the outbox is written in time."""
        if self._scheduled:
            return
        self._scheduled = True
        self._filled_at = perf_counter()
        if self._interval:
            self._loop.call_later(self._interval, self._flush)
        else:
            self._loop.call_soon(self._flush)

    def end_of_turn(self, *, more: bool) -> None:
        """Write what a turn's commands filled, unless it is to be waited for.

        Args:
            more: Whether commands wait for the next turn.
        """
        self._gathering = more and not self._interval
        if not self._interval and self._is_due():
            self._write()

    def _flush(self) -> None:
        if self._is_due():
            self._scheduled = False
            self._write()
        else:  # the turn that is over by then has written it already, unless it failed
            self._loop.call_later(GATHERING, self._flush)

    def _is_due(self) -> bool:
        if not self._gathering or perf_counter() - self._filled_at >= GATHERING:
            return True
        return self.outbox is None or not self.outbox.is_worth_filling

    def _write(self) -> None:
        self._filled_at = perf_counter()
        if self.outbox is not None:
            self.outbox.flush()
