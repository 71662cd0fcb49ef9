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
    from collections.abc import Callable, Iterable

    from bench.plan import Plan
    from bench.stage import Stage
    from bench.table import Measured

__all__ = ["calls", "pipelined"]

TURNS: Final = 10
"""Times that each is measured."""

CALLS: Final = 2_000
"""Calls a turn, one after another."""

COMMANDS: Final = 20_000
"""Commands a turn, in one pipeline."""


class _Turn(NamedTuple):
    """Seconds of one turn: of the clock, of the caller's CPU, of the gateway's; and of the floor."""

    elapsed: float
    caller: float
    gateway: float
    floor: float


def calls(plan: Plan) -> Measured:
    """Blocking calls from one thread, each answered before the next."""
    stage = plan.stage
    client, client_id, text = stage.client, stage.client_ids[0], message(0)

    def ask() -> None:
        _check(client.is_online(client_id) for _ in range(CALLS))

    def send() -> None:
        _check(client.send_to_client(client_id, text) == 1 for _ in range(CALLS))

    bound = Bound(18_000, at_least=True)
    with BareLink() as bare:
        asked = _turns(stage, ask, lambda: bare.ask(client_id, CALLS))
    return [
        *_rows("calls", "confirmed calls: is_online", CALLS, asked, bound),
        *_rows("calls", "confirmed calls: send_to_client", CALLS, _turns(stage, send)),
    ]


def pipelined(plan: Plan) -> Measured:
    """Commands of which each asks for an answer, but none waits for one."""
    stage = plan.stage
    uids = [f"asked{number}" for number in range(stage.size)]
    with stage.client.pipeline() as pipeline:
        for client_id, uid in zip(stage.client_ids, uids, strict=True):
            pipeline.bind_uid(client_id, uid)
    asked = [uids[number % stage.size] for number in range(COMMANDS)]

    def ask() -> None:
        with stage.client.pipeline() as pipeline:
            for uid in asked:
                pipeline.is_uid_online(uid)
        _check(pipeline.results)

    with BareLink() as bare:
        turns = _turns(stage, ask, lambda: bare.pipeline(asked))
    bound = Bound(150_000, at_least=True)
    return _rows("pipelined", "pipelined commands: is_uid_online", COMMANDS, turns, bound)


def _check(answers: Iterable[object]) -> None:
    if not all(answer is True for answer in answers):
        raise BenchError("an answer is wrong")


def _turns(
    stage: Stage, work: Callable[[], None], floor: Callable[[], None] = lambda: None
) -> list[_Turn]:
    """Do some work and its floor in turns, so that a busy machine disturbs both alike."""
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
) -> Measured:
    caller = median(turn.caller for turn in turns)
    gateway = median(turn.gateway for turn in turns)
    rate = count / min(turn.elapsed for turn in turns)
    floor = count / min(turn.floor for turn in turns) if bound else None
    return [
        Row(case, what, "/s", rate, floor, bound),
        Row(case, "  CPU of the caller, each", "µs", caller / count * 1e6),
        Row(case, "  CPU of the gateway, each", "µs", gateway / count * 1e6),
    ]
