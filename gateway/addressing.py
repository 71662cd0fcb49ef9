"""Under which address the others dial this gateway, and on which it listens for them.

Two settings: ``advertise`` (what is announced; ``auto`` finds it) and ``advertise_bind`` (what is
listened on, where a container or NAT makes them differ). Hosts only; ports are `start_port`'s matter.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway_process.errors import StartupError
from gateway_process.sockets import bind
from gateway_wire.addresses import Address

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AUTO", "Hosts", "choose_hosts", "ipv4_of", "refuse_foreign"]

AUTO: Final = "auto"
"""The value of ``advertise`` that means: the local address of the way to the register."""

_NO_WAY: Final = "say under which address others reach this machine: --advertise HOST"
_NO_NAME: Final = "check the name; what is known by no name is written as an address"
_NO_IPV4: Final = "has no IPv4 address, which PHP's client ids hold; give one, or a name that has one: --advertise HOST"
_NOT_OURS: Final = "is no address of this machine, where its internal port could be listened on"
_OURS: Final = "give one it has, or 0.0.0.0 or [::] for all"
_BOTH: Final = "if others do reach it so, say where to listen: --advertise-bind HOST"


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


async def ipv4_of(host: str) -> str:
    """Return the IPv4 address of a host that is announced; the client ids of PHP hold it.

    Raises:
        StartupError: It has none.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, 0, family=socket.AF_INET, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise StartupError(f"--php-start-port: {host} {_NO_IPV4}") from error
    return str(found[0][4][0])


def refuse_foreign(hosts: Hosts) -> None:
    """Refuse a host to listen on that is not this machine's, such as the outer one behind a NAT.

    Raises:
        StartupError: It is another's, or a name that does not resolve.
    """
    try:
        for sock in bind(Address(hosts.bound, 0), "--advertise", listening=False):
            sock.close()
    except StartupError as error:
        if hosts.bound != hosts.advertised:
            raise StartupError(f"--advertise-bind: {hosts.bound} {_NOT_OURS}; {_OURS}") from error
        raise StartupError(f"--advertise: {hosts.bound} {_NOT_OURS}; {_BOTH}") from error


async def _local_host_towards(registers: Sequence[Address]) -> str:
    """Give the local address of the way to the first register that has one."""
    problems: dict[Address, OSError] = {}
    for register in registers:
        try:
            return await _local_host_of_route(register)
        except OSError as error:
            problems[register] = error
    told = ", ".join(f"{each} ({error.strerror or error})" for each, error in problems.items())
    if all(isinstance(error, socket.gaierror) for error in problems.values()):
        raise StartupError(f"--register: no name that resolves: {told}; {_NO_NAME}")
    raise StartupError(f"no way to the register {told}; {_NO_WAY}")


async def _local_host_of_route(register: Address) -> str:
    """Ask the kernel which local address it would send from; no packet is sent."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(register.host, register.port, type=socket.SOCK_DGRAM)
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.connect(address)
        host: str = probe.getsockname()[0]
        return host
