"""What a register says to PHP programs, and they to it: GatewayWorker's lines of JSON. Pure.

::

    {"event":"worker_connect","secret_key":""}                              a client or worker asks
    {"event":"broadcast_addresses","addresses":["10.0.0.1:2950"]}           and is told, again at each change
    {"event":"ping"}                                                        nothing
    {"event":"gateway_connect",...}                                         refused: ours announce themselves

An address is that of a gateway's listener for PHP programs. It is read from the key by which the directory
finds the gateway's PHP client ids, so that a client that takes it from an id gets the same.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from gateway_wire.errors import RemoteProtocolError
from gateway_wire.ids import php_address_of
from gateway_wire.plain_key import check_plain_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway_wire.commands import Announce

__all__ = ["FIRST_BYTE", "MAX_LINE", "Conversation", "addresses_line", "addresses_of"]

FIRST_BYTE: Final = b"{"
"""With what every line begins, and none of our own frames: their length is below 2**24."""

MAX_LINE: Final = 4 * 1024
"""Bytes of a line: real ones have some sixty, and a long key more."""


def addresses_of(nodes: Iterable[Announce]) -> list[str]:
    """Return where PHP programs reach gateways, each address once, in the order of their coming."""
    addresses = (php_address_of(key) for each in nodes for key in each.keys)
    return list(dict.fromkeys(str(each) for each in addresses if each is not None))


def addresses_line(addresses: list[str]) -> bytes:
    """Return the line that tells where gateways are."""
    told = {"event": "broadcast_addresses", "addresses": addresses}
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


class Conversation:
    """What one PHP program says."""

    __slots__ = ("_rest", "_secret_key")

    def __init__(self, secret_key: str) -> None:
        """Wait for a line.

        Args:
            secret_key: The cluster's secret key, empty for none.
        """
        self._secret_key = secret_key
        self._rest = b""

    def __repr__(self) -> str:
        return f"<Conversation holding {len(self._rest)} bytes>"

    def receive(self, data: bytes) -> bool:
        """Take bytes from the network; return whether they ask for addresses.

        Raises:
            AuthenticationFailed: The secret keys differ.
            RemoteProtocolError: It is something else than was expected.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        asks = [self._asks(line) for line in lines]
        _check_length(self._rest)
        return any(asks)

    def _asks(self, line: bytes) -> bool:
        _check_length(line)
        told = _object_of(line)
        match told.get("event"):
            case "worker_connect":
                check_plain_key(self._secret_key, told.get("secret_key", ""), "register")
                return True
            case "ping":
                return False
            case "gateway_connect":
                text = "a gateway of GatewayWorker wants to be listed; start ours: --php-start-port"
                raise RemoteProtocolError(text)
            case event:
                raise RemoteProtocolError(f"{event!r:.40} is no event that a register knows")


def _check_length(line: bytes) -> None:
    if len(line) > MAX_LINE:
        raise RemoteProtocolError(f"a line of JSON has more than {MAX_LINE:,} bytes")


def _object_of(line: bytes) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise RemoteProtocolError(f"a line of {len(line)} bytes is no JSON object")
    return told
