"""Contestants up and running, behind one interface: a port for browsers, and a way to broadcast.

Ours is told through its client, Nchan by HTTP, the servers in servers/ in lines on their stdin. All are
told in the same batches, and `send` returns when they have taken them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, Self

from bench.cluster import Cluster
from bench.peers.catalogue import Kind
from bench.peers.installing import NODE_MODULES, PYTHON, SERVERS
from bench.peers.nchan import Nchan
from bench.programs import HERE, BenchError, Program
from bench.stage import GROUP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.peers.catalogue import Contestant

__all__ = ["Running", "start"]


class Running(Protocol):
    """A contestant that runs; a context manager that ends it.

    Attributes:
        program: Its process.
        port: Where browsers connect.
    """

    program: Program
    port: int

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

    def gather(self) -> None:
        """Have everybody who is connected get what is sent."""

    def send(self, texts: Sequence[str]) -> None:
        """Broadcast messages in their order; return when all were taken."""


class Ours:
    """Our register and gateway, and a client that sends to a group."""

    def __init__(self) -> None:
        """Start them."""
        self._cluster = Cluster()
        self.program = self._cluster.gateway
        self.port = self._cluster.port

    def __repr__(self) -> str:
        return f"<Ours at {self.port}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster.__exit__()

    def gather(self) -> None:
        """Put everybody into the group."""
        client_ids = self._cluster.client.get_all_client_id_list()
        with self._cluster.client.pipeline() as pipeline:
            for client_id in client_ids:
                pipeline.join_group(client_id, GROUP)

    def send(self, texts: Sequence[str]) -> None:
        """Send to the group."""
        with self._cluster.client.pipeline() as pipeline:
            for text in texts:
                pipeline.send_to_group(GROUP, text)


class Ordered:
    """A server that obeys lines on its stdin, as servers/orders.py and orders.js read them."""

    def __init__(self, contestant: Contestant) -> None:
        """Start it."""
        self.program = Program(contestant.name, _command(contestant))
        try:
            self.port = int(self.program.line("ready")["port"])
        except BenchError:
            self.program.close()
            raise

    def __repr__(self) -> str:
        return f"<Ordered {self.program!r}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.program.close()

    def gather(self) -> None:
        """Do nothing: its broadcasts are for everybody."""

    def send(self, texts: Sequence[str]) -> None:
        """Give the orders, and wait until they were carried out."""
        self.program.tell("".join(f"{text}\n" for text in texts))
        self.program.line("done")


_ENV: Final = "/usr/bin/env"


def _command(contestant: Contestant) -> list[str]:
    if contestant.kind is Kind.NODE:
        return [_ENV, f"NODE_PATH={NODE_MODULES}", "node", str(SERVERS / contestant.server)]
    module = f"bench.peers.servers.{contestant.server.removesuffix('.py')}"
    return [_ENV, f"PYTHONPATH={HERE.parent}", str(PYTHON), "-P", "-m", module]


def start(contestant: Contestant) -> Running:
    """Start a contestant that is installed.

    Raises:
        BenchError: If it does not start.
    """
    if contestant.kind is Kind.OURS:
        return Ours()
    if contestant.kind is Kind.NGINX:
        return Nchan(contestant)
    return Ordered(contestant)
