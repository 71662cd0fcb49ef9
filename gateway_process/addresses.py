"""Where to listen and where to dial: `host:port` and `scheme://host:port`, as typed values.

Hosts are kept as written (IPv4, IPv6 without its brackets, DNS name); nothing in here resolves a
name or opens a socket. Port 0 means "let the system choose one".
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from gateway_process.errors import BadValue

__all__ = ["HIGHEST_PORT", "Address", "ListenUrl"]

HIGHEST_PORT: Final = 65535
_EXAMPLES: Final = "127.0.0.1:1236, [::1]:1236 or register.internal:1236"
_HOST_PORT: Final = re.compile(
    r"(?:\[(?P<ipv6>[^\]]*)\]|(?P<host>[^:\[\]/@?#\s]*)):(?P<port>[^:]*)"
)
_URL: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<address>[^/?#]*)(?P<rest>.*)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP address.

    Attributes:
        host: IPv4 or IPv6 address (no brackets) or DNS name.
        port: 0 to 65535; 0 lets the system choose when listening.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read `host:port` or `[ipv6]:port`.

        Raises:
            BadValue: it is something else.
        """
        match = _HOST_PORT.fullmatch(text.strip())
        if match is None:
            raise _misread(text)
        if match["ipv6"] is not None and not _is_ipv6(match["ipv6"]):
            raise BadValue("has no IPv6 address between its brackets", f"write {_EXAMPLES}")
        host = match["ipv6"] or match["host"]
        if not host:
            raise BadValue("has no host", "write 0.0.0.0:PORT to listen on every IPv4 address")
        return cls(host, _port(match["port"]))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it: `localhost`, 127.0.0.0/8 or ::1."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ListenUrl:
    """A public listener: which protocol on which address.

    Attributes:
        scheme: lower case, such as `ws`; which schemes exist is the role's business.
        address: where it listens.
    """

    scheme: str
    address: Address

    @classmethod
    def parse(cls, text: str) -> "ListenUrl":
        """Read `scheme://host:port`.

        Raises:
            BadValue: it is something else, or a path follows.
        """
        match = _URL.fullmatch(text.strip())
        if match is None:
            raise BadValue("is not a listen URL", "write scheme://host:port as ws://0.0.0.0:7272")
        if match["rest"] not in {"", "/"}:
            raise BadValue(
                "has something behind the port", "a listener takes every path; remove it"
            )
        return cls(match["scheme"].lower(), Address.parse(match["address"]))

    def __str__(self) -> str:
        return f"{self.scheme}://{self.address}"


def _misread(text: str) -> BadValue:
    if "://" in text:
        return BadValue("is a URL, an address is wanted", f"write {_EXAMPLES}")
    if text.count(":") > 1 and "[" not in text:
        return BadValue("looks like IPv6 without brackets", "write [::1]:1236")
    if ":" not in text.rpartition("]")[2]:
        return BadValue("has no port", f"write {_EXAMPLES}")
    return BadValue("is not host:port", f"write {_EXAMPLES}")


def _is_ipv6(text: str) -> bool:
    try:
        return ip_address(text).version == 6
    except ValueError:
        return False


def _port(text: str) -> int:
    if not text:
        raise BadValue("has no port", f"write {_EXAMPLES}")
    if not (text.isascii() and text.isdigit()) or int(text) > HIGHEST_PORT:
        raise BadValue("has no valid port", f"give a port from 0 to {HIGHEST_PORT}")
    return int(text)
