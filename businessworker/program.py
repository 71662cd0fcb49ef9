"""The business worker as a program: its settings, its listening sockets, what runs in each process.

It always runs under a supervisor, which imports nothing of the application: a reload replaces the processes
one by one, and each new one imports it anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from businessworker.settings import WorkerSettings
from gateway_process.program import Program
from gateway_process.sockets import bind
from gateway_wire.addresses import Address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway_process.daemon import Context, Role, Sockets

__all__ = ["BUSINESSWORKER", "HTTP"]

HTTP: Final = "http"
"""The name of the HTTP port's socket and address, in the ready line too."""


def _bind(settings: WorkerSettings) -> Sequence[Sockets]:
    numbers = range(settings.processes)
    http = settings.http
    if http is None:
        return [{} for _ in numbers]
    ports = [http.port + number if http.port else 0 for number in numbers]
    return [{HTTP: bind(Address(http.host, port), "--http")} for port in ports]


def _role(settings: WorkerSettings, context: Context) -> Role[WorkerSettings]:
    from businessworker.process import WorkerProcess

    return WorkerProcess(settings, context)


BUSINESSWORKER: Final = Program(
    name="businessworker",
    package="businessworker",
    settings=WorkerSettings,
    bind=_bind,
    role=_role,
    replaces=True,
    stop_stage=1,  # a gateway that stops tells it of each browser that goes
)
"""What `businessworker start` runs, and what other commands start as a child."""
