"""One group of all browsers, 128 bytes a message: what a delivery costs the gateway's process.

*Spaced* is a message now and then: every delivery is a `send()` of its own, as in the C loop. *Stream* is
a publisher that pipelines batches and awaits each: frames that wait for the same browser leave together.
"""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.crowd import MESSAGE_BYTES, message
from bench.stage import GROUP
from bench.table import Bound, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.crowd import Crowd, Run
    from bench.programs import Program
    from bench.stage import Stage

__all__ = ["spaced", "stream"]

TURNS: Final = 3
"""Times that gateway and C loop are measured in turn; the median counts."""

INTERVAL: Final = 0.1
"""Seconds between two spaced messages."""
SPACED: Final = 20
"""Spaced messages a turn: 80,000 deliveries to 4,000 browsers."""

BATCH: Final = 50
"""Messages that the publisher pipelines before it awaits their answers."""
BATCHES: Final = 8
"""Batches a turn: 1,600,000 deliveries to 4,000 browsers."""
FLOOR_ROUNDS: Final = 60
"""Messages a turn of the C loop, back to back: one costs it as much as any other."""


def spaced(stage: Stage) -> list[Row]:
    """Messages at an even pace."""
    ours: list[tuple[float, Run]] = []
    floor: list[tuple[float, Run]] = []
    for _ in range(TURNS):
        floor.append(_floor_turn(stage, SPACED, INTERVAL))
        ours.append(_turn(stage.gateway, stage.crowd, SPACED, lambda: _publish_spaced(stage)))
    bound = Bound(1.6, of_ratio=True)
    return [
        Row("spaced", "spaced: CPU per delivery", "µs", _cpu(ours), _cpu(floor), bound),
        Row("spaced", "spaced: latency, median", "ms", _p50_ms(ours), _p50_ms(floor)),
        Row("spaced", "spaced: latency, p99", "ms", _p99_ms(ours), _p99_ms(floor)),
    ]


def stream(stage: Stage) -> list[Row]:
    """As many messages as the publisher and the gateway can do."""
    ours: list[tuple[float, Run]] = []
    floor: list[tuple[float, Run]] = []
    for _ in range(TURNS):
        floor.append(_floor_turn(stage, FLOOR_ROUNDS, 0))
        ours.append(
            _turn(stage.gateway, stage.crowd, BATCH * BATCHES, lambda: _publish_batches(stage))
        )
    return [
        Row("stream", "stream: CPU per delivery", "µs", _cpu(ours), _cpu(floor), Bound(2.5)),
        Row(
            "stream",
            "stream: deliveries",
            "/s",
            _rate(ours),
            _rate(floor),
            Bound(400_000, at_least=True),
        ),
        Row("stream", "stream: latency, p99", "ms", _p99_ms(ours)),
    ]


def _floor_turn(stage: Stage, messages: int, interval: float) -> tuple[float, Run]:
    def publish() -> None:
        stage.floor.tell(f"rounds {messages} {interval * 1e6:.0f} {MESSAGE_BYTES}")
        stage.floor.line("done")

    return _turn(stage.floor, stage.floor_crowd, messages, publish)


def _turn(
    server: Program, crowd: Crowd, messages: int, publish: Callable[[], None]
) -> tuple[float, Run]:
    """Publish, wait until all has arrived; give microseconds of CPU per delivery, and the run."""
    crowd.expect(messages)
    cpu = server.cpu_ns()
    publish()
    run = crowd.result()
    return (server.cpu_ns() - cpu) / 1000 / run.deliveries, run


def _publish_spaced(stage: Stage) -> None:
    due = time.monotonic()
    for sequence in range(SPACED):
        stage.client.send_to_group(GROUP, message(sequence))
        due += INTERVAL
        time.sleep(max(0.0, due - time.monotonic()))


def _publish_batches(stage: Stage) -> None:
    for first in range(0, BATCH * BATCHES, BATCH):
        with stage.client.pipeline() as pipeline:
            for sequence in range(first, first + BATCH):
                pipeline.send_to_group(GROUP, message(sequence))


def _cpu(turns: list[tuple[float, Run]]) -> float:
    return median(cpu for cpu, _ in turns)


def _rate(turns: list[tuple[float, Run]]) -> float:
    # The best: what else runs on the machine only ever takes away.
    return max(run.deliveries / run.seconds for _, run in turns)


def _p50_ms(turns: list[tuple[float, Run]]) -> float:
    return median(run.p50_us for _, run in turns) / 1000


def _p99_ms(turns: list[tuple[float, Run]]) -> float:
    return median(run.p99_us for _, run in turns) / 1000
