"""A hundred thousand browsers on one machine: what they take while idle, and a message to all of them.

As many gateway processes as their limit of open files asks for, with default settings, so pings are on,
and as many crowds, each from an address of its own.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from bench.cluster import Cluster
from bench.crowd import Crowd, message
from bench.programs import BenchError
from bench.table import Bound, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.plan import Plan
    from bench.table import Measured

__all__ = ["hundred"]

CONNECTIONS: Final = 100_000
GATEWAYS: Final = 6
"""Gateway processes, and crowds: none may have more than 20,000 files open."""

IDLE: Final = 30.0
"""Seconds for which the CPU of idle browsers is measured: more than a ping interval."""

BROADCASTS: Final = 3
"""Messages to all; the slowest counts."""

MEGABYTE: Final = 1024 * 1024


def hundred(plan: Plan) -> Measured:
    """100,000 connections: memory, CPU while idle, and one broadcast to all."""
    size = plan.size_of(CONNECTIONS)
    with Cluster("--processes", str(GATEWAYS)) as cluster, ExitStack() as stack:
        empty = cluster.gateway.resident_bytes() / MEGABYTE
        crowds = [
            stack.enter_context(Crowd(cluster.port, part, options=[f"from=127.0.1.{number}"]))
            for number, part in enumerate(_parts(size), 1)
        ]
        idle = _idle_share(cluster, plan.seconds_of(IDLE))
        resident = cluster.gateway.resident_bytes() / MEGABYTE
        proportional = cluster.gateway.proportional_bytes() / MEGABYTE
        slowest = max(_broadcast_s(cluster, crowds) for _ in range(BROADCASTS))
    what = f"{size:,}"
    return [
        Row("hundred", f"{what}: resident in all (RSS)", "MB", resident, None, Bound(600)),
        Row("hundred", "  shared pages counted once (PSS)", "MB", proportional),
        Row("hundred", "  resident before anybody came", "MB", empty),
        Row("hundred", f"{what}: idle, of one core", "%", idle * 100, None, Bound(10)),
        Row("hundred", f"{what}: broadcast to all", "s", slowest, None, Bound(2)),
    ]


def _parts(size: int) -> list[int]:
    return [size * (part + 1) // GATEWAYS - size * part // GATEWAYS for part in range(GATEWAYS)]


def _idle_share(cluster: Cluster, seconds: float) -> float:
    begin, cpu = time.monotonic(), cluster.gateway.cpu_ns()
    time.sleep(seconds)
    return (cluster.gateway.cpu_ns() - cpu) / 1e9 / (time.monotonic() - begin)


def _broadcast_s(cluster: Cluster, crowds: Sequence[Crowd]) -> float:
    """Send one message to all; give the seconds from the call to the last `recv()`."""
    for crowd in crowds:
        crowd.expect(1)
    reached = cluster.client.send_to_all(message(0))
    if reached != sum(crowd.size for crowd in crowds):
        raise BenchError(f"a message to all reached {reached}")
    return max(crowd.result().max_us for crowd in crowds) / 1e6
