"""Everything that is measured, up and connected: the floor, the cluster, and a crowd at each.

The costs that arise only once, of opening a crowd and of holding it, are taken on the way.
"""

from __future__ import annotations

import itertools
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from tempfile import TemporaryDirectory
from typing import Final, Self

from bench.crowd import Crowd
from bench.programs import Program, compiled
from gateway_client import GatewayClient

__all__ = ["ANY", "GATEWAY_FLAGS", "GROUP", "Opening", "Stage", "daemon", "open_crowd", "port_of"]

GROUP: Final = "bench"
"""The group of all browsers."""

ANY: Final = "127.0.0.1:0"

GATEWAY_FLAGS: Final = ("--listen", f"ws://{ANY}", "--start-port", "0")
"""Ports of the kernel's choice; all else is the default."""

_numbers: Final = itertools.count()

SETTLE: Final = 1.0
"""Seconds after which a process has done what a crowd's arrival brought with it."""


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
        gateway: The gateway process.
        floor_crowd: Who is connected to the C server.
        crowd: Who is connected to the gateway; all are in `GROUP`.
        floor_opening: What taking in the first crowd cost the C server.
        opening: The same for the gateway.
        client: The publisher.
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
            register = stack.enter_context(daemon("register", "--listen", ANY))
            address = register.line("ready")["listen"]
            self.gateway = stack.enter_context(
                daemon("gateway", *GATEWAY_FLAGS, "--register", address)
            )
            self.port = port_of(self.gateway)
            self.client = stack.enter_context(GatewayClient(address))
            self.floor_crowd, self.floor_opening = open_crowd(self.floor, self.floor_port, size)
            stack.enter_context(self.floor_crowd)
            self.crowd, self.opening = open_crowd(self.gateway, self.port, size)
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


def open_crowd(server: Program, port: int, size: int) -> tuple[Crowd, Opening]:
    """Connect a crowd and give what that cost the server."""
    cpu, resident = server.cpu_ns(), server.resident_bytes()
    crowd = Crowd(port, size)
    time.sleep(SETTLE)
    cpu, resident = server.cpu_ns() - cpu, server.resident_bytes() - resident
    return crowd, Opening(cpu / 1000 / size, resident / size)


def daemon(role: str, *arguments: str) -> Program:
    """Start one of our programs, as an instance that meets no other one of this machine."""
    name = f"bench-{next(_numbers)}"
    command = [sys.executable, "-P", "-m", role, "start", *arguments]
    return Program(role, [*command, "--http", ANY, "--name", name, "--run-dir", _run_dir().name])


@cache
def _run_dir() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="bench-")  # gone when this process ends


def port_of(gateway: Program) -> int:
    """Wait until a gateway is ready; give its public port."""
    return int(gateway.line("ready")["ws"].rsplit(":", 1)[1].rstrip("/"))
