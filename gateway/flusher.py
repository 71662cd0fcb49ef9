"""When the outbox is written: at the end of the turn of the loop that filled it, or a bit later.

The outbox is pure and owns no clock; this is its clock. With `flush_interval` 0 everything that one
turn of the loop brought leaves together. A longer interval joins more frames into one write and costs
that much latency always.

A turn writes to `SLICE` connections at the most. A message for thousands is written over several turns, and
between them the loop serves browsers and executes commands: what these add for a connection that has
not been written to yet leaves with what waits there. So frames come together by themselves, the
more the busier the process is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

    from gateway.outbox import Outbox

__all__ = ["SLICE", "Flusher"]

SLICE: Final = 500
"""Connections that are written to in one turn of the loop: about 5 ms, as long as commands get."""


class Flusher:
    """Writes the outbox in time."""

    __slots__ = ("_interval", "_loop", "_scheduled", "_unfinished", "outbox")

    def __init__(self, loop: asyncio.AbstractEventLoop, interval: float) -> None:
        """Make a flusher; `outbox` must be set before it is used.

        Args:
            loop: The loop whose turns count.
            interval: Seconds between filling and writing; 0 for the end of the turn.
        """
        self.outbox: Outbox | None = None
        self._loop = loop
        self._interval = interval
        # Whether the loop will come back here.
        self._scheduled = False
        # Whether the last slice left something to the next turn.
        self._unfinished = False

    def __repr__(self) -> str:
        return f"<Flusher every {self._interval:g} s>"

    def soon(self) -> None:
        """See to it that the outbox is written in time."""
        if self._scheduled:
            return
        self._scheduled = True
        if self._interval:
            self._loop.call_later(self._interval, self._flush)
        else:
            self._loop.call_soon(self._flush)

    def end_of_turn(self) -> None:
        """Write what a turn's commands filled, unless the loop is in the middle of writing.

        With an interval only if too much waits already.
        """
        if not self._unfinished and (not self._interval or self._box().is_full):
            self._write()

    def _flush(self) -> None:
        self._scheduled = False
        self._write()

    def _write(self) -> None:
        self._unfinished = True
        try:
            self._unfinished = not self._box().flush(SLICE)
        finally:  # what fails costs this turn, not the flusher
            if self._unfinished and not self._scheduled:
                self._scheduled = True
                self._loop.call_soon(self._flush)

    def _box(self) -> Outbox:
        if self.outbox is None:
            raise AssertionError("a flusher is used once its outbox is set")
        return self.outbox
