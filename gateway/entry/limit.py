"""A time limit for code of the application that runs in the loop and does not give it up.

Theory of operation. While such code runs nothing else does, in the whole process; only a signal still
comes through. So a timer ticks (`SIGALRM`) while any of it runs: one timer, not one for each call, so that a
call costs a count and no system call. A tick that finds the same call under way as the ticks before it,
`LIMIT` seconds long, raises `TookTooLong` there. A tick that finds nothing under way stops the timer.

It is raised in the application's code and in what that called, never in ours: what `interruptible` says of
the stack decides. A tick that comes at a bad moment is followed by others, soon and at odd times, and so is
one whose exception was swallowed.

What never lets Python look at signals, such as a long call of a C library, is ended when it returns.
Where there is no such timer (Windows), and outside the main thread, calls are only timed: `Watch`.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import random
import signal
import sys
import threading
import types
from collections.abc import Coroutine
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = [
    "LIMIT",
    "REMEDY",
    "Limit",
    "Limited",
    "TimeLimit",
    "TookTooLong",
    "Watch",
    "interruptible",
    "limit_tasks",
    "time_limit",
]

LIMIT: Final = 0.1
"""Seconds that application code may run without giving up the loop. All connections of the process wait as
long: a tenth of a second is what people take for instant. What takes longer is either blocking, which the
loop cannot have, or work for a queue's consumers."""

REMEDY: Final = "await what takes long, or push it on a queue"
"""What its author can do, for the log."""

LOOKS: Final = 2
"""After so many further looks at the same call it is over the limit. Looks, not time: a process that was frozen, or
got no CPU, finds one tick for all that it has missed."""

TICK: Final = LIMIT / LOOKS
"""Seconds between two looks."""

SOON: Final = 0.001
"""At most so many seconds after one look at code that is over the limit comes the next. At a random time: code
that sleeps or sends in a circle would else be met at the same place again and again."""

_PACKAGES: Final = Path(__file__).parents[2]
_PROTECTED: Final = (
    *(f"{_PACKAGES / name}/" for name in ("gateway", "gateway_process", "gateway_wire")),
    f"{Path(asyncio.__file__).parent}/",
    f"{Path(logging.__file__).parent}/",
    importlib.__file__,
    "<frozen importlib",
)
"""Code that is not left half-way: ours, the loop's, whose state would be torn; logging, which holds a lock that
threads wait for; and imports, which would fail half-way each time anew."""


class TookTooLong(BaseException):
    """Raised in application code that has held up every connection of the process for too long.

    No `Exception`, so that a handler's own `except Exception` does not take it for an error of its work.
    """

    def __init__(self) -> None:
        super().__init__(f"did not give up the loop within {LIMIT:g} s; {REMEDY}")


class Limit(Protocol):
    """Runs application code."""

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function, and return what it returns.

        Raises:
            TookTooLong: It was ended.
        """

    def stop(self) -> None:
        """Limit nothing from now on."""


class TimeLimit:
    """Ends calls that take too long; for the main thread, and one at a time in a process."""

    __slots__ = ("_calls", "_is_ticking", "_looks", "_previous", "_seen")

    def __init__(self) -> None:
        # Calls that have begun, which is the number of the one under way.
        self._calls = 0
        # The call that the latest ticks found, and how many of them did after the first.
        self._seen = 0
        self._looks = 0
        self._is_ticking = False
        self._previous = signal.signal(signal.SIGALRM, self._tick)

    def __repr__(self) -> str:
        return f"<TimeLimit {self._calls} calls{', ticking' if self._is_ticking else ''}>"

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function, and return what it returns.

        Raises:
            TookTooLong: It was ended.
        """
        self._calls += 1
        if not self._is_ticking:
            self._is_ticking = True
            signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        return function(*args)

    def stop(self) -> None:
        """Limit nothing from now on."""
        self._stop_ticking()
        signal.signal(signal.SIGALRM, self._previous or signal.SIG_DFL)

    def _tick(self, _number: int, frame: FrameType | None) -> None:
        if self._calls != self._seen:
            self._seen, self._looks = self._calls, 0
            signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
            return
        self._looks += 1
        stack = _inside(frame)
        if stack is None:
            self._stop_ticking()
        elif self._looks >= LOOKS:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(SOON / 100, SOON), SOON)  # noqa: S311
            if interruptible(stack):
                raise TookTooLong

    def _stop_ticking(self) -> None:
        self._is_ticking = False
        signal.setitimer(signal.ITIMER_REAL, 0)


class Watch:
    """Times calls, and tells of those that took too long.

    Args:
        tell: Called with a call's seconds, in its context.
    """

    __slots__ = ("_tell",)

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function, and return what it returns."""
        before = monotonic()
        try:
            return function(*args)
        finally:
            seconds = monotonic() - before
            if seconds > LIMIT:
                self._tell(seconds)

    def stop(self) -> None:
        """There is nothing to stop."""


def time_limit(tell: Callable[[float], None]) -> Limit:
    """Make what limits calls as well as this thread and system can.

    Args:
        tell: See `Watch`.
    """
    if sys.platform != "win32" and threading.current_thread() is threading.main_thread():
        return TimeLimit()
    return Watch(tell)


class Limited(Coroutine[Any, Any, Any]):
    """A coroutine whose every step runs under a limit; to be awaited, or driven by a task.

    Args:
        run: Runs one step: a limit's `run`, or that in a context.
        coroutine: The application's.
    """

    __slots__ = ("_coroutine", "_run")

    def __init__(self, run: Callable[..., Any], coroutine: Coroutine[Any, Any, Any]) -> None:
        self._run = run
        self._coroutine = coroutine

    def __repr__(self) -> str:
        return f"<Limited {self._coroutine!r}>"

    def send(self, value: Any) -> Any:
        """Take a step.

        Raises:
            TookTooLong: It was ended.
        """
        return self._run(self._coroutine.send, value)

    def throw(self, *error: Any) -> Any:
        """Take a step, with an exception where the coroutine waits; raises as `send`."""
        return self._run(self._coroutine.throw, *error)

    def close(self) -> None:
        """End the coroutine where it waits; raises as `send`."""
        self._run(self._coroutine.close)

    def __await__(self) -> Self:
        return self

    __iter__ = __await__

    def __next__(self) -> Any:
        return self.send(None)


def limit_tasks(
    loop: asyncio.AbstractEventLoop, limit: Limit, is_meant: Callable[[], bool]
) -> Callable[[], None]:
    """Have each step of some of a loop's tasks run under a limit from now on.

    Args:
        loop: The loop.
        limit: The limit.
        is_meant: Asked where a task is made whether it is one of them.

    Returns:
        What ends that, for tasks that are made later.
    """
    before = loop.get_task_factory()

    def make(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Future[Any]:
        if is_meant():
            coroutine = Limited(limit.run, coroutine)
        return (before or _task)(loop, coroutine, **options)

    loop.set_task_factory(cast("Any", make))
    return lambda: loop.set_task_factory(before)


def _task(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
) -> asyncio.Task[Any]:
    return asyncio.Task(coroutine, loop=loop, **options)


def interruptible(stack: list[types.CodeType]) -> bool:
    """Tell whether an exception may be raised where a call stands.

    Args:
        stack: The code under way in the call, innermost first.
    """
    return bool(stack) and not any(code.co_filename.startswith(_PROTECTED) for code in stack)


def _inside(frame: FrameType | None) -> list[types.CodeType] | None:
    """Return the code under way in the call, innermost first; None if no call is."""
    stack: list[types.CodeType] = []
    while frame is not None:
        if frame.f_code is _RUN:
            return stack
        stack.append(frame.f_code)
        frame = frame.f_back
    return None


_RUN: Final = TimeLimit.run.__code__
