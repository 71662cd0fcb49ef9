"""What browsers send, through a queue of the gateway, to one consumer process.

A thousand browsers send texts one at a time, in turn, to one gateway process with `--route queue:bench`. Once they send
more than can be taken: what is consumed then is the rate. Once they send half of what is expected: how late
messages are then is the latency. In between stands a bounded queue, so under too much load messages are late by as
much as it holds, and that says nothing.

Consumers of different kinds follow each other at the same gateway. Those that reply are talked to as a worker is
(`rounds`): browsers send the next text when they have the answer.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.cluster import Cluster
from bench.consumer import TOPIC
from bench.crowd import Crowd
from bench.programs import Program
from bench.table import Bound, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.plan import Plan
    from bench.table import Measured

__all__ = ["consume"]

BROWSERS: Final = 1_000
"""As many as talk to a worker in `rounds`."""

TURNS: Final = 3
"""Times that each kind is measured."""

SECONDS: Final = 0.7
"""How long browsers send in a turn, unless the plan says otherwise."""

OFFERED: Final = 80_000
"""Texts a second that are more than is consumed."""

EASY: Final = 20_000
"""Texts a second that are half of what is expected."""

PAUSE: Final = 0.01
"""Seconds between two looks at what is unacknowledged."""

EXPECTED: Final = 40_000
"""Messages a second that are expected, of the kind that most programs are."""

SHOWN: Final = {"async": "async for", "manual_ack": "async for, manual_ack", "blocking": "for"}

REPLYING: Final = {
    "reply": "async for, await reply",
    "reply_side_by_side": "consume_with, await reply",
}


class _Flood(NamedTuple):
    """One turn in which more comes than is consumed: messages a second, and CPU per message."""

    rate: float
    gateway_us: float
    consumer_us: float
    crowd_us: float


class _Place:
    """A gateway with its crowd, and one consumer."""

    def __init__(self, cluster: Cluster, crowd: Crowd, consumer: Program) -> None:
        self._gateway = cluster.gateway
        self._crowd = crowd
        self._consumer = consumer

    def pass_through(self, messages: int, rate: int) -> tuple[dict[str, str], _Flood]:
        """Have so many sent and consumed."""
        self._consumer.tell(str(messages))
        self._consumer.line("counting")
        gateway, consumer = self._gateway.cpu_ns(), self._consumer.cpu_ns()
        sent = self._crowd.send(messages, rate)
        result = self._consumer.line("result")
        gateway, consumer = self._gateway.cpu_ns() - gateway, self._consumer.cpu_ns() - consumer
        consumed = messages / float(result["seconds"])
        per_message = gateway / 1000 / messages, consumer / 1000 / messages, sent.crowd_cpu_us
        return result, _Flood(consumed, *per_message)

    def reply(self, seconds: float) -> tuple[_Flood, float]:
        """Have browsers talk to the consumer; give milliseconds of latency besides."""
        gateway, consumer = self._gateway.cpu_ns(), self._consumer.cpu_ns()
        result = self._crowd.rounds(seconds)
        gateway, consumer = self._gateway.cpu_ns() - gateway, self._consumer.cpu_ns() - consumer
        per_round = (gateway / 1000 / result.rounds, consumer / 1000 / result.rounds)
        return _Flood(result.rate, *per_round, result.crowd_cpu_us), result.p99_us / 1000


def consume(plan: Plan) -> Measured:
    """Browser to queue to consumer, of several kinds, one after the other; two of them reply."""
    seconds = plan.seconds_of(SECONDS)
    with (
        Cluster("--route", f"queue:{TOPIC}") as cluster,
        Crowd(cluster.port, plan.size_of(BROWSERS)) as crowd,
    ):
        rows = [row for kind in SHOWN for row in _of_kind(kind, cluster, crowd, seconds)]
        for kind in REPLYING:
            rows += _replying(kind, cluster, crowd, seconds)
        return rows


@contextmanager
def _consuming(kind: str, cluster: Cluster, crowd: Crowd) -> Iterator[_Place]:
    """Run a consumer until it has acknowledged everything, so that the next one is given nothing of it."""
    command = [sys.executable, "-m", "bench.consumer", cluster.register, kind]
    with Program(f"consumer-{kind}", command) as consumer:
        yield _Place(cluster, crowd, consumer)
        while cluster.client.get_all_queues()[TOPIC]["unacknowledged"]:
            time.sleep(PAUSE)


def _of_kind(kind: str, cluster: Cluster, crowd: Crowd, seconds: float) -> Measured:
    with _consuming(kind, cluster, crowd) as place:
        place.pass_through(crowd.size, EASY)  # it consumes now
        easy = [place.pass_through(round(EASY * seconds), EASY)[0] for _ in range(TURNS)]
        floods = [place.pass_through(round(OFFERED * seconds), OFFERED)[1] for _ in range(TURNS)]
    name = f"consume, {SHOWN[kind]}"
    p50_ms, p99_ms = (median(int(one[key]) for one in easy) / 1000 for key in ("p50_us", "p99_us"))
    return [
        *_rates(name, floods, Bound(EXPECTED, at_least=True) if kind == "async" else None),
        Row("consume", f"{name}: latency at {EASY:,}/s, p50", "ms", p50_ms),
        Row("consume", f"{name}: latency at {EASY:,}/s, p99", "ms", p99_ms),
    ]


def _replying(kind: str, cluster: Cluster, crowd: Crowd, seconds: float) -> Measured:
    with _consuming(kind, cluster, crowd) as place:
        place.reply(seconds / 10)  # it consumes now
        turns = [place.reply(seconds) for _ in range(TURNS)]
    name = f"consume, {REPLYING[kind]}"
    p99_ms = median(latency for _, latency in turns)
    return [
        *_rates(name, [turn for turn, _ in turns], None),
        Row("consume", f"{name}: latency of the round, p99", "ms", p99_ms),
    ]


def _rates(name: str, turns: list[_Flood], bound: Bound | None) -> Measured:
    # The best: what else runs on the machine only ever takes away.
    rate = max(turn.rate for turn in turns)
    gateway_us, consumer_us = (median(one) for one in zip(*(t[1:3] for t in turns), strict=True))
    return [
        Row("consume", name, "/s", rate, None, bound),
        Row("consume", f"{name}: CPU of the gateway", "µs", gateway_us),
        Row("consume", f"{name}: CPU of the consumer", "µs", consumer_us),
        Row("consume", "  CPU of the crowd, each", "µs", median(turn.crowd_us for turn in turns)),
    ]
