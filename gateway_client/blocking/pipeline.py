"""The blocking pipeline: many commands, one round trip per gateway, in order.

Commands are encoded as they are queued. What waits for one gateway leaves when it is `FLUSH_AT`
bytes, and answers are read meanwhile, so that neither side's buffers fill up while the other waits,
and a pipeline of any length holds a bounded number of bytes.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Final, Self

from gateway_client.blocking.engine import Engine
from gateway_client.blocking.switchboard import drive
from gateway_client.blocking.talk import Talk
from gateway_client.calls.base import Call
from gateway_client.directory import Node
from gateway_client.pipeline_methods import PipelineMethods
from gateway_client.tally import Miss, Request, Tally
from gateway_wire.errors import GatewayError

__all__ = ["FLUSH_AT", "Pipeline"]

FLUSH_AT: Final = 128 * 1024
"""Bytes for one gateway at which they are written without waiting for the end of the block."""


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
        self._tallies: list[Any] = []
        self._talks: dict[Node, Talk] = {}

    def __repr__(self) -> str:
        return f"<Pipeline of {len(self._tallies)} commands to {len(self._talks)} gateways>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self._finish()
        else:
            self._engine.abandon(self._talks.values())

    def _queue(self, call: Call[Any]) -> None:
        now = time.monotonic()
        try:
            tally, asks = self._engine.plan(call, now, self._timeout)
        except GatewayError as error:
            self._tallies.append(error)
            return
        self._tallies.append(tally)
        for node, command in asks:
            talk = self._talks.get(node) or self._connect(node, tally, now)
            if talk is None:
                continue
            frame, request_id = self._engine.encode(command, confirm=call.confirm)
            talk.say(frame, Request(tally, node, type(command)), request_id)
            if talk.unwritten > FLUSH_AT:
                self._drive(FLUSH_AT)

    def _connect(self, node: Node, tally: Tally[Any], now: float) -> Talk | None:
        talk = self._engine.switchboard.connect(node, now, self._timeout, is_long=True)
        if isinstance(talk, str):
            tally.skipped(Miss(node, talk, sent=False))
            return None
        self._talks[node] = talk
        return talk

    def _drive(self, unwritten: int | None = None) -> None:
        try:
            drive(self._talks.values(), unwritten)
        except BaseException:
            self._engine.abandon(self._talks.values())
            raise

    def _finish(self) -> None:
        self._drive()
        for talk in self._talks.values():
            self._engine.switchboard.release(talk)
        self.results = [self._conclude(each) for each in self._tallies]
        self._tallies.clear()
        self._talks.clear()

    def _conclude(self, tally: Tally[Any] | GatewayError) -> Any:
        if isinstance(tally, GatewayError):
            return tally
        try:
            return self._engine.conclude(tally)
        except GatewayError as error:
            return error
