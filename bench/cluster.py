"""A register, a gateway and a publisher of our own, as shipped: default settings, free ports."""

from __future__ import annotations

import itertools
import sys
import urllib.request
from contextlib import ExitStack
from functools import cache
from tempfile import TemporaryDirectory
from typing import Final, Self

from bench.programs import Program
from gateway_client import GatewayClient

__all__ = ["ANY", "Cluster", "Counters", "daemon"]

ANY: Final = "127.0.0.1:0"

PREFIX: Final = "gatewayworker_gateway_"

_numbers: Final = itertools.count()

Counters = dict[str, float]
"""Metrics by their name without prefix, added up over the gateway's processes."""


class Cluster:
    """A register, a gateway and a publisher; a context manager that ends them.

    Attributes:
        gateway: The gateway: all its processes.
        port: Where browsers connect.
        register: The address of the register.
        client: The publisher.
    """

    def __init__(self, *flags: str) -> None:
        """Start them.

        Args:
            flags: What the gateway's command line says besides its ports.

        Raises:
            BenchError: If something does not start.
        """
        with ExitStack() as stack:
            register = stack.enter_context(daemon("register", "--listen", ANY))
            self.register = register.line("ready")["listen"]
            ports = ("--listen", f"ws://{ANY}", "--start-port", "0")
            self.gateway = stack.enter_context(
                daemon("gateway", *ports, "--register", self.register, *flags)
            )
            ready = self.gateway.line("ready")
            self.port = int(ready["ws"].rsplit(":", 1)[1].rstrip("/"))
            self._http = ready["http"].split(",")
            self.client = stack.enter_context(GatewayClient(self.register))
            self._stack = stack.pop_all()

    def __repr__(self) -> str:
        return f"<Cluster {self.register} with {self.gateway!r}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def counters(self) -> Counters:
        """Return the metrics of the gateway as they are now."""
        counters: Counters = {}
        for address in self._http:
            with urllib.request.urlopen(f"http://{address}/metrics") as page:
                for line in page.read().decode().splitlines():
                    if line.startswith(PREFIX):
                        name, value = line.removeprefix(PREFIX).rsplit(" ", 1)
                        counters[name] = counters.get(name, 0) + float(value)
        return counters

    def frames_per_flush(self, before: Counters) -> float:
        """Return how many messages left in one write, in the mean, since the counters were so."""
        now = self.counters()
        deliveries = now["deliveries_total"] - before["deliveries_total"]
        return deliveries / (now["flushes_total"] - before["flushes_total"])


def daemon(role: str, *arguments: str) -> Program:
    """Start one of our programs, as an instance that meets no other one of this machine."""
    name = f"bench-{next(_numbers)}"
    command = [sys.executable, "-P", "-m", role, "start", *arguments]
    return Program(role, [*command, "--http", ANY, "--name", name, "--run-dir", _run_dir().name])


@cache
def _run_dir() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="bench-")  # gone when this process ends
