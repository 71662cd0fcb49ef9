"""The asyncio pipeline: many commands, in order, one round trip per gateway.

Commands are kept until the block ends, and then encoded and sent to all gateways side by side, each
with at most `WINDOW` bytes that it has not answered, so that a pipeline of any length holds a bounded
number of unsent bytes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from gateway_client.aio.engine import Engine
from gateway_client.aio.outlet import Outlet
from gateway_client.calls.base import Call
from gateway_client.directory import Node
from gateway_client.pipeline_methods import OUTSIDE, PipelineMethods
from gateway_client.tally import Request, Tally
from gateway_wire.commands import Command
from gateway_wire.errors import GatewayError

__all__ = ["WINDOW", "AsyncPipeline", "RunAll", "run_all"]

RunAll: TypeAlias = Callable[[Sequence[Call[Any]], float | None], Awaitable[list[Any]]]
"""Runs calls within a timeout, as `run_all` does, and gives a value or an exception for each."""

WINDOW: Final = 1024 * 1024
"""Bytes that one gateway may be sent before it answers: far more than a round trip needs."""

_YIELD_EVERY: Final = 1_000
"""Commands after which other tasks have their turn."""


class _Sent(Request):
    """A command of a pipeline, which tells its lane when it is finished."""

    __slots__ = ("lane", "request_id", "size")

    def __init__(self, tally: Tally[Any], node: Node, kind: type[Command], lane: _Lane) -> None:
        super().__init__(tally, node, kind)
        self.lane = lane
        self.request_id = 0
        self.size = 0

    def receive(self, answer: object) -> bool:
        """Take an answer, or a part of one."""
        is_finished = super().receive(answer)
        self.lane.heard(self, is_finished=is_finished)
        return is_finished

    def fail(self, reason: str, *, sent: bool, error: GatewayError | None = None) -> None:
        """Take note that no answer will come."""
        super().fail(reason, sent=sent, error=error)
        self.lane.heard(self, is_finished=True)


class _Lane:
    """What one pipeline says to one gateway."""

    __slots__ = ("_engine", "_open", "_outlet", "_progress", "_size", "_timeout", "commands")

    def __init__(self, engine: Engine, node: Node, timeout: float) -> None:
        self.commands: deque[tuple[Command, _Sent]] = deque()
        self._engine = engine
        self._outlet: Outlet = engine.outlet_to(node)
        self._timeout = timeout
        self._open: dict[int, _Sent] = {}
        self._size = 0
        self._progress: asyncio.Future[None] | None = None

    async def send(self) -> None:
        """Send all commands and wait for their answers."""
        try:
            while self.commands:
                if self._size > WINDOW:
                    await self._wait_below(WINDOW // 2)
                    continue
                self._say(*self.commands.popleft())
                if len(self.commands) % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
            await self._wait_below(0)
        except asyncio.CancelledError:
            for request_id in self._open:
                self._outlet.abandon(request_id)
            raise

    def heard(self, sent: _Sent, *, is_finished: bool) -> None:
        """A command was answered, in part or whole, or failed."""
        if is_finished and self._open.pop(sent.request_id, None) is not None:
            self._size -= sent.size
        if self._progress is not None and not self._progress.done():
            self._progress.set_result(None)

    def _say(self, command: Command, sent: _Sent) -> None:
        try:
            frame, sent.request_id = self._engine.encode(command)
        except ValueError as error:  # too large for a frame, or a text that UTF-8 cannot carry
            known = error if isinstance(error, GatewayError) else None
            sent.fail(f"was not asked: {error}", sent=False, error=known)
            return
        sent.size = len(frame)
        self._open[sent.request_id] = sent
        self._size += sent.size
        self._outlet.say(frame, sent, sent.request_id, confirm=True)

    async def _wait_below(self, size: int) -> None:
        loop = asyncio.get_running_loop()
        while self._size > size:
            self._progress = loop.create_future()
            done, _ = await asyncio.wait([self._progress], timeout=self._timeout)
            if not done:
                self._time_out(loop.time())

    def _time_out(self, now: float) -> None:
        for request_id in tuple(self._open):
            self._outlet.time_out(request_id, self._timeout, now)
        while self.commands:
            _, sent = self.commands.popleft()
            sent.fail("did not answer what was sent before", sent=False)


class AsyncPipeline(PipelineMethods):
    """Queues commands; its methods are those of the client, without await, and return None.

    Leaving the `async with` block sends them and waits for the answers; if the block raises, nothing
    is sent and `results` stays empty.

    Attributes:
        results: After the block, for each command in order its value, or the exception that the
            method would have raised.
    """

    def __init__(self, run: RunAll, timeout: float | None) -> None:
        self.results: list[Any] = []
        self._run = run
        self._timeout = timeout
        self._is_inside = False
        self._calls: list[Call[Any]] = []

    def __repr__(self) -> str:
        return f"<AsyncPipeline of {len(self._calls)} commands>"

    async def __aenter__(self) -> Self:
        self._is_inside = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_inside = False
        if error is None:
            calls, self._calls = self._calls, []
            self.results = await self._run(calls, self._timeout)

    def _queue(self, call: Call[Any]) -> None:
        if not self._is_inside:
            raise RuntimeError(OUTSIDE)
        self._calls.append(call)


async def run_all(engine: Engine, calls: Sequence[Call[Any]], timeout: float | None) -> list[Any]:
    """Run calls in their order, side by side to all gateways.

    Args:
        engine: What has the links.
        calls: What to run.
        timeout: Seconds after which a gateway that shows no progress has timed out; the engine's own
            if None.

    Returns:
        For each call its value, or the exception that the method would have raised.
    """
    if timeout is None:
        timeout = engine.cluster.config.timeout
    lanes: dict[Node, _Lane] = {}
    tallies = []
    for call in calls:
        tallies.append(await _plan(call, engine, lanes, timeout))
        if len(tallies) % _YIELD_EVERY == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*(lane.send() for lane in lanes.values()))
    return [_conclude(each, engine) for each in tallies]


async def _plan(
    call: Call[Any], engine: Engine, lanes: dict[Node, _Lane], timeout: float
) -> Tally[Any] | GatewayError:
    try:
        tally, asks = await engine.plan(call, timeout)
    except GatewayError as error:
        return error
    for node, command in asks:
        lane = lanes.get(node)
        if lane is None:
            lane = lanes[node] = _Lane(engine, node, timeout)
        lane.commands.append((command, _Sent(tally, node, type(command), lane)))
    return tally


def _conclude(tally: Tally[Any] | GatewayError, engine: Engine) -> Any:
    if isinstance(tally, GatewayError):
        return tally
    try:
        return engine.conclude(tally)
    except GatewayError as error:
        return error
