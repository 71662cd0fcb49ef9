"""Under which address the others dial this gateway, and on which it listens for them.

Two settings: ``advertise`` (what is announced; ``auto`` finds it) and ``advertise_bind`` (what is
listened on, where a container or NAT makes them differ). Hosts only; ports are `start_port`'s matter.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway_process.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway_wire.addresses import Address

__all__ = ["AUTO", "Hosts", "choose_hosts"]

AUTO: Final = "auto"
"""The value of ``advertise`` that means: the local address of the way to the register."""

_REMEDY: Final = "say under which address others reach this machine: --advertise HOST"


class Hosts(NamedTuple):
    """Where a gateway's internal listener is.

    Attributes:
        advertised: The host that others dial.
        bound: The host that is listened on.
    """

    advertised: str
    bound: str


async def choose_hosts(advertise: str, advertise_bind: str, registers: Sequence[Address]) -> Hosts:
    """Decide what is announced and what is listened on.

    Args:
        advertise: IPv4 or IPv6 address, DNS name, or :data:`AUTO`.
        advertise_bind: The same without `auto`; empty for "where `advertise` is".
        registers: Where the registers are, for `auto`.

    Returns:
        Both hosts; IPv6 without brackets.

    Raises:
        StartupError: If `auto` finds no way to a register.
    """
    advertised = await _local_host_towards(registers) if advertise == AUTO else advertise
    return Hosts(advertised.strip("[]"), (advertise_bind or advertised).strip("[]"))


async def _local_host_towards(registers: Sequence[Address]) -> str:
    """Give the local address of the way to the first register that has one."""
    problems = []
    for register in registers:
        try:
            return await _local_host_of_route(register)
        except OSError as error:
            problems.append(f"{register} ({error.strerror or error})")
    raise StartupError(f"no way to the register {', '.join(problems)}; {_REMEDY}")


async def _local_host_of_route(register: Address) -> str:
    """Ask the kernel which local address it would send from; no packet is sent."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(register.host, register.port, type=socket.SOCK_DGRAM)
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.connect(address)
        host: str = probe.getsockname()[0]
        return host
