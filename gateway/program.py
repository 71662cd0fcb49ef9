"""The gateway as a program: its settings, its listening sockets, and what runs in each process."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

from gateway.addressing import choose_hosts, ipv4_of, refuse_foreign
from gateway.settings import GatewaySettings
from gateway_process.errors import StartupError
from gateway_process.program import Program
from gateway_process.sockets import bind, refuse_open_without_secret
from gateway_wire.addresses import Address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.addressing import Hosts
    from gateway_process.daemon import Context, Role, Sockets

__all__ = [
    "GATEWAY",
    "HTTP",
    "INTERNAL",
    "PHP",
    "TCP",
    "WS",
    "port_of",
    "public_kind",
    "refuse_open",
]

INTERNAL = "internal"
HTTP = "http"
PHP = "php"
WS = "ws"
"""Under this name the ready line has the listeners of browsers."""
TCP = "tcp"
"""And under this one all others."""


_LISTEN_ON_IPV4: Final = "PHP programs dial the IPv4 address: give --advertise-bind one, or 0.0.0.0"


def public_kind(index: int) -> str:
    """Return the name under which the sockets of listener number `index` are handed over."""
    return f"listen{index}"


def _bind(settings: GatewaySettings) -> Sequence[Sockets]:
    """Bind every listener of every process, so that whatever is wrong shows before any starts."""
    count = settings.processes
    hosts = asyncio.run(_choose_hosts(settings))
    internal = [
        Address(hosts.bound, port_of(settings.start_port, number)) for number in range(count)
    ]
    http = [
        Address(settings.http.host, port_of(settings.http.port, number)) for number in range(count)
    ]
    refuse_open(settings, internal[0])
    refuse_foreign(hosts)
    public = [
        bind(url.address, "--listen", count=count, listening=False) for url in settings.listen
    ]
    return [
        {
            INTERNAL: bind(internal[number], "--start-port"),
            HTTP: bind(http[number], "--http"),
            **_bind_php(settings, hosts, number),
            **{public_kind(index): [sockets[number]] for index, sockets in enumerate(public)},
        }
        for number in range(count)
    ]


async def _choose_hosts(settings: GatewaySettings) -> Hosts:
    hosts = await choose_hosts(settings.advertise, settings.advertise_bind, settings.register)
    if settings.php_start_port is not None:
        await ipv4_of(hosts.advertised)
    return hosts


def _bind_php(settings: GatewaySettings, hosts: Hosts, number: int) -> Sockets:
    """Bind the listener of PHP programs, if there is one."""
    if settings.php_start_port is None:
        return {}
    port = port_of(settings.php_start_port, number)
    (sock,) = bind(Address(hosts.bound, port), "--php-start-port")
    if sock.family != socket.AF_INET:
        sock.close()
        raise StartupError(f"--php-start-port: {hosts.bound} is not IPv4; {_LISTEN_ON_IPV4}")
    return {PHP: [sock]}


def port_of(first: int, number: int) -> int:
    """Return the port of process `number` when the first one's is given; 0 stays 0."""
    return first + number if first else 0


def refuse_open(settings: GatewaySettings, internal: Address) -> None:
    """Refuse listeners for this machine's own that others reach and nothing protects.

    Args:
        settings: What the gateway was told.
        internal: Where the internal listener of the first process will be.

    Raises:
        SettingsError: One of them is refused.
    """
    refuse_open_without_secret(
        internal,
        "--advertise-bind" if settings.advertise_bind else "--advertise",
        secret=settings.secret_key,
        secret_setting="secret_key",  # noqa: S106 - a name
        insecure=settings.insecure,
    )
    refuse_open_without_secret(
        settings.http,
        "--http",
        secret=settings.api_key,
        secret_setting="api_key",  # noqa: S106 - a name
        insecure=settings.insecure,
    )


def _role(settings: GatewaySettings, context: Context) -> Role[GatewaySettings]:
    from gateway.process import GatewayProcess

    return GatewayProcess(settings, context)


GATEWAY = Program(
    name="gateway", package="gateway", settings=GatewaySettings, bind=_bind, role=_role
)
