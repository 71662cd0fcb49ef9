"""What one thread of a backend gets done: calls that wait for their answer, and pipelines."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.crowd import message
from bench.programs import BenchError
from bench.table import Bound, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.stage import Stage

__all__ = ["calls", "pipelined", "uids"]

TURNS: Final = 3
"""Times that each is measured; the median counts."""

CALLS: Final = 10_000
"""Calls a turn, one after another."""

COMMANDS: Final = 100_000
"""Commands a turn, in one pipeline."""

UIDS: Final = 1_000
"""Different uids that are sent to."""
SENDS: Final = 50_000
"""Sends a turn, in one pipeline."""


def calls(stage: Stage) -> list[Row]:
    """Blocking calls, each answered before the next."""
    client_id = stage.client_ids[0]
    client = stage.client
    asked = _rate(CALLS, lambda: _repeat(CALLS, lambda: client.is_online(client_id)))
    text = message(0)
    sent = _rate(CALLS, lambda: _repeat(CALLS, lambda: client.send_to_client(client_id, text)))
    bound = Bound(12_000, at_least=True)
    return [
        Row("calls", "confirmed calls: is_online", "/s", asked, None, bound),
        Row("calls", "confirmed calls: send_to_client", "/s", sent, None, bound),
    ]


def pipelined(stage: Stage) -> list[Row]:
    """Commands of which each asks for an answer, but none waits for one."""
    client_ids = [stage.client_ids[number % stage.size] for number in range(COMMANDS)]

    def ask() -> None:
        with stage.client.pipeline() as pipeline:
            for client_id in client_ids:
                pipeline.is_online(client_id)
        if not all(result is True for result in pipeline.results):
            raise BenchError("a pipelined command failed")

    rate = _rate(COMMANDS, ask)
    bound = Bound(100_000, at_least=True)
    return [Row("pipelined", "pipelined commands: is_online", "/s", rate, None, bound)]


def uids(stage: Stage) -> list[Row]:
    """Pipelined messages to different users, of which each is one delivery."""
    count = min(UIDS, stage.size)
    with stage.client.pipeline() as pipeline:
        for number, client_id in enumerate(stage.client_ids[:count]):
            pipeline.bind_uid(client_id, f"user{number}")
    text = message(0)
    names = [f"user{number % count}" for number in range(SENDS)]

    def send() -> None:
        with stage.client.pipeline() as pipeline:
            for name in names:
                pipeline.send_to_uid(name, text)

    cpu = stage.gateway.cpu_ns()
    rate = _rate(SENDS, send)
    cpu_us = (stage.gateway.cpu_ns() - cpu) / 1000 / (SENDS * TURNS)
    return [
        Row("uids", f"pipelined sends to {count:,} uids", "/s", rate),
        Row("uids", "the same: CPU per send", "µs", cpu_us),
    ]


def _rate(count: int, work: Callable[[], None]) -> float:
    seconds = []
    for _ in range(TURNS):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return count / median(seconds)


def _repeat(count: int, call: Callable[[], object]) -> None:
    for _ in range(count):
        call()
