"""Listening sockets: bound before a role is made, so that what is wrong shows at once and in words.

`bind` serves one process or several. With one, SO_REUSEPORT is not set, so a second program on the
port is an error. With several, the port is first probed without it for the same reason, and then
bound once per process; the kernel spreads connections among them. The supervisor keeps every socket
open and its children inherit theirs, so a replaced child finds the connections that queued up.

SO_REUSEADDR is set on POSIX: it lets a restart bind while old connections linger in TIME_WAIT, and
never lets two programs listen at once there. On Windows it would, so it is left out.
"""

import errno
import os
import socket
from typing import Final

from gateway_process.errors import SettingsError, StartupError
from gateway_process.holder import holder_of
from gateway_process.secret import Secret
from gateway_wire.addresses import Address

__all__ = ["BACKLOG", "address_of", "bind", "explain", "refuse_open_without_secret"]

BACKLOG: Final = 4096
"""Connections the kernel holds until they are accepted. Linux cuts it to net.core.somaxconn (4096
since 5.4); asyncio's 100 would drop connections when thousands of browsers reconnect at once."""


def bind(
    address: Address, setting: str, *, count: int = 1, listening: bool = True
) -> list[socket.socket]:
    """Bind an address for one or several processes.

    A DNS name is resolved and its first address taken, IPv4 before IPv6. `[::]` takes IPv6 only;
    name `0.0.0.0` besides for IPv4. Port 0 becomes one free port, shared by all `count` sockets.

    Args:
        address: where.
        setting: the flag that asked for it, for messages: `--listen`.
        count: how many processes share it; each gets a socket of its own.
        listening: whether connections may queue up from now. A role that opens its port later
            passes False and lets `start_server(sock=..., backlog=BACKLOG)` begin.

    Returns:
        `count` non-blocking sockets, in process order.

    Raises:
        StartupError: it cannot be bound; names the address, what probably holds it and the remedy.
    """
    if count > 1 and not hasattr(socket, "SO_REUSEPORT"):
        raise StartupError(f"{setting}: this platform cannot share a port; use --processes 1")
    family, target = _resolved(address, setting)
    opened: list[socket.socket] = []
    try:
        _open_all(opened, family, target, count)
        for sock in opened if listening else ():
            sock.listen(BACKLOG)
    except OSError as error:
        for sock in opened:
            sock.close()
        raise explain(error, address, setting) from error
    return opened


def _open_all(
    opened: list[socket.socket], family: socket.AddressFamily, target: tuple[str, int], count: int
) -> None:
    if count == 1:
        opened.append(_open(family, target, shared=False))
        return
    _open(family, target, shared=False).close()
    while len(opened) < count:
        opened.append(_open(family, target, shared=True))
        target = opened[0].getsockname()


def _resolved(address: Address, setting: str) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError) as error:
        remedy = "check the name, or give an address of this machine or 0.0.0.0"
        raise StartupError(
            f"{setting}: {address.host} is no address and no name that resolves ({error}); {remedy}"
        ) from error
    family, *_, target = min(found, key=lambda each: each[0] != socket.AF_INET)
    return family, target  # type: ignore[return-value]  # typeshed also knows bluetooth addresses


def _open(family: socket.AddressFamily, target: tuple[str, int], *, shared: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.settimeout(0)
        sock.bind(target)
    except OSError:
        sock.close()
        raise
    return sock


def explain(error: OSError, address: Address, setting: str) -> StartupError:
    """Say why an address could not be bound or listened on, and what to do about it."""
    match error.errno:
        case errno.EADDRINUSE:
            told = _in_use(address.port)
        case errno.EACCES:
            told = _not_permitted(address.port)
        case errno.EADDRNOTAVAIL:
            told = _NOT_OURS
        case _:
            told = f"cannot be opened ({error.strerror}); check the address"
    return StartupError(f"{setting}: {address} {told}")


_NOT_OURS: Final = (
    "is not an address of this machine; give 0.0.0.0 or [::] for all its addresses, or one it has"
)


def _in_use(port: int) -> str:
    held = holder_of(port) or "another process, perhaps another user's"
    return f"is in use by {held}; stop it or choose another port"


def _not_permitted(port: int) -> str:
    if port < 1024:  # where privileged ports end
        remedy = "choose a port from 1024, or give the process CAP_NET_BIND_SERVICE"
        return f"is not permitted: ports below 1024 are the administrator's; {remedy}"
    return "is not permitted by the system; choose another port"


def address_of(sock: socket.socket) -> Address:
    """Give the real address of a bound socket."""
    host, port = sock.getsockname()[:2]
    return Address(host, port)


def refuse_open_without_secret(
    address: Address, setting: str, *, secret: Secret, secret_setting: str, insecure: bool
) -> None:
    """Refuse an internal or HTTP listener that other machines reach and nothing protects.

    Meant for a settings class's `__post_init__`, so that the message names what the user wrote.

    Args:
        address: where it would listen.
        setting: the field that asks for it: `http`.
        secret: what protects it: the secret key, or the API key for HTTP.
        secret_setting: the field of that secret: `api_key`.
        insecure: whether the administrator allowed it all the same.

    Raises:
        SettingsError: it is refused.
    """
    if secret or insecure or address.is_loopback:
        return
    flag = f"--{secret_setting.replace('_', '-')}-file"
    raise SettingsError(
        setting,
        f"is open to other machines with no {secret_setting.replace('_', ' ')}",
        f"give {flag} FILE, listen on 127.0.0.1, or allow it with --insecure",
        value=str(address),
    )
