"""What one thread of a backend gets done: calls that wait for their answer, and pipelines.

A rate is that of the best of several turns: what else runs on the machine only ever takes away. The
CPU beside it is the middle one.
"""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.bare_link import BareLink
from bench.crowd import message
from bench.programs import BenchError
from bench.table import Bound, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.stage import Stage

__all__ = ["calls", "pipelined", "uids"]

TURNS: Final = 10
"""Times that each is measured."""

CALLS: Final = 2_000
"""Calls a turn, one after another."""

COMMANDS: Final = 20_000
"""Commands a turn, in one pipeline."""

UIDS: Final = 1_000
"""Different uids that are sent to."""


class _Turn(NamedTuple):
    """Seconds of one turn: of the clock, of the caller's CPU, of the gateway's; and of the floor."""

    elapsed: float
    caller: float
    gateway: float
    floor: float


def calls(stage: Stage) -> list[Row]:
    """Blocking calls, each answered before the next."""
    client, client_id, text = stage.client, stage.client_ids[0], message(0)

    def ask() -> None:
        for _ in range(CALLS):
            client.is_online(client_id)

    def send() -> None:
        for _ in range(CALLS):
            client.send_to_client(client_id, text)

    bound = Bound(12_000, at_least=True)
    with BareLink() as bare:
        asked = _turns(stage, ask, lambda: bare.ask(client_id, CALLS))
    return [
        *_rows("calls", "confirmed calls: is_online", CALLS, asked, bound),
        *_rows("calls", "confirmed calls: send_to_client", CALLS, _turns(stage, send)),
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

    with BareLink() as bare:
        turns = _turns(stage, ask, lambda: bare.pipeline(client_ids))
    bound = Bound(100_000, at_least=True)
    return _rows("pipelined", "pipelined commands: is_online", COMMANDS, turns, bound)


def uids(stage: Stage) -> list[Row]:
    """Pipelined messages to different users, of which each is one delivery."""
    count = min(UIDS, stage.size)
    with stage.client.pipeline() as pipeline:
        for number, client_id in enumerate(stage.client_ids[:count]):
            pipeline.bind_uid(client_id, f"user{number}")
    text = message(0)
    names = [f"user{number % count}" for number in range(COMMANDS)]

    def send() -> None:
        with stage.client.pipeline() as pipeline:
            for name in names:
                pipeline.send_to_uid(name, text)

    return _rows("uids", f"pipelined sends to {count:,} uids", COMMANDS, _turns(stage, send))


def _turns(
    stage: Stage, work: Callable[[], None], floor: Callable[[], None] = lambda: None
) -> list[_Turn]:
    """Do some work and its floor in turns, so that both meet the machine in the same mood."""
    turns = []
    for _ in range(TURNS):
        begin = time.perf_counter(), time.thread_time(), stage.gateway.cpu_ns()
        work()
        elapsed, caller = time.perf_counter() - begin[0], time.thread_time() - begin[1]
        gateway = (stage.gateway.cpu_ns() - begin[2]) / 1e9
        begin_floor = time.perf_counter()
        floor()
        turns.append(_Turn(elapsed, caller, gateway, time.perf_counter() - begin_floor))
    return turns


def _rows(
    case: str, what: str, count: int, turns: list[_Turn], bound: Bound | None = None
) -> list[Row]:
    caller = median(turn.caller for turn in turns)
    gateway = median(turn.gateway for turn in turns)
    rate = count / min(turn.elapsed for turn in turns)
    floor = count / min(turn.floor for turn in turns) if bound else None
    return [
        Row(case, what, "/s", rate, floor, bound),
        Row(case, "  CPU of the caller, each", "µs", caller / count * 1e6),
        Row(case, "  CPU of the gateway, each", "µs", gateway / count * 1e6),
    ]
