"""The blocking pipeline: many commands, one round trip per gateway, in order.

Commands are encoded as they are queued. What waits for one gateway leaves when it is `FLUSH_AT`
bytes, and answers are read meanwhile, so that neither side's buffers fill up while the other waits,
and a pipeline of any length holds a bounded number of bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

from gateway_client.blocking.engine import Engine
from gateway_client.blocking.switchboard import drive
from gateway_client.blocking.talk import Talk
from gateway_client.calls.base import Call
from gateway_client.cluster import encode_asks
from gateway_client.directory import Node
from gateway_client.pipeline_methods import OUTSIDE, PipelineMethods
from gateway_client.tally import Miss, Request, Tally
from gateway_wire.errors import GatewayError

__all__ = ["FLUSH_AT", "Pipeline"]

FLUSH_AT: Final = 128 * 1024
"""Bytes for one gateway at which they are written without waiting for the end of the block."""

SEND_AT: Final = 16 * 1024
"""Bytes for one gateway that are offered to the kernel without waiting for anything, so that the
gateway works on them while further commands are encoded."""

MAX_OPEN: Final = 2048
"""Commands that one gateway may leave unanswered: some 10 ms of its work, so that neither it nor
this side is ever idle, and few enough objects for Python's garbage collector."""

LOOK_EVERY: Final = 0.01
"""Seconds for which a look at the registers holds: a pipeline need not look at each command."""


class Pipeline(PipelineMethods):
    """Queues commands; its methods are those of the client and return None.

    Leaving the `with` block waits for the answers. A long pipeline begins to send before; if the
    block raises, what has not been sent is dropped, and `results` stays empty.

    Attributes:
        results: After the block, for each command in order its value, or the exception that the
            method would have raised.
    """

    def __init__(self, engine: Engine, timeout: float) -> None:
        self.results: list[Any] = []
        self._engine = engine
        self._timeout = timeout
        self._is_inside = False
        # The results so far; a command's place holds None until it is settled.
        self._settled: list[Any] = []
        self._talks: dict[Node, Talk] = {}

    def __repr__(self) -> str:
        return f"<Pipeline of {len(self._settled)} commands to {len(self._talks)} gateways>"

    def __enter__(self) -> Self:
        self._is_inside = True
        self._on_settled = self._settle  # one bound method for all, of which thousands would wait
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_inside = False
        if error is None:
            self._finish()
        else:
            self._abandon()
        del self._on_settled  # it holds this pipeline

    def _queue(self, call: Call[Any]) -> None:
        if not self._is_inside:
            raise RuntimeError(OUTSIDE)
        now = time.monotonic()
        engine = self._engine
        try:
            tally, asks = engine.plan(call, now, self._timeout, LOOK_EVERY)
        except GatewayError as error:
            self._settled.append(error)
            return
        request_id = engine.next_request_id() if call.confirm else 0
        frames = encode_asks(asks, request_id)
        tally.place = len(self._settled)
        self._settled.append(None)
        for (node, command), frame in zip(asks, frames, strict=True):
            talk = self._talks.get(node) or self._connect(node, tally, now)
            if talk is None:
                continue
            talk.say(frame, Request(tally, node, type(command)), request_id)
            if not talk.has_room(SEND_AT, MAX_OPEN):
                self._relieve(talk, now)
        if tally.open:
            tally.on_settled = self._on_settled
        else:
            self._settle(tally)

    def _connect(self, node: Node, tally: Tally[Any], now: float) -> Talk | None:
        talk = self._engine.switchboard.connect(node, now, self._timeout, is_long=True)
        if isinstance(talk, str):
            tally.skipped(Miss(node, talk, sent=False))
            return None
        self._talks[node] = talk
        return talk

    def _relieve(self, talk: Talk, now: float) -> None:
        """Send what has come together; wait for answers if there is too much even so."""
        talk.flush(now)
        if not talk.has_room(FLUSH_AT, MAX_OPEN):
            self._drive(_has_room)

    def _drive(self, is_enough: Callable[[Talk], bool] = Talk.has_finished) -> None:
        try:
            drive(tuple(self._talks.values()), is_enough)
        except BaseException:
            self._abandon()
            raise

    def _abandon(self) -> None:
        self._engine.abandon(self._talks.values())

    def _settle(self, tally: Tally[Any]) -> None:
        """Keep the result alone: a long pipeline would otherwise hold all its commands."""
        try:
            self._settled[tally.place] = self._engine.conclude(tally)
        except GatewayError as error:
            self._settled[tally.place] = error

    def _finish(self) -> None:
        self._drive()
        for talk in self._talks.values():
            self._engine.switchboard.release(talk)
        self._talks.clear()
        self.results, self._settled = self._settled, []


def _has_room(talk: Talk) -> bool:
    """Return whether a talk is through with half of what it may hold, so that it moves in bulk."""
    return talk.has_finished() or talk.has_room(FLUSH_AT // 2, MAX_OPEN // 2)
