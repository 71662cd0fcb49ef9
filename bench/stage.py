"""Everything that most cases need, up and connected: the floor, the cluster, and a crowd at each.

The cost that arises only once, of opening a crowd, is taken on the way.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from bench.cluster import Cluster
from bench.crowd import Crowd
from bench.programs import Program, compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["GROUP", "SETTLE", "Opening", "Stage", "open_crowd"]

GROUP: Final = "bench"
"""The group of all browsers."""

SETTLE: Final = 1.0
"""Seconds after which a process has done what a crowd's arrival, or its end, brought with it."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What it cost to take in a crowd.

    Attributes:
        cpu_us: CPU of the server per handshake, in microseconds.
        resident_bytes: Growth of its resident memory per connection.
    """

    cpu_us: float
    resident_bytes: float


class Stage:
    """Processes and crowds of one run; a context manager that ends them.

    Attributes:
        size: Browsers in each crowd.
        floor: The C server.
        cluster: The gateway, and its publisher.
        floor_crowd: Who is connected to the C server.
        crowd: Who is connected to the gateway; all are in `GROUP`.
        floor_opening: What taking in the first crowd cost the C server.
        opening: The same for the gateway.
        client_ids: Those of the crowd.
    """

    def __init__(self, size: int) -> None:
        """Start everything.

        Args:
            size: Browsers in each crowd.

        Raises:
            BenchError: If something does not start.
        """
        self.size = size
        with ExitStack() as stack:
            self.floor = stack.enter_context(Program("floor", [compiled("floor")]))
            self.floor_port = int(self.floor.line("ready")["port"])
            self.cluster = stack.enter_context(Cluster())
            self.gateway, self.client = self.cluster.gateway, self.cluster.client
            self.floor_crowd, self.floor_opening = open_crowd(self.floor, self.floor_port, size)
            stack.enter_context(self.floor_crowd)
            self.crowd, self.opening = open_crowd(self.gateway, self.cluster.port, size)
            stack.enter_context(self.crowd)
            self.client_ids = self.client.get_all_client_id_list()
            with self.client.pipeline() as pipeline:
                for client_id in self.client_ids:
                    pipeline.join_group(client_id, GROUP)
            self._stack = stack.pop_all()

    def __repr__(self) -> str:
        return f"<Stage with {self.size} browsers>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def open_crowd(
    server: Program, port: int, size: int, options: Sequence[str] = ()
) -> tuple[Crowd, Opening]:
    """Connect a crowd and give what that cost the server.

    Args:
        server: The server.
        port: Where it listens.
        size: How many browsers.
        options: Words of load.c's command line.
    """
    cpu, resident = server.cpu_ns(), server.resident_bytes()
    crowd = Crowd(port, size, options=options)
    time.sleep(SETTLE)
    cpu, resident = server.cpu_ns() - cpu, server.resident_bytes() - resident
    return crowd, Opening(cpu / 1000 / size, resident / size)
