"""Round trips browser -> gateway -> worker -> gateway -> browser, each browser waiting for its answer.

One gateway process and one worker process with default settings, beside the C server's echo. Worker
and crowd share what the gateway leaves of the machine, so rates say as much of that as of us.
"""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.cluster import Cluster, daemon
from bench.crowd import Crowd
from bench.programs import HERE
from bench.table import Bound, Row

if TYPE_CHECKING:
    from bench.crowd import Rounds
    from bench.plan import Plan
    from bench.programs import Program
    from bench.table import Measured

__all__ = ["rounds"]

BROWSERS: Final = 1_000
"""As GatewayWorker was measured."""

TURNS: Final = 3
"""Times that ours and the C server are measured in turn."""

SECONDS: Final = 0.7
"""How long a turn lasts, unless the plan says otherwise."""

EXPECTED: Final = {"Coroutines": 40_000, "Threads": 20_000}
"""Rounds a second that are expected of each kind of handler."""

SHOWN: Final = {"Coroutines": "async def", "Threads": "def"}


class _Turn(NamedTuple):
    """One turn: what came of it, and microseconds of CPU per round in gateway and worker."""

    rounds: Rounds
    gateway_us: float
    worker_us: float


def rounds(plan: Plan) -> Measured:
    """Browser to worker and back, with both kinds of handlers, one after the other."""
    stage = plan.stage
    with Crowd(stage.floor_port, min(BROWSERS, stage.size)) as floor:
        seconds = plan.seconds_of(SECONDS)
        return [row for kind in EXPECTED for row in _of_kind(kind, floor, seconds)]


def _of_kind(kind: str, floor: Crowd, seconds: float) -> Measured:
    ours: list[_Turn] = []
    of_floor: list[Rounds] = []
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster())
        events = [f"bench.echo:{kind}", "--app-dir", str(HERE.parent)]
        worker = stack.enter_context(
            daemon("businessworker", *events, "--register", cluster.register)
        )
        worker.line("ready")
        crowd = stack.enter_context(Crowd(cluster.port, floor.size))
        crowd.rounds(seconds / 10)  # everybody is bound to the worker now
        for _ in range(TURNS):
            of_floor.append(floor.rounds(seconds))
            ours.append(_turn(crowd, cluster.gateway, worker, seconds))
    return _rows(kind, ours, of_floor)


def _turn(crowd: Crowd, gateway: Program, worker: Program, seconds: float) -> _Turn:
    before = gateway.cpu_ns(), worker.cpu_ns()
    result = crowd.rounds(seconds)
    of_gateway, of_worker = gateway.cpu_ns() - before[0], worker.cpu_ns() - before[1]
    return _Turn(result, of_gateway / 1000 / result.rounds, of_worker / 1000 / result.rounds)


def _rows(kind: str, ours: list[_Turn], floor: list[Rounds]) -> Measured:
    name = f"rounds, {SHOWN[kind]}"
    # The best: what else runs on the machine only ever takes away.
    rate = max(turn.rounds.rate for turn in ours)
    floor_rate = max(turn.rate for turn in floor)
    p99_ms = median(turn.rounds.p99_us for turn in ours) / 1000
    floor_p99_ms = median(turn.p99_us for turn in floor) / 1000
    bound = Bound(EXPECTED[kind], at_least=True)
    crowd_us = median(turn.rounds.crowd_cpu_us for turn in ours)
    return [
        Row("rounds", name, "/s", rate, floor_rate, bound),
        Row("rounds", f"{name}: CPU of the gateway", "µs", median(t.gateway_us for t in ours)),
        Row("rounds", f"{name}: CPU of the worker", "µs", median(t.worker_us for t in ours)),
        Row("rounds", f"{name}: latency, p99", "ms", p99_ms, floor_p99_ms),
        Row("rounds", "  CPU of the crowd, each", "µs", crowd_us),
    ]
