"""The register as a program: its settings, its listening sockets, and what runs in its process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway_process.program import Program
from gateway_process.sockets import address_of, bind
from register.settings import RegisterSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway_process.daemon import Context, Role, Sockets
    from gateway_wire.addresses import Address

__all__ = ["HTTP", "INTERNAL", "REGISTER", "address_dialled"]

INTERNAL: Final = "listen"
"""The name of the links' socket and address, in the ready line too."""
HTTP: Final = "http"


def _bind(settings: RegisterSettings) -> Sequence[Sockets]:
    return [{INTERNAL: bind(settings.listen, "--listen"), HTTP: bind(settings.http, "--http")}]


def _role(settings: RegisterSettings, context: Context) -> Role[RegisterSettings]:
    from register.process import RegisterProcess

    return RegisterProcess(settings, context)


REGISTER: Final = Program(
    name="register",
    package="register",
    settings=RegisterSettings,
    bind=_bind,
    role=_role,
    stop_stage=2,  # gateways and workers find each other by it
)
"""What `register start` runs, and what other commands start as a child."""


def address_dialled(sockets: Sockets) -> Address:
    """Give the address under which others on this machine reach a register with these sockets."""
    return address_of(sockets[INTERNAL][0]).dialled
