"""Runs `async def` handlers: without a task for those that do not wait.

Most handlers send something and return. For those a task each would cost more than the handler does. So
there is one runner at a time, a task that takes what is ready and drives each handler's coroutine by hand
inside itself. When a handler really waits, the runner first sees to it that another takes over, then
waits with it, and ends when it has ended. From its first wait on, a handler thus has a task to itself, which is
`asyncio.current_task()` all the time: `asyncio.timeout`, task groups and anyio's cancel scopes work in it as in
any task, and cancelling it ends nobody else.

Each handler runs in a context of its own, so context variables do not leak from one event to the next.
"""

from __future__ import annotations

import asyncio
import logging
import types
from collections import deque
from contextvars import Context, copy_context
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from businessworker.invocation import Invocation

__all__ = ["BLOCKED", "MAX_SHARE", "MAX_TURN", "Runner"]

_logger = logging.getLogger(__name__)

MAX_SHARE: Final = 0.005
"""Seconds after which a runner lets the loop turn, so that links and timers get their share."""

MAX_TURN: Final = 1000
"""Handlers after which it does so: what they sent should leave, however fast they are."""

BLOCKED: Final = 1.0
"""Seconds in which a handler that does not wait has held up every other client of the process."""


class Runner:
    """Runs invocations of `async def` handlers on the event loop.

    Args:
        ended: Called with each invocation that is over.
        blocked: Seconds without a wait after which a handler is named in the log.

    Attributes:
        waiting: The handlers that wait for something, and the task of each.
    """

    def __init__(self, ended: Callable[[Invocation], None], blocked: float = BLOCKED) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = ended
        self._blocked = blocked
        self._base = copy_context()
        self._ready: deque[Invocation] = deque()
        self._task: asyncio.Task[None] | None = None
        self.waiting: dict[Invocation, asyncio.Task[None]] = {}

    def __repr__(self) -> str:
        return f"<Runner: {len(self._ready)} ready, {len(self.waiting)} waiting>"

    def put(self, invocation: Invocation) -> None:
        """Run an invocation in this turn of the loop or the next; on the loop's thread."""
        self._ready.append(invocation)
        if self._task is None:
            self._task = self._loop.create_task(self._run())

    def cancel(self) -> None:
        """Cancel the handlers that wait."""
        for task in tuple(self.waiting.values()):
            task.cancel()

    async def _run(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this coroutine runs as a task
        try:
            waiting = self._run_ready(task)
        finally:
            self._task = self._loop.create_task(self._run()) if self._ready else None
        if waiting is not None:
            invocation, context, awaited = waiting
            self.waiting[invocation] = task
            try:
                await self._see_through(invocation, context, awaited)
            finally:
                del self.waiting[invocation]
            self._ended(invocation)

    def _run_ready(self, task: asyncio.Task[None]) -> tuple[Invocation, Context, Any] | None:
        """Run what is ready, until one waits: return that one, and what it waits for."""
        ready = self._ready
        now = monotonic()
        end = now + MAX_SHARE
        for _ in range(MAX_TURN):
            if not ready or now > end:
                break
            invocation = ready.popleft()
            if not invocation.is_void:
                invocation.started = now
                context = self._base.copy()
                try:
                    return invocation, context, context.run(invocation.begin)
                except StopIteration:
                    invocation.end()
                except BaseException as error:  # noqa: BLE001 - whatever it is, it ends one handler
                    invocation.end(error)
                now = self._look_at_clock(invocation, now)
            self._ended(invocation)
            if task.cancelling():
                break  # meant for the handler that has returned: the next must not find it
        return None

    @types.coroutine
    def _see_through(
        self, invocation: Invocation, context: Context, awaited: Any
    ) -> Generator[Any, Any, None]:
        """Drive a handler that waits to its end, passing on what it awaits to this task."""
        coroutine = invocation.coroutine
        assert coroutine is not None  # noqa: S101 - it has begun
        self._look_at_clock(invocation, invocation.started)
        step: Callable[..., Any]
        while True:
            value: Any = None
            try:
                value = yield awaited
                step = coroutine.send
            except GeneratorExit:
                context.run(coroutine.close)
                raise
            except BaseException as error:  # noqa: BLE001 - above all CancelledError
                step, value = coroutine.throw, error
            before = monotonic()
            try:
                awaited = context.run(step, value)
            except StopIteration:
                return invocation.end()
            except BaseException as error:  # noqa: BLE001 - as above
                return invocation.end(error)
            finally:
                self._look_at_clock(invocation, before)

    def _look_at_clock(self, invocation: Invocation, before: float) -> float:
        """Return what time it is; warn if the handler has held up the loop since `before`."""
        now = monotonic()
        if now - before > self._blocked:
            _logger.warning(
                "%s kept the event loop, and with it every client of this process, for %.1f s: "
                "await what takes long, or write the handler as def, which runs on a thread",
                invocation.handler.place,
                now - before,
                extra={"client_id": invocation.client_id},
            )
        return now
