"""Addresses of internal links and listeners: `host:port` as text and as a value, in one place.

Hosts are kept as written (IPv4, IPv6 without its brackets, DNS name); nothing in here resolves a
name or opens a socket. Port 0 means "let the system choose one".
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple

__all__ = ["HIGHEST_PORT", "Address", "BadAddress", "is_loopback"]

HIGHEST_PORT: Final = 65535
_EXAMPLES: Final = "127.0.0.1:1236, [::1]:1236 or register.internal:1236"
_HOST_PORT: Final = re.compile(
    r"(?:\[(?P<ipv6>[^\]]*)\]|(?P<host>[^:\[\]/@?#\s]*)):(?P<port>[^:]*)"
)
_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class BadAddress(ValueError):
    """A text is not an address.

    Attributes:
        text: What was given.
        problem: What is wrong, to be read after it: "has no port".
        remedy: What to write instead, with an example.
    """

    def __init__(self, text: str, problem: str, remedy: str) -> None:
        super().__init__(text, problem, remedy)
        self.text = text
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.text!r} {self.problem}; {self.remedy}"


class Address(NamedTuple):
    """A TCP address.

    Attributes:
        host: IPv4 or IPv6 address (no brackets) or DNS name.
        port: 0 to 65535; 0 lets the system choose when listening.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `host:port` or `[ipv6]:port`.

        Raises:
            BadAddress: it is something else.
        """
        match = _HOST_PORT.fullmatch(text.strip())
        if match is None:
            raise _misread(text)
        if match["ipv6"] is not None and not _is_ipv6(match["ipv6"]):
            raise BadAddress(text, "has no IPv6 address between its brackets", f"write {_EXAMPLES}")
        host = match["ipv6"] or match["host"]
        if not host:
            raise BadAddress(
                text, "has no host", "write 0.0.0.0:PORT to listen on every IPv4 address"
            )
        return cls(host, _port(text, match["port"]))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it; see :func:`is_loopback`."""
        return is_loopback(self.host)

    @property
    def dialled(self) -> Address:
        """Where this machine reaches what listens here: loopback for every address, else itself."""
        return Address(_LOOPBACK.get(self.host, self.host), self.port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine's own: `localhost`, 127.0.0.0/8 or ::1.

    An IPv4 address mapped into IPv6 counts as what it is.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return host.lower().removesuffix(".") == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _misread(text: str) -> BadAddress:
    if "://" in text:
        return BadAddress(text, "is a URL, an address is wanted", f"write {_EXAMPLES}")
    if text.count(":") > 1 and "[" not in text:
        return BadAddress(text, "looks like IPv6 without brackets", "write [::1]:1236")
    if ":" not in text.rpartition("]")[2]:
        return BadAddress(text, "has no port", f"write {_EXAMPLES}")
    return BadAddress(text, "is not host:port", f"write {_EXAMPLES}")


def _is_ipv6(text: str) -> bool:
    try:
        return ip_address(text).version == 6
    except ValueError:
        return False


def _port(text: str, port: str) -> int:
    if not port:
        raise BadAddress(text, "has no port", f"write {_EXAMPLES}")
    if not (port.isascii() and port.isdigit()) or int(port) > HIGHEST_PORT:
        raise BadAddress(text, "has no valid port", f"give a port from 0 to {HIGHEST_PORT}")
    return int(port)
