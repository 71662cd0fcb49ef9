"""The blocking pipeline inside a business worker: its commands leave on the worker's links.

They are kept until the block ends, then handed to the worker's loop in one piece. What the thread sent
before has left by then, and what it sends afterwards leaves behind them.
"""

from __future__ import annotations

from typing import Any

from gateway_client.blocking.pipeline import Pipeline
from gateway_client.calls.base import Call
from gateway_client.inside import Inside
from gateway_client.pipeline_methods import OUTSIDE

__all__ = ["WorkerPipeline"]


class WorkerPipeline(Pipeline):
    """A `Pipeline` whose commands the worker runs.

    Attributes:
        results: After the block, for each command in order its value, or the exception that the
            method would have raised.
    """

    # It shares the block with a `Pipeline`, but none of what that keeps: the links are the worker's.
    def __init__(self, worker: Inside, timeout: float | None) -> None:
        self.results: list[Any] = []
        self._worker = worker
        self._patience = timeout
        self._is_inside = False
        self._calls: list[Call[Any]] = []

    def __repr__(self) -> str:
        return f"<WorkerPipeline of {len(self._calls)} commands>"

    def _queue(self, call: Call[Any]) -> None:
        if not self._is_inside:
            raise RuntimeError(OUTSIDE)
        self._calls.append(call)

    def _finish(self) -> None:
        calls, self._calls = self._calls, []
        self.results = self._worker.run_all(calls, self._patience)

    def _abandon(self) -> None:
        self._calls.clear()
