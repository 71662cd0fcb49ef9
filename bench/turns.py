"""Deliveries, measured in turns: publish, wait until all has arrived, and see what it cost.

Gateway and C loop take turns, so that a busy machine disturbs both alike. Of costs and latencies
the middle turn counts, of rates the best: what else runs on the machine only ever takes away.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.crowd import MESSAGE_BYTES, message
from bench.stage import GROUP
from bench.table import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.cluster import Cluster
    from bench.crowd import Crowd, Run
    from bench.stage import Stage
    from gateway_client import GatewayClient

__all__ = [
    "BATCH",
    "TURNS",
    "Turn",
    "Turns",
    "Walks",
    "floor_turn",
    "publish_batches",
    "turn",
    "walks",
]

TURNS: Final = 3
"""Times that gateway and C loop are measured in turn."""

BATCH: Final = 50
"""Messages that the publisher pipelines before it awaits their answers."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn.

    Attributes:
        run: What arrived.
        cpu_us: CPU of the server per delivery, in microseconds.
        frames: Messages that left in one `send()`, in the mean.
        walk_ms: Time in which the C loop has sent to every socket, in all but one of a hundred rounds.
    """

    run: Run
    cpu_us: float
    frames: float = 1.0
    walk_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Walks:
    """What messages to all cost that waited for each other.

    Attributes:
        cpu_us: CPU of the server per delivery, in microseconds.
        frames: Messages that left in one `send()`, in the mean.
        content_bytes: Size of a message, in the mean.
        crowd_cpu_us: CPU that the crowd itself took per delivery, in microseconds.
    """

    cpu_us: float
    frames: float
    content_bytes: float
    crowd_cpu_us: float


@dataclass(frozen=True, slots=True)
class Turns:
    """What counts of several turns."""

    turns: Sequence[Turn]

    @property
    def cpu_us(self) -> float:
        """CPU of the server per delivery, in microseconds."""
        return median(turn.cpu_us for turn in self.turns)

    @property
    def frames(self) -> float:
        """Messages that left in one `send()`."""
        return median(turn.frames for turn in self.turns)

    @property
    def rate(self) -> float:
        """Deliveries per second."""
        return max(turn.run.deliveries / turn.run.seconds for turn in self.turns)

    @property
    def p50_ms(self) -> float:
        """Median of the latency, in milliseconds."""
        return median(turn.run.p50_us for turn in self.turns) / 1000

    @property
    def p99_ms(self) -> float:
        """The latency that one delivery in a hundred exceeds, in milliseconds."""
        return median(turn.run.p99_us for turn in self.turns) / 1000

    @property
    def walk_ms(self) -> float:
        """Time that a walk of the C loop over all sockets takes, in milliseconds."""
        return median(turn.walk_ms for turn in self.turns)

    def crowd_row(self, case: str) -> Row:
        """Tell what the deliveries cost the crowd, which must not be what limits them."""
        cost = median(turn.run.crowd_cpu_us for turn in self.turns)
        return Row(case, "  CPU of the crowd, each", "µs", cost)


def turn(cluster: Cluster, crowd: Crowd, publish: Callable[[], None]) -> Turn:
    """Have the gateway deliver to a crowd what is published; the crowd must expect it."""
    before, cpu = cluster.counters(), cluster.gateway.cpu_ns()
    publish()
    run = crowd.result()
    cpu = cluster.gateway.cpu_ns() - cpu
    return Turn(run, cpu / 1000 / run.deliveries, cluster.frames_per_flush(before))


def walks(
    cluster: Cluster,
    crowds: Sequence[Crowd],
    messages: Sequence[int],
    publish: Callable[[int], None],
) -> Walks:
    """Have the gateway deliver some messages to all, and then some more, when all have them.

    Args:
        cluster: What delivers.
        crowds: Who gets them.
        messages: How many are published each time; they leave together.
        publish: Publishes so many, numbered from 0.
    """
    before, cpu = cluster.counters(), cluster.gateway.cpu_ns()
    runs: list[Run] = []
    for count in messages:
        for crowd in crowds:
            crowd.expect(count)
        publish(count)
        runs += [crowd.result() for crowd in crowds]
    cpu = cluster.gateway.cpu_ns() - cpu
    deliveries = sum(run.deliveries for run in runs)
    crowd_cpu = sum(run.crowd_cpu_us * run.deliveries for run in runs)
    return Walks(
        cpu / 1000 / deliveries,
        cluster.frames_per_flush(before),
        sum(run.content_bytes for run in runs) / deliveries,
        crowd_cpu / deliveries,
    )


def floor_turn(stage: Stage, messages: int, interval: float = 0, frames: float = 1.0) -> Turn:
    """Have the C loop send to everybody.

    Args:
        stage: What is up.
        messages: How many messages.
        interval: Seconds between two rounds of `send()`; 0 for back to back.
        frames: Messages that leave in one `send()`, in the mean.
    """
    stage.floor_crowd.expect(messages)
    cpu = stage.floor.cpu_ns()
    stage.floor.tell(f"rounds {messages} {interval * 1e6:.0f} {MESSAGE_BYTES} {frames:.6f}")
    done = stage.floor.line("done")
    run = stage.floor_crowd.result()
    cpu = stage.floor.cpu_ns() - cpu
    return Turn(run, cpu / 1000 / run.deliveries, frames, int(done["walk_us"]) / 1000)


def publish_batches(
    client: GatewayClient,
    end: int,
    *,
    first: int = 0,
    batch: int = BATCH,
    groups: Sequence[str] = (GROUP,),
) -> None:
    """Pipeline messages to groups, each to the next one, and await each batch.

    Args:
        client: The publisher.
        end: The number that no message has any more.
        first: That of the first.
        batch: How many are awaited together.
        groups: Who gets them; from the start again where it ends.
    """
    for begin in range(first, end, batch):
        with client.pipeline() as pipeline:
            for sequence in range(begin, min(begin + batch, end)):
                pipeline.send_to_group(groups[sequence % len(groups)], message(sequence))
