"""Messages to some browsers only, picked at random: groups that share members, and single users.

Each browser is in several groups, so that in one turn of the gateway it is meant by several messages. What
a delivery costs is held beside what sends as many messages in one `send()`, in the mean: for few
large groups the C loop, for many small ones a single group of all.
"""

from __future__ import annotations

import random
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.crowd import message
from bench.table import Bound, Row
from bench.turns import TURNS, Turns, floor_turn, publish_batches, turn, walks

if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.stage import Stage
    from bench.table import Measured
    from bench.turns import Turn, Walks

__all__ = ["groups", "mixed", "uids"]

SEED: Final = 4
"""Every run picks the same targets."""

GROUPS: Final = 100
GROUPS_EACH: Final = 10
"""Groups that each browser is in, so that a message is for 400 of 4,000."""
MESSAGES: Final = 1_000
"""Messages a turn: 400,000 deliveries to 4,000 browsers."""

MIXED_GROUPS: Final = 10_000
MIXED_GROUPS_EACH: Final = 20
"""Groups that each browser is in, so that a message is for 8 of 4,000."""
MIXED_MESSAGES: Final = 10_000
"""Messages a turn: 80,000 deliveries to 4,000 browsers."""
SINGLE: Final = 40
"""Writes to each browser in a turn of the single-group run."""

UIDS: Final = 1_000
UID_MESSAGES: Final = 40_000
"""Messages a turn: half a second of work."""
FLOOR_MESSAGES: Final = 60
"""Rounds of the C loop a turn."""


def groups(plan: Plan) -> Measured:
    """Stream to 100 groups of which each browser is in 10."""
    stage = plan.stage
    crossing = _Crossing(stage, GROUPS, GROUPS_EACH)
    ours, floor = [], []
    for _ in range(TURNS):
        ours.append(crossing.turn(MESSAGES))
        frames = ours[-1].frames
        floor.append(floor_turn(stage, round(FLOOR_MESSAGES * frames), frames=frames))
    crossing.clear()
    cpu_us, frames = Turns(floor).cpu_us, Turns(floor).frames
    return _rows("groups", "100 shared groups", Turns(ours), cpu_us, frames)


def mixed(plan: Plan) -> Measured:
    """Random targets among 10,000 groups of which each browser is in 20."""
    stage = plan.stage
    crossing = _Crossing(stage, MIXED_GROUPS, MIXED_GROUPS_EACH)
    ours, single = [], []
    for _ in range(TURNS):
        ours.append(crossing.turn(MIXED_MESSAGES))
        single.append(_single_group(stage, ours[-1].frames))
    crossing.clear()
    cpu_us = median(walk.cpu_us for walk in single)
    frames = median(walk.frames for walk in single)
    return _rows("mixed", "10,000 groups", Turns(ours), cpu_us, frames)


def uids(plan: Plan) -> Measured:
    """Pipelined messages to different users, of which nearly each is a `send()` of its own."""
    stage = plan.stage
    client, count = stage.client, min(UIDS, stage.size)
    with client.pipeline() as pipeline:
        for number, client_id in enumerate(stage.client_ids[:count]):
            pipeline.bind_uid(client_id, f"user{number}")
    names = random.Random(SEED).choices(
        [f"user{number}" for number in range(count)], k=UID_MESSAGES
    )

    def publish() -> None:
        with client.pipeline() as pipeline:
            for sequence, name in enumerate(names):
                pipeline.send_to_uid(name, message(sequence))

    turns = []
    for _ in range(TURNS):
        stage.crowd.expect_some([1] * UID_MESSAGES)
        turns.append(turn(stage.cluster, stage.crowd, publish))
    return _uid_rows(f"{count:,} uids", Turns(turns))


class _Crossing:
    """Groups that share members: each browser is in several, picked at random."""

    def __init__(self, stage: Stage, groups: int, each: int) -> None:
        self._stage = stage
        self._names = [f"crossing{number}" for number in range(groups)]
        self._members = dict.fromkeys(self._names, 0)
        self._random = random.Random(SEED)
        for client_id in stage.client_ids:
            with stage.client.pipeline() as pipeline:
                for name in self._random.sample(self._names, each):
                    pipeline.join_group(client_id, name)
                    self._members[name] += 1

    def turn(self, messages: int) -> Turn:
        """Publish to groups picked at random, in batches."""
        names = self._random.choices(self._names, k=messages)
        stage = self._stage
        stage.crowd.expect_some([self._members[name] for name in names])
        return turn(
            stage.cluster,
            stage.crowd,
            lambda: publish_batches(stage.client, messages, groups=names),
        )

    def clear(self) -> None:
        """Dissolve the groups."""
        with self._stage.client.pipeline() as pipeline:
            for name in self._names:
                pipeline.ungroup(name)


def _single_group(stage: Stage, frames: float) -> Walks:
    """Publish to the group of all, so many messages at a time in the mean."""
    ends = [round(walk * frames) for walk in range(SINGLE + 1)]
    return walks(
        stage.cluster,
        [stage.crowd],
        [end - begin for begin, end in pairwise(ends)],
        lambda count: publish_batches(stage.client, count),
    )


def _rows(case: str, what: str, ours: Turns, cpu_us: float, frames: float) -> Measured:
    """Tell about one case, beside what its deliveries are held against."""
    bound = Bound(1.5, of_ratio=True)
    return [
        Row(case, f"{what}: CPU per delivery", "µs", ours.cpu_us, cpu_us, bound),
        Row(case, "  messages per send()", "", ours.frames, frames),
        Row(case, "  deliveries", "/s", ours.rate),
        Row(case, "  latency, p99", "ms", ours.p99_ms),
        ours.crowd_row(case),
    ]


def _uid_rows(what: str, turns: Turns) -> Measured:
    rate = Bound(80_000, at_least=True)
    return [
        Row("uids", f"{what}: CPU per message", "µs", turns.cpu_us, None, Bound(12)),
        Row("uids", f"{what}: messages", "/s", turns.rate, None, rate),
        Row("uids", "  messages per send()", "", turns.frames),
        Row("uids", "  latency, p99", "ms", turns.p99_ms),
        turns.crowd_row("uids"),
    ]
