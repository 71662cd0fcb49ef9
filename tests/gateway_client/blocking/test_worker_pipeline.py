"""The blocking pipeline inside a worker: what is kept, handed over and dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gateway_client import Pipeline
from gateway_client.blocking.worker_pipeline import WorkerPipeline
from gateway_client.calls.base import Call
from tests.gateway_client.test_inside import Worker


class Failing(Worker):
    """A worker that cannot run a pipeline."""

    def run_all(self, calls: Sequence[Call[Any]], timeout: float | None) -> list[Any]:
        raise RuntimeError("on the loop")


def test_commands_are_handed_over_when_the_block_ends() -> None:
    """All at once, with the timeout; each block has results of its own."""
    worker = Worker()
    pipeline = WorkerPipeline(worker, 3)
    assert isinstance(pipeline, Pipeline)
    for count in (2, 1):
        with pipeline as queued:
            for _ in range(count):
                queued.get_all_client_count()
            assert repr(pipeline) == f"<WorkerPipeline of {count} commands>"
            assert worker.calls == [("run_all", 3)] * (2 - count)
        assert pipeline.results == ["get_all_client_count"] * count


def test_a_block_that_raises_sends_nothing() -> None:
    """Its commands are dropped, and the error passes."""
    worker = Worker()
    pipeline = WorkerPipeline(worker, None)

    def block() -> None:
        with pipeline:
            pipeline.get_all_client_count()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        block()
    with pipeline:
        pass
    assert worker.calls == [("run_all", None)]
    assert pipeline.results == []


def test_commands_outside_of_the_block_are_refused() -> None:
    """Nothing would send them."""
    with pytest.raises(RuntimeError, match="outside of the pipeline"):
        WorkerPipeline(Worker(), None).get_all_client_count()


def test_what_the_worker_says_of_it_is_raised() -> None:
    """As on the thread of its loop, which cannot wait."""
    with (
        pytest.raises(RuntimeError, match="on the loop"),
        WorkerPipeline(Failing(), None) as queued,
    ):
        queued.get_all_client_count()
