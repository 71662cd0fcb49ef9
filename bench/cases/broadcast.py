"""One group of all browsers, 128 bytes a message: what a delivery costs the gateway's process.

*Spaced* is a message now and then: every delivery is a `send()` of its own, as in the C loop. *Stream* is
a publisher that pipelines batches and awaits each: frames that wait for the same browser leave together.
"""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.crowd import message
from bench.stage import GROUP
from bench.table import Bound, Row, Series
from bench.turns import BATCH, TURNS, Turn, Turns, Walks, floor_turn, publish_batches, turn, walks

if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.stage import Stage
    from bench.table import Measured

__all__ = ["latency", "spaced", "stream"]

INTERVAL: Final = 0.1
"""Seconds between two spaced messages."""
SPACED: Final = 20
"""Spaced messages a turn: 80,000 deliveries to 4,000 browsers."""

BATCHES: Final = 8
"""Batches a turn: 1,600,000 deliveries to 4,000 browsers."""
FLOOR_ROUNDS: Final = 60
"""Messages a turn of the C loop, back to back: one costs it as much as any other."""


def spaced(plan: Plan) -> Measured:
    """CPU per delivery of messages at an even pace."""
    ours, floor = _spaced_turns(plan.stage)
    bound = Bound(1.3, of_ratio=True)
    return [
        Row("spaced", "spaced: CPU per delivery", "µs", ours.cpu_us, floor.cpu_us, bound),
        ours.crowd_row("spaced"),
    ]


def latency(plan: Plan) -> Measured:
    """Time from the call to the browser, of ten messages a second."""
    stage = plan.stage
    ours, floor = _spaced_turns(stage)
    bound = Bound(1.3, of_ratio=True)
    return [
        Row(
            "latency", "latency, p99, by the C loop's walk", "ms", ours.p99_ms, floor.walk_ms, bound
        ),
        Row("latency", "latency, p99", "ms", ours.p99_ms, floor.p99_ms),
        Row("latency", "latency, median", "ms", ours.p50_ms, floor.p50_ms),
        _quantiles("gateway", stage.crowd.quantiles_us()),
        _quantiles("C loop", stage.floor_crowd.quantiles_us()),
    ]


def stream(plan: Plan) -> Measured:
    """As many messages as one publisher and the gateway can do."""
    stage, messages = plan.stage, BATCH * BATCHES
    floor, ours, apart = [], [], []
    for _ in range(TURNS):
        floor.append(floor_turn(stage, FLOOR_ROUNDS))
        stage.crowd.expect(messages)
        ours.append(
            turn(stage.cluster, stage.crowd, lambda: publish_batches(stage.client, messages))
        )
        apart.append(_batches_apart(stage))
    return _stream_rows(Turns(ours), Turns(floor), apart)


def _batches_apart(stage: Stage) -> Walks:
    """Publish each batch when all have the one before, so that no `send()` has more than one batch."""
    return walks(
        stage.cluster,
        [stage.crowd],
        [BATCH] * BATCHES,
        lambda count: publish_batches(stage.client, count),
    )


def _stream_rows(ours: Turns, floor: Turns, apart: list[Walks]) -> Measured:
    rate = Bound(1_000_000, at_least=True)
    cpu_us, frames = median(each.cpu_us for each in apart), median(each.frames for each in apart)
    return [
        Row("stream", "stream: CPU per delivery", "µs", ours.cpu_us, floor.cpu_us, Bound(1.0)),
        Row("stream", "stream: deliveries", "/s", ours.rate, floor.rate, rate),
        Row("stream", "  latency, p99", "ms", ours.p99_ms),
        Row("stream", "  messages per send()", "", ours.frames),
        ours.crowd_row("stream"),
        Row("stream", "stream, batches apart: CPU", "µs", cpu_us, floor.cpu_us, Bound(1.0)),
        Row("stream", "  messages per send()", "", frames),
    ]


def _spaced_turns(stage: Stage) -> tuple[Turns, Turns]:
    floor: list[Turn] = []
    ours: list[Turn] = []
    for _ in range(TURNS):
        floor.append(floor_turn(stage, SPACED, INTERVAL))
        stage.crowd.expect(SPACED)
        ours.append(turn(stage.cluster, stage.crowd, lambda: _publish_spaced(stage)))
    return Turns(ours), Turns(floor)


def _publish_spaced(stage: Stage) -> None:
    due = time.monotonic()
    for sequence in range(SPACED):
        stage.client.send_to_group(GROUP, message(sequence))
        due += INTERVAL
        time.sleep(max(0.0, due - time.monotonic()))


def _quantiles(of: str, quantiles_us: list[int]) -> Series:
    points = tuple((float(percent), us / 1000) for percent, us in enumerate(quantiles_us))
    return Series("latency", of, "ms", "percent of deliveries", points)
