"""Runs the calls of `Gateway` and `AsyncGateway` on the links of this worker, whoever makes them.

What is called on the worker's own loop runs there. From every other thread, with a loop of its own or without,
it goes into the mailbox, through which `send_to_current_client` and the ends of handlers go too: so what one
thread says leaves in its order. A call leaves in the moment its letter is opened; only one whose gateway must be
looked up first waits, and with it the thread that made it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

from gateway_client.aio.pipeline import run_all
from gateway_client.calls.base import EveryCall
from gateway_client.errors import ReplyTimeout
from gateway_client.reached import GatewayFailure
from gateway_wire.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from businessworker.mailbox import Mailbox
    from gateway_client.aio.engine import Engine
    from gateway_client.calls.base import Call
    from gateway_client.tally import Tally

__all__ = ["OwnLinks"]

R = TypeVar("R")

Settle: TypeAlias = Callable[[Any, BaseException | None], None]
"""Takes what came of a call, on the worker's loop: its value, or its error."""

LOOP_GRACE: Final = 1.0
"""Seconds beyond its timeout for which a thread waits: the loop itself gives the call up when time is
over, so a loop that is later than this stands still."""

_logger = logging.getLogger(__name__)

_ON_LOOP: Final = (
    "Gateway.{name} was called on the thread of the worker's event loop, which it would block: in "
    "async def handlers use await AsyncGateway.{name}(...); what is to run once at the start, not "
    "while the module is imported, belongs into on_worker_start"
)


class OwnLinks:
    """What this worker does for the class-level clients (a `gateway_client.inside.Inside`).

    Args:
        engine: Has the links; it belongs to the running loop.
        mailbox: The way onto that loop.

    Attributes:
        calls: How many calls were made.
    """

    def __init__(self, engine: Engine, mailbox: Mailbox) -> None:
        self.max_message = engine.cluster.config.max_message
        self.calls = 0
        self._engine = engine
        self._mailbox = mailbox
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()

    def __repr__(self) -> str:
        return f"<OwnLinks {self.calls} calls>"

    @property
    def lost(self) -> int:
        """How many commands of unconfirmed sends certainly did not reach a gateway."""
        return self._engine.losses.count

    # gateway_client.inside.Inside

    def run(self, call: Call[R]) -> R:
        """Run a call and wait for its result, on any thread but that of the worker's loop.

        Raises:
            RuntimeError: On that thread.
            GatewayError: As the call's method says.
        """
        self.refuse_on_loop(call.name)
        if self._leaves_at_once(call):
            self._mailbox.post(self._begin, call, _forget)
            return cast("R", None)
        waiter = _Waiter()
        self._mailbox.post(self._begin, call, waiter.settle)
        timeout = self._engine.timeout_of(call)
        return cast("R", waiter.result(timeout, timeout + LOOP_GRACE))

    async def run_async(self, call: Call[R]) -> R:
        """Run a call, on any running loop.

        Raises:
            GatewayError: As the call's method says.
        """
        if asyncio.get_running_loop() is self._loop:
            self.calls += 1
            return await self._engine.run(call)
        if self._leaves_at_once(call):
            self._mailbox.post(self._begin, call, _forget)
            return cast("R", None)
        return cast("R", await self._carry(self._begin, call))

    def run_all(self, calls: Sequence[Call[Any]], timeout: float | None) -> list[Any]:
        """Run the calls of a pipeline, and give a value or an exception for each.

        Raises:
            RuntimeError: On the thread of the worker's loop.
        """
        self.refuse_on_loop("pipeline")
        waiter = _Waiter()
        self._mailbox.post(self._begin_all, calls, timeout, waiter.settle)
        return cast("list[Any]", waiter.result())

    async def run_all_async(self, calls: Sequence[Call[Any]], timeout: float | None) -> list[Any]:
        """Do the same on any running loop."""
        if asyncio.get_running_loop() is self._loop:
            self.calls += len(calls)
            return await run_all(self._engine, calls, timeout)
        return cast("list[Any]", await self._carry(self._begin_all, calls, timeout))

    # On the caller's thread

    def refuse_on_loop(self, name: str) -> None:
        """Refuse to block the thread of the worker's loop.

        Raises:
            RuntimeError: On that thread.
        """
        if self._mailbox.is_here:
            raise RuntimeError(_ON_LOOP.format(name=name))

    def _leaves_at_once(self, call: Call[Any]) -> bool:
        """Return whether nothing that the caller should hear of can become of a call."""
        if call.confirm:
            return False
        cluster = self._engine.cluster
        has_nodes = bool(cluster.directory.nodes) or not isinstance(call, EveryCall)
        return has_nodes and not cluster.unknown(call, self._loop.time())

    async def _carry(self, begin: Callable[..., None], *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[Any] = loop.create_future()

        def settle(value: Any, error: BaseException | None) -> None:
            with suppress(RuntimeError):  # that loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_set, arrived, value, error)

        self._mailbox.post(partial(begin, *arguments, settle))
        return await arrived

    # On the worker's loop

    def _begin(self, call: Call[Any], settle: Settle) -> None:
        engine = self._engine
        self.calls += 1
        deadline = self._loop.time() + engine.timeout_of(call)
        try:
            if not engine.make_ready(call):
                self._start(engine.run(call), settle)
                return
            asked = engine.ask(call)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the caller's
            engine.losses.count += not call.confirm
            settle(None, error)
            return
        if not asked.tally.open:
            self._conclude(asked.tally, settle)
            return

        def settled(tally: Tally[Any]) -> None:
            timer.cancel()
            self._conclude(tally, settle)

        timer = engine.call_when_settled(asked, deadline, settled)

    def _conclude(self, tally: Tally[Any], settle: Settle) -> None:
        try:
            value = self._engine.conclude(tally)
        except Exception as error:  # noqa: BLE001 - as above
            settle(None, error)
        else:
            settle(value, None)

    def _begin_all(self, calls: Sequence[Call[Any]], timeout: float | None, settle: Settle) -> None:
        self.calls += len(calls)
        self._start(run_all(self._engine, calls, timeout), settle)

    def _start(self, work: Coroutine[Any, Any, Any], settle: Settle) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)

        def ended(task: asyncio.Task[Any]) -> None:
            self._tasks.discard(task)
            if task.cancelled():
                settle(None, GatewayError("the worker ended before the call did"))
            else:
                error = task.exception()
                settle(None if error else task.result(), error)

        task.add_done_callback(ended)


class _Waiter:
    """A thread that waits for one result."""

    __slots__ = ("_arrived", "_error", "_value")

    def __init__(self) -> None:
        # A lock alone costs a tenth of a future, or of an event with its condition.
        self._arrived = threading.Lock()
        self._arrived.acquire()
        self._value: Any = None
        self._error: BaseException | None = None

    def settle(self, value: Any, error: BaseException | None) -> None:
        """Give it the result."""
        self._value, self._error = value, error
        self._arrived.release()

    def result(self, timeout: float = 0.0, patience: float = -1) -> Any:
        """Wait for the result; without end if `patience` is -1.

        Raises:
            ReplyTimeout: If it took longer than `patience`.
        """
        if not self._arrived.acquire(timeout=patience):
            reason = (
                f"did not answer within {timeout:g} s: an async def handler blocks it; its log "
                "names the handler"
            )
            raise ReplyTimeout([GatewayFailure("this worker's event loop", "", reason)])
        if self._error is not None:
            raise self._error
        return self._value


def _set(arrived: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if arrived.done():  # its caller was cancelled
        return
    if error is None:
        arrived.set_result(value)
    else:
        arrived.set_exception(error)


def _forget(_: Any, error: BaseException | None) -> None:
    """Take what came of an unconfirmed send: it is counted as lost, and nobody waits for it."""
    if error is not None:
        _logger.debug("an unconfirmed send was lost: %s", error)
