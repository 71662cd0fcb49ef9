"""Runs `def` handlers on threads, and brings what became of them back to the loop.

Each handler runs in a context of its own. One that runs for long is nobody's fault and holds up its own
client only; but it holds a thread, and when all threads are held every client waits, so the log names it.
"""

from __future__ import annotations

import asyncio
import logging
from contextvars import copy_context
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from businessworker.invocation import Invocation
    from businessworker.mailbox import Mailbox
    from businessworker.threads import ThreadPool

__all__ = ["LONG", "BlockingRunner"]

_logger = logging.getLogger(__name__)

LONG: Final = 30.0
"""Seconds after which a handler on a thread is named: far beyond a slow query, and soon enough to be
read while it still runs."""


class BlockingRunner:
    """Runs invocations of `def` handlers on a pool of threads.

    Args:
        pool: The threads.
        mailbox: The way back onto the loop.
        ended: Called on the loop with each invocation that is over.
        around: Called on the thread before and after each handler, if not None.

    Attributes:
        running: The handlers that run now.
    """

    def __init__(
        self,
        pool: ThreadPool,
        mailbox: Mailbox,
        ended: Callable[[Invocation], None],
        around: Callable[[], None] | None,
    ) -> None:
        self._pool = pool
        self._mailbox = mailbox
        self._ended = ended
        self._around = around
        self._base = copy_context()
        self.running: set[Invocation] = set()

    def __repr__(self) -> str:
        return f"<BlockingRunner: {len(self.running)} running>"

    def put(self, invocation: Invocation) -> None:
        """Run an invocation on the next thread that is free; on the loop's thread."""
        self._pool.put(partial(self._run, invocation))

    async def call(self, function: Callable[..., object], *args: Any) -> None:
        """Call a function on a thread and wait for it; raises what it raises."""
        # A result, since no future takes a StopIteration as its exception.
        done: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        self._pool.put(partial(self._call, done, partial(function, *args)))
        error = await done
        if error is not None:
            raise error

    def warn_of_long(self, since: float) -> None:
        """Name in the log, once each, the handlers that have been running since then or longer."""
        for invocation in tuple(self.running):
            if invocation.started <= since and not invocation.is_warned:
                invocation.is_warned = True
                _logger.warning(
                    "%s has been running for %.1f s and holds one of the worker's threads",
                    invocation.handler.place,
                    monotonic() - invocation.started,
                    extra={"client_id": invocation.client_id},
                )

    def _run(self, invocation: Invocation) -> None:
        if not invocation.is_void:
            invocation.started = monotonic()
            self.running.add(invocation)
            try:
                self._base.copy().run(self._surrounded, invocation.perform)
            except BaseException as error:  # noqa: BLE001 - whatever it is, it ends one handler
                invocation.end(error)
            else:
                invocation.end()
            self.running.discard(invocation)
        self._mailbox.post(self._ended, invocation)

    def _surrounded(self, function: Callable[[], object]) -> None:
        if self._around is None:
            function()
            return
        self._around()
        try:
            function()
        finally:
            self._around()

    def _call(
        self, done: asyncio.Future[BaseException | None], function: Callable[[], object]
    ) -> None:
        try:
            self._base.copy().run(self._surrounded, function)
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            self._mailbox.post(_settle, done, error)
        else:
            self._mailbox.post(_settle, done, None)


def _settle(done: asyncio.Future[BaseException | None], error: BaseException | None) -> None:
    if not done.done():  # otherwise nobody waits any more
        done.set_result(error)
