"""When the outbox is written: at the end of the turn of the loop that filled it, or a bit later.

The outbox is pure and owns no clock; this is its clock. With `flush_interval` 0 everything that one
turn of the loop brought leaves together; a longer interval joins more frames into one write and
costs that much latency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from gateway.outbox import Outbox

__all__ = ["Flusher"]


class Flusher:
    """Writes the outbox in time."""

    __slots__ = ("_interval", "_loop", "_scheduled", "outbox")

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

    def end_of_batch(self) -> None:
        """Write now what a batch of commands filled, unless an interval is to be waited for."""
        if not self._interval:
            self._write()

    def _flush(self) -> None:
        self._scheduled = False
        self._write()

    def _write(self) -> None:
        if self.outbox is not None:
            self.outbox.flush()
