"""Taking in browsers, and holding them."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.cluster import Cluster
from bench.crowd import Crowd
from bench.kernel import kernel_bytes
from bench.stage import SETTLE, open_crowd
from bench.table import Bound, Row

if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.programs import Program
    from bench.stage import Opening
    from bench.table import Measured

__all__ = ["handshake", "memory", "storm"]

MORE_CROWDS: Final = 2
"""Crowds that are taken in besides the first; the median counts."""

MANY: Final = 15_000
"""Browsers that one process is filled with: its limit of open files is often 20,000."""


def handshake(plan: Plan) -> Measured:
    """CPU from accepting to the init message, for a crowd that comes a few hundred at a time."""
    stage = plan.stage
    ours = _cpu_of_openings(stage.opening, stage.gateway, stage.cluster.port, stage.size)
    floor = _cpu_of_openings(stage.floor_opening, stage.floor, stage.floor_port, stage.size)
    return [Row("handshake", "handshake: CPU", "µs", ours, floor, Bound(80))]


def storm(plan: Plan) -> Measured:
    """A crowd of which everybody calls connect() in the same moment."""
    size = plan.size_of(MANY)
    with Cluster() as cluster:
        cpu = cluster.gateway.cpu_ns()
        with Crowd(cluster.port, size, at_once=True, options=["init"]) as crowd:
            cpu = cluster.gateway.cpu_ns() - cpu
            opened = crowd.opened
    what = f"storm of {size:,}"
    return [
        Row("storm", f"{what}: slowest opening", "ms", opened.max_us / 1000, None, Bound(3_000)),
        Row("storm", "  p99", "ms", opened.p99_us / 1000),
        Row("storm", "  median", "ms", opened.p50_us / 1000),
        Row("storm", "  CPU of the gateway, each", "µs", cpu / 1000 / size),
    ]


def memory(plan: Plan) -> Measured:
    """Memory that a gateway has more when it holds its first crowd than before, idle."""
    size = plan.size_of(MANY)
    with Cluster() as cluster:
        before = kernel_bytes()
        crowd, opening = open_crowd(cluster.gateway, cluster.port, size)
        with crowd:
            kernel = (kernel_bytes() - before) / size
    resident = opening.resident_bytes / 1024
    return [
        Row("memory", f"resident memory of {size:,}, each", "KB", resident, None, Bound(3)),
        Row("memory", "  kernel memory, both ends, each", "KB", kernel / 1024),
    ]


def _cpu_of_openings(first: Opening, server: Program, port: int, size: int) -> float:
    costs = [first.cpu_us]
    for _ in range(MORE_CROWDS):
        crowd, opening = open_crowd(server, port, size)
        crowd.close()
        time.sleep(SETTLE)  # the next one must not pay for this one's end
        costs.append(opening.cpu_us)
    return median(costs)
