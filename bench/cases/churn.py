"""Browsers that come, are bound and join, get messages and leave, for ten minutes.

One generation after the other; a few are there at a time. What the gateway's process holds may not grow
once every part of it has been used, and nothing of a generation may be left when all are gone.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.cluster import Cluster
from bench.crowd import Crowd, message
from bench.programs import PATIENCE, BenchError
from bench.table import Bound, Row, Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.plan import Plan
    from bench.table import Measured

__all__ = ["churn"]

SECONDS: Final = 600.0
WARM: Final = 60.0
"""Seconds after which memory may not grow any more; a tenth of a shorter run."""

GENERATION: Final = 1_000
"""Browsers that come and leave together."""
TOGETHER: Final = 3
"""Generations that are there at a time."""
MESSAGES: Final = 10
"""Messages to the group of a generation; one to the uid of each browser comes besides."""

LEFT: Final = ("connections", "uids", "groups", "sockets", "waiting_bytes", "blocked_connections")
"""Metrics that are zero when everybody is gone."""

MEGABYTE: Final = 1024 * 1024


def churn(plan: Plan) -> Measured:
    """Ten minutes of browsers that come, bind, join, get messages and leave: memory does not grow."""
    seconds, size = plan.seconds_of(SECONDS), plan.size_of(GENERATION)
    samples: list[tuple[float, float]] = []
    begin = time.monotonic()
    with Cluster() as cluster:
        with ExitStack() as stack:
            there: deque[Crowd] = deque()
            while (elapsed := time.monotonic() - begin) < seconds or len(samples) < TOGETHER:
                there.append(stack.enter_context(_generation(cluster, len(samples), size)))
                if len(there) == TOGETHER:
                    there.popleft().close()
                samples.append((elapsed, cluster.gateway.resident_bytes() / MEGABYTE))
        _wait_until_all_are_gone(cluster)
    return [
        Row(
            "churn", "churn: growth after the first minute", "MB", _growth(samples), None, Bound(1)
        ),
        Row("churn", "  connections that came and left", "", size * len(samples)),
        Row("churn", "  resident at the end", "MB", samples[-1][1]),
        Series("churn", "resident memory", "MB", "seconds", tuple(samples)),
    ]


def _generation(cluster: Cluster, number: int, size: int) -> Crowd:
    """Have browsers come, be bound and get everything that is for them."""
    client = cluster.client
    there = set(client.get_all_client_id_list())
    crowd = Crowd(cluster.port, size)
    new = [client_id for client_id in client.get_all_client_id_list() if client_id not in there]
    group, uids = f"generation{number}", [f"user{number}-{each}" for each in range(size)]
    crowd.expect_some([size] * MESSAGES + [1] * size)
    with client.pipeline() as pipeline:
        for client_id, uid in zip(new, uids, strict=True):
            pipeline.bind_uid(client_id, uid)
            pipeline.join_group(client_id, group)
        for sequence in range(MESSAGES):
            pipeline.send_to_group(group, message(sequence))
        for sequence, uid in enumerate(uids, MESSAGES):
            pipeline.send_to_uid(uid, message(sequence))
    crowd.result()
    return crowd


def _wait_until_all_are_gone(cluster: Cluster) -> None:
    deadline = time.monotonic() + PATIENCE
    while left := {name: value for name in LEFT if (value := cluster.counters()[name])}:
        if time.monotonic() > deadline:
            raise BenchError(f"of browsers that are gone the gateway keeps {left}")
        time.sleep(0.1)


def _growth(samples: Sequence[tuple[float, float]]) -> float:
    """Give the median of the last tenth of the time less that of the tenth after the warm-up."""
    end = samples[-1][0]
    warm, tenth = min(WARM, end / 10), end / 10
    warmed = [(at, size) for at, size in samples if at >= warm]
    first = [size for at, size in warmed if at <= warm + tenth] or [warmed[0][1]]
    last = [size for at, size in samples if at >= end - tenth]
    return median(last) - median(first)
