"""Cost against work: what grows when connections, groups, uids or gateways double.

Costs are CPU of the gateway, all its processes, per delivery or per command; commands are pipelined and
their answers are checked. What is O(1) stays level in its table.
"""

from __future__ import annotations

from contextlib import ExitStack
from itertools import cycle, islice
from typing import TYPE_CHECKING, Final, TypeVar

from bench.cluster import Cluster
from bench.crowd import message
from bench.programs import BenchError
from bench.stage import GROUP, open_crowd
from bench.table import Series
from bench.turns import BATCH, publish_batches, walks
from gateway_client import Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.crowd import Crowd
    from bench.plan import Plan
    from bench.table import Measured

__all__ = ["growth"]

T = TypeVar("T")

MOST: Final = 16_000
"""The largest number of anything; the smallest is a sixteenth of it."""

CONNECTIONS: Final = 4_000
"""Browsers where their number is not what grows."""

GATEWAYS: Final = (1, 2, 3, 4)

COMMANDS: Final = 5_000
"""Commands of each kind that are measured, in one pipeline."""

WALKS: Final = 10
"""Messages to all, one after the other."""


def growth(plan: Plan) -> Measured:
    """Cost per delivery, command and handshake while connections, groups, uids, gateways double."""
    most, connections = plan.size_of(MOST), plan.size_of(CONNECTIONS)
    sizes = [max(1, most >> halvings) for halvings in (4, 3, 2, 1, 0)]
    with Cluster() as cluster:
        measured = _over_connections(cluster, sizes)
    with Cluster() as cluster, open_crowd(cluster.gateway, cluster.port, most)[0]:
        measured += _over_groups(cluster, sizes)
        measured += _over_uids(cluster, sizes)
    return measured + _over_gateways(connections)


class _Table:
    """What was measured at each size."""

    def __init__(self, over: str) -> None:
        self._over = over
        self._points: dict[tuple[str, str], list[tuple[float, float]]] = {}

    def add(self, size: int, what: str, value: float, unit: str = "µs") -> None:
        """Take one value."""
        self._points.setdefault((what, unit), []).append((size, value))

    def series(self) -> Measured:
        """Give one series for each thing that was measured."""
        return [
            Series("growth", what, unit, self._over, tuple(points))
            for (what, unit), points in self._points.items()
        ]


def _over_connections(cluster: Cluster, sizes: Sequence[int]) -> Measured:
    """All browsers are in one group, so its size grows with them."""
    table = _Table("connections, all in one group")
    crowds: list[Crowd] = []
    known: set[str] = set()
    with ExitStack() as stack:
        for size in sizes:
            crowd, opening = open_crowd(cluster.gateway, cluster.port, size - len(known))
            crowds.append(stack.enter_context(crowd))
            table.add(size, "handshake", opening.cpu_us)
            table.add(size, "resident, each connection", opening.resident_bytes / 1024, "KB")
            client_ids = cluster.client.get_all_client_id_list()
            new = [(client_id, GROUP) for client_id in client_ids if client_id not in known]
            known.update(client_ids)
            table.add(size, "join_group", _command_us(cluster, _join, new, answer=True))
            _add_deliveries(table, cluster, size, crowds)
            _add_lookups(table, cluster, size, client_ids, size)
    return table.series()


def _over_groups(cluster: Cluster, sizes: Sequence[int]) -> Measured:
    """Each group has one member, who is in several once there are more groups than browsers."""
    table = _Table("groups, of one member each")
    client_ids = cluster.client.get_all_client_id_list()
    names: list[str] = []
    for size in sizes:
        new = [f"group{number}" for number in range(len(names), size)]
        names += new
        joins = list(zip(cycle(client_ids), new, strict=False))
        table.add(size, "join_group", _command_us(cluster, _join, joins, answer=True))
        asked = _repeated(names)
        count = _command_us(cluster, Pipeline.get_client_count_by_group, asked, answer=1)
        table.add(size, "get_client_count_by_group", count)
        table.add(size, "send_to_group", _command_us(cluster, _send_to_group, asked, answer=1))
    return table.series()


def _over_uids(cluster: Cluster, sizes: Sequence[int]) -> Measured:
    """Each uid has one browser."""
    table = _Table("uids, of one connection each")
    client_ids = cluster.client.get_all_client_id_list()
    uids = [f"user{number}" for number in range(len(client_ids))]
    bound = 0
    for size in sizes:
        binds = list(zip(client_ids, uids, strict=True))[bound:size]
        bound = size
        table.add(size, "bind_uid", _command_us(cluster, _bind, binds, answer=True))
        asked = _repeated(uids[:size])
        online = _command_us(cluster, Pipeline.is_uid_online, asked, answer=True)
        table.add(size, "is_uid_online", online)
        table.add(size, "send_to_uid", _command_us(cluster, _send_to_uid, asked, answer=1))
    return table.series()


def _over_gateways(connections: int) -> Measured:
    """The same browsers, spread over more and more gateway processes."""
    table = _Table("gateway processes")
    for gateways in GATEWAYS:
        with Cluster("--processes", str(gateways)) as cluster:
            crowd, opening = open_crowd(cluster.gateway, cluster.port, connections)
            with crowd:
                table.add(gateways, "handshake", opening.cpu_us)
                client_ids = cluster.client.get_all_client_id_list()
                joins = [(client_id, GROUP) for client_id in client_ids]
                table.add(gateways, "join_group", _command_us(cluster, _join, joins, answer=True))
                _add_deliveries(table, cluster, gateways, [crowd])
                _add_lookups(table, cluster, gateways, client_ids, connections)
    return table.series()


def _add_lookups(
    table: _Table, cluster: Cluster, size: int, client_ids: Sequence[str], members: int
) -> None:
    asked = _repeated(client_ids)
    table.add(size, "is_online", _command_us(cluster, Pipeline.is_online, asked, answer=True))
    groups = _repeated([GROUP])
    count = _command_us(cluster, Pipeline.get_client_count_by_group, groups, answer=members)
    table.add(size, "get_client_count_by_group", count)


def _add_deliveries(table: _Table, cluster: Cluster, size: int, crowds: Sequence[Crowd]) -> None:
    for messages, what in (([1] * WALKS, "one message"), ([BATCH], f"{BATCH} pipelined")):
        done = walks(
            cluster, crowds, messages, lambda count: publish_batches(cluster.client, count)
        )
        table.add(size, f"delivery, {what}", done.cpu_us)


def _command_us(
    cluster: Cluster, put: Callable[[Pipeline, T], object], of: Sequence[T], *, answer: object
) -> float:
    """Pipeline one command for each of something, and demand the same answer from all."""
    cpu = cluster.gateway.cpu_ns()
    with cluster.client.pipeline() as pipeline:
        for one in of:
            put(pipeline, one)
    cpu = cluster.gateway.cpu_ns() - cpu
    wrong = [result for result in pipeline.results if result != answer]
    if wrong:
        raise BenchError(f"{wrong[0]!r} was answered instead of {answer!r}")
    return cpu / 1000 / len(of)


def _repeated(names: Sequence[str]) -> list[str]:
    return list(islice(cycle(names), COMMANDS))


def _join(pipeline: Pipeline, pair: tuple[str, str]) -> None:
    pipeline.join_group(*pair)


def _bind(pipeline: Pipeline, pair: tuple[str, str]) -> None:
    pipeline.bind_uid(*pair)


def _send_to_group(pipeline: Pipeline, group: str) -> None:
    pipeline.send_to_group(group, message(0))


def _send_to_uid(pipeline: Pipeline, uid: str) -> None:
    pipeline.send_to_uid(uid, message(0))
