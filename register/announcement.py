"""What a gateway may announce: the checks before the directory takes it.

Rule: an address that others could not dial is refused here, with the remedy, instead of failing
later in every client. Pure.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from gateway_wire.addresses import HIGHEST_PORT, is_loopback
from gateway_wire.commands import CommandError
from gateway_wire.errors import ErrorCode
from gateway_wire.ids import node_key_of, php_address_of

if TYPE_CHECKING:
    from gateway_wire.commands import Announce

__all__ = ["check_announcement"]

MAX_HOST: Final = 255
"""Characters of a host: DNS allows 253."""
MAX_KEYS: Final = 16
"""Directory keys of one gateway: one per listener and client-id form; real ones have a few."""
MAX_KEY: Final = 64
"""Characters of a directory key: the longest form has 21."""


def check_announcement(announce: Announce, *, exposed: bool) -> None:
    """Check that others can use what a gateway announces.

    Args:
        announce: What it announces.
        exposed: Whether this register can be reached from other machines.

    Raises:
        CommandError: ``INVALID`` if a field cannot be right, ``UNREACHABLE_ADDRESS`` if others
            could not dial it.
    """
    problem = _problem(announce)
    if problem:
        raise CommandError(ErrorCode.INVALID, f"announce: {problem}")
    host = announce.host
    if _is_unspecified(host):
        raise _unreachable(f"{host}, which is no address that can be dialled")
    for dialled in (host, *_php_hosts(announce)):
        if exposed and is_loopback(dialled):
            raise _unreachable(
                f"{dialled}, which only its own machine can dial, to a register for others as well"
            )


def _php_hosts(announce: Announce) -> list[str]:
    """Return the hosts under which PHP programs will dial it."""
    addresses = map(php_address_of, announce.keys)
    return [address.host for address in addresses if address is not None]


def _is_unspecified(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _unreachable(what: str) -> CommandError:
    remedy = "start it with --advertise HOST, the address at which others reach it"
    return CommandError(ErrorCode.UNREACHABLE_ADDRESS, f"the gateway announces {what}; {remedy}")


def _problem(announce: Announce) -> str:
    try:
        node_key_of(announce.node_id)
    except ValueError as error:
        return str(error)
    if not 0 < len(announce.host) <= MAX_HOST or any(c.isspace() for c in announce.host):
        return f"host {announce.host[:MAX_HOST]!r} is no address and no name"
    if not 0 < announce.port <= HIGHEST_PORT:
        return f"port {announce.port} is not from 1 to {HIGHEST_PORT}"
    if announce.generation < 0:
        return f"generation {announce.generation} is below 0"
    if len(announce.keys) > MAX_KEYS or any(len(key) > MAX_KEY for key in announce.keys):
        return f"more than {MAX_KEYS} keys, or one of more than {MAX_KEY} characters"
    if len(announce.api_server) > MAX_HOST:
        return f"api_server has more than {MAX_HOST} characters"
    return ""
