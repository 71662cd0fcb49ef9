"""Addresses of internal listeners: `host:port` text and back, one place for all packages.

A host is an IPv4 address, an IPv6 address (in brackets where a port follows) or a DNS name.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Address", "parse_address"]

_MAX_PORT = 65535


class Address(NamedTuple):
    """Where something listens.

    Attributes:
        host: IPv4 address, IPv6 address without brackets, or DNS name.
        port: 0 to 65535; 0 where the kernel shall choose.
    """

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """Parse `host:port` or `[ipv6]:port`.

    Raises:
        ValueError: If it is not of that form; the message shows what one looks like.
    """
    host, colon, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    well_formed = colon and host and port.isascii() and port.isdigit()
    if not well_formed or (":" in host and not bracketed) or int(port) > _MAX_PORT:
        raise ValueError(
            f"{text!r} is not an address: write host:port, such as 127.0.0.1:1236 or [::1]:1236"
        )
    return Address(host, int(port))
