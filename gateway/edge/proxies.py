"""Who the client really is when proxies stand before the gateway.

A proxy's word counts only if the TCP peer is one that the settings trust: an
untrusted peer could write any address into the header. Each proxy appends the
address it saw, so the list is read from its right end: trusted addresses are
proxies, and the first one that is not is the client. What is left of it was
written by the client itself.

`Forwarded` (RFC 7239) is used if it is there, else `X-Forwarded-For`. If the
header is malformed up to the point where it is read, or every address in it is
a trusted one, or the client hides (`for=unknown`), the TCP peer stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

__all__ = ["Address", "TrustedProxies"]

Address: TypeAlias = tuple[str, int]
"""Numeric address and port; port 0 where it is not known."""

_IP: TypeAlias = IPv4Address | IPv6Address
_MAX_PORT: Final = 65535
_FOR: Final = re.compile(r"(?i)(?:^|;)\s*for\s*=\s*(?:\"([^\"\\]*)\"|([^\s;,\"]+))\s*(?=;|$)")
_NODE: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::(\d{1,5}))?")


class TrustedProxies:
    """The networks whose word about the client's address is taken.

    Args:
        networks: Addresses and CIDR blocks, IPv4 and IPv6, such as `10.0.0.0/8`.

    Raises:
        ValueError: One of them is not a network; the message names it.
    """

    __slots__ = ("_networks",)

    def __init__(self, networks: Sequence[str] = ()) -> None:
        self._networks = tuple(_network(text) for text in networks)

    def __repr__(self) -> str:
        return f"<TrustedProxies {' '.join(map(str, self._networks)) or 'none'}>"

    def client_address(self, peer: Address, headers: Mapping[str, str]) -> Address:
        """Return the real client's address.

        Args:
            peer: The TCP peer.
            headers: Request headers by lower-case name.
        """
        if not self._networks:
            return peer
        peer_ip = _ip(peer[0])
        if peer_ip is None or not self._trusts(peer_ip):
            return peer
        for ip, port in reversed(_forwarded(headers)):
            if ip is None:
                return peer
            if not self._trusts(ip):
                return str(ip), port
        return peer

    def _trusts(self, ip: _IP) -> bool:
        return any(ip in network for network in self._networks)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError as error:
        msg = f"trusted proxy {text!r} is not an address or CIDR block such as 10.0.0.0/8"
        raise ValueError(msg) from error


def _ip(text: str) -> _IP | None:
    """Return the address in `text`, an IPv4 one if it is mapped into IPv6, or None."""
    try:
        ip = ip_address(text)
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip


def _forwarded(headers: Mapping[str, str]) -> list[tuple[_IP | None, int]]:
    """Return the addresses that proxies appended, in order; None for one that is not an address."""
    if "forwarded" in headers:
        elements = headers["forwarded"].split(",")
        return [_node(_for_value(element)) for element in elements]
    if "x-forwarded-for" in headers:
        return [_node(part.strip()) for part in headers["x-forwarded-for"].split(",")]
    return []


def _for_value(element: str) -> str:
    match = _FOR.search(element.strip())
    return (match.group(1) or match.group(2) or "") if match else ""


def _node(text: str) -> tuple[_IP | None, int]:
    """Parse `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`."""
    bare = _ip(text)
    if bare is not None:
        return bare, 0
    match = _NODE.fullmatch(text)
    if match is None:
        return None, 0
    port = int(match.group(3) or 0)
    if port > _MAX_PORT:
        return None, 0
    return _ip(match.group(1) or match.group(2)), port
