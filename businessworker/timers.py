"""Timers of a worker process: `timer.after` and `timer.every`.

They belong to the process, not to an event: they may be set from `on_worker_start` and from handlers, on
any thread, and have neither a current client nor a session. They end with the process.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
from contextvars import Context, copy_context
from numbers import Real
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from gateway_process.importing import RAISED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from businessworker.mailbox import Mailbox

__all__ = ["Timer", "Timers", "timer"]

_logger = logging.getLogger(__name__)

MAX_SECONDS: Final = 365 * 24 * 3600.0
"""Seconds of the longest timer: libuv counts milliseconds, and whoever waits longer has mistaken the unit."""


class Timer:
    """One timer, as `timer.after` and `timer.every` return it."""

    __slots__ = ("_timers", "args", "due", "function", "handle", "interval", "is_cancelled")

    def __init__(
        self,
        timers: Timers,
        interval: float | None,
        function: Callable[..., object],
        args: tuple[Any, ...],
    ) -> None:
        self._timers = timers
        self.interval = interval
        self.function = function
        self.args = args
        self.due = 0.0
        self.handle: asyncio.TimerHandle | None = None
        self.is_cancelled = False

    def __repr__(self) -> str:
        how = "once" if self.interval is None else f"every {self.interval:g} s"
        state = ", cancelled" if self.is_cancelled else ""
        return f"<Timer {_name(self.function)} {how}{state}>"

    def cancel(self) -> None:
        """Call the function no more; from any thread. A call that has begun goes on."""
        self.is_cancelled = True
        self._timers.disarm(self)


class Timers:
    """The timers of this process; `open` once it has a loop."""

    def __init__(self) -> None:
        self._mailbox: Mailbox | None = None
        self._run: Callable[..., Awaitable[None]] | None = None
        self._base = Context()
        self._armed: set[Timer] = set()
        self._running: dict[asyncio.Task[None], Timer] = {}

    def __repr__(self) -> str:
        return f"<Timers: {len(self._armed)} armed, {len(self._running)} running>"

    def after(self, seconds: float, function: Callable[..., object], *args: Any) -> Timer:
        """Call a function once.

        Args:
            seconds: How long from now; 0 is at once.
            function: What to call: `async def` ones run on the loop, others on a thread. What it
                raises is logged.
            args: What to call it with.

        Raises:
            TypeError: `seconds` is no number, or `function` cannot be called.
            ValueError: `seconds` is negative, not finite or more than a year.
            RuntimeError: This is not a worker process, or it is stopping.
        """
        return self._set(_checked(seconds), None, function, args)

    def every(self, seconds: float, function: Callable[..., object], *args: Any) -> Timer:
        """Call a function again and again, for the first time in `seconds`.

        It never runs beside itself: if a call takes longer than `seconds`, the beats that it misses are
        left out.

        Args:
            seconds: The time between two calls' beginnings; above 0.
            function: As for `after`.
            args: What to call it with.

        Raises:
            TypeError, ValueError, RuntimeError: As for `after`.
        """
        interval = _checked(seconds)
        if interval == 0:
            raise ValueError(
                "timer.every(0, ...) would never let anything else run; give seconds > 0"
            )
        return self._set(interval, interval, function, args)

    def open(self, mailbox: Mailbox, run: Callable[..., Awaitable[None]]) -> None:
        """Let timers be set from now on; on the loop's thread.

        Args:
            mailbox: How other threads reach the loop.
            run: Calls a function on the loop or on a thread, as fits it, and waits for it.
        """
        self._mailbox, self._run = mailbox, run
        self._base = copy_context()

    async def close(self, patience: float) -> None:
        """Cancel every timer, and the `async def` functions of theirs that run.

        Args:
            patience: Seconds that those have to end; what goes on is named in the log.
        """
        self._mailbox = self._run = None
        for each in tuple(self._armed):
            self.disarm(each)
        running = dict(self._running)
        for task in running:
            task.cancel()
        if running:
            _, stuck = await asyncio.wait(running, timeout=patience)
            for task in stuck:
                name = _name(running[task].function)
                _logger.error("the timer's function %s was cancelled and does not end", name)

    def disarm(self, timer: Timer) -> None:
        """Take a timer that is cancelled off the loop; from any thread."""
        mailbox = self._mailbox
        if mailbox is None or mailbox.is_here:
            self._disarm(timer)
        else:
            mailbox.post(self._disarm, timer)

    def _set(
        self,
        delay: float,
        interval: float | None,
        function: Callable[..., object],
        args: tuple[Any, ...],
    ) -> Timer:
        if not callable(function):
            raise TypeError(_not_callable(function))
        if self._mailbox is None:
            raise RuntimeError(
                "timers run in a business worker, from its start to its stop: set them in "
                "on_worker_start or in a handler, not where a module is imported"
            )
        timer = Timer(self, interval, function, args)
        timer.due = monotonic() + delay
        self._mailbox.post(self._arm, timer)
        return timer

    def _arm(self, timer: Timer) -> None:
        if not timer.is_cancelled and self._mailbox is not None:
            delay = max(0.0, timer.due - monotonic())
            timer.handle = asyncio.get_running_loop().call_later(delay, self._fire, timer)
            self._armed.add(timer)

    def _disarm(self, timer: Timer) -> None:
        self._armed.discard(timer)
        if timer.handle is not None:
            timer.handle.cancel()

    def _fire(self, timer: Timer) -> None:
        self._armed.discard(timer)
        loop = asyncio.get_running_loop()
        # A context of its own: a timer that a handler has set is not for that handler's client.
        task = loop.create_task(self._call(timer), context=self._base.copy())
        self._running[task] = timer
        task.add_done_callback(self._running.pop)

    async def _call(self, timer: Timer) -> None:
        run = self._run
        if run is None:
            return  # closed in the same turn of the loop
        try:
            await run(timer.function, *timer.args)
        except RAISED:
            _logger.exception("the timer's function %s raised", _name(timer.function))
        if timer.interval is not None:
            timer.due = next_beat(timer.due, timer.interval, monotonic())
            self._arm(timer)


def next_beat(due: float, interval: float, now: float) -> float:
    """Return when the beat after `due` is, leaving out those that have passed."""
    missed = max(0, math.floor((now - due) / interval))
    return due + (missed + 1) * interval


def _checked(seconds: float) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, Real):
        raise TypeError(f"a timer's time is a number of seconds, not {seconds!r:.40}")
    if not 0 <= seconds <= MAX_SECONDS:
        raise ValueError(
            f"a timer's time is a number of seconds from 0 to {MAX_SECONDS:.0f} (a year), "
            f"not {seconds!r}"
        )
    return float(seconds)


def _not_callable(function: object) -> str:
    if inspect.iscoroutine(function):
        function.close()
        return (
            "a timer takes a function, not what it returned: give the function and its arguments, "
            "as in timer.after(5, notify, client_id)"
        )
    return f"a timer takes a function, not {function!r:.40}"


def _name(function: object) -> str:
    return getattr(function, "__qualname__", None) or repr(function)


timer: Final = Timers()
"""The timers of this process."""
