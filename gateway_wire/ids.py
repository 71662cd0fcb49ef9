"""Client ids: one id, parsed in this one place, in three written forms.

=========  ==============================================  ===========================
form       written as                                      node key
=========  ==============================================  ===========================
native     32 hex digits: 12 for the node, 20 random       ``n:`` and the 12 digits
php        20 hex digits: IPv4 and port of a listener,     ``p:`` and the first 12
           then 32 bits of the connection
connmix    a decimal below 2**63: node number, then        ``c:`` and the node number
           40 bits of the connection
=========  ==============================================  ===========================

The lengths keep the forms apart: a decimal below 2**63 has at most 19 digits. The *node key*
is what the directory indexes: it names the gateway process that holds the connection. A
native id never repeats, cannot be guessed (80 random bits) and leaks no address. The connection's part of the
others is a counter through a secret permutation: it does not repeat in its process either, and who has
one cannot tell another. A gateway has keys for its native node id and for the form it hands out.
"""

from __future__ import annotations

import re
import secrets
from enum import Enum
from ipaddress import IPv4Address
from typing import Final, NamedTuple, Protocol

from gateway_wire.addresses import HIGHEST_PORT, Address
from gateway_wire.errors import InvalidClientId
from gateway_wire.permutation import Permutation

__all__ = [
    "ClientIdForm",
    "ClientIds",
    "ConnmixIds",
    "NativeIds",
    "ParsedId",
    "PhpIds",
    "new_connmix_number",
    "new_node_id",
    "node_key_of",
    "parse_client_id",
    "php_address_of",
]

CONNMIX_CONNECTION_BITS: Final = 40
CONNMIX_NODE_NUMBERS: Final = range(1 << 13, 1 << 23)
"""
Node numbers of connmix ids.

The highest keeps ids below 2**63, which PHP's and every other signed 64-bit integer holds. The lowest makes all
of them larger than 2**53, as CONNMIX's own: a client that reads them as JavaScript's numbers, and so loses
digits, does so with its first connection and not after a year. Eight million are enough that two gateways seldom
draw the same; a register refuses the second.
"""
PHP_CONNECTION_BITS: Final = 32
NODE_DIGITS: Final = 12
RANDOM_BYTES: Final = 10

_NATIVE = re.compile(r"[0-9a-f]{32}", re.ASCII)
_PHP = re.compile(r"[0-9a-f]{20}", re.ASCII)
_CONNMIX = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_PHP_KEY = re.compile(r"p:([0-9a-f]{8})([0-9a-f]{4})", re.ASCII)
_NODE = re.compile(r"[0-9a-f]{12}", re.ASCII)


class ClientIdForm(Enum):
    """The written forms of a client id; a gateway's settings say which one it hands out."""

    NATIVE = "native"
    PHP = "php"
    CONNMIX = "connmix"


class ParsedId(NamedTuple):
    """A well-formed client id.

    Attributes:
        text: The id as written.
        form: Which of the three forms it is.
        node_key: The key under which the directory lists the gateway that holds it.
    """

    text: str
    form: ClientIdForm
    node_key: str


def parse_client_id(client_id: object) -> ParsedId:
    """Parse a client id in any of its forms.

    Args:
        client_id: What the caller holds; only a ``str`` can be well-formed.

    Returns:
        The id with its form and the key of its node.

    Raises:
        InvalidClientId: If it is not a client id; the message says what one looks like.
    """
    if not isinstance(client_id, str):
        raise InvalidClientId(client_id)
    if _NATIVE.fullmatch(client_id):
        return ParsedId(client_id, ClientIdForm.NATIVE, "n:" + client_id[:NODE_DIGITS])
    if _PHP.fullmatch(client_id):
        return ParsedId(client_id, ClientIdForm.PHP, "p:" + client_id[:NODE_DIGITS])
    if _CONNMIX.fullmatch(client_id) and (number := int(client_id)) < 2**63:
        node = number >> CONNMIX_CONNECTION_BITS
        return ParsedId(client_id, ClientIdForm.CONNMIX, f"c:{node}")
    raise InvalidClientId(client_id)


def node_key_of(node_id: str) -> str:
    """Return the directory key of a native node id.

    Args:
        node_id: Twelve lower-case hex digits.

    Raises:
        ValueError: If ``node_id`` is not of that form.
    """
    if not _NODE.fullmatch(node_id):
        msg = f"a node id is 12 lower-case hex digits, not {node_id!r}"
        raise ValueError(msg)
    return "n:" + node_id


def php_address_of(node_key: str) -> Address | None:
    """Return where the listener is that a directory key of the php form names; None for another key."""
    match = _PHP_KEY.fullmatch(node_key)
    return Address(str(IPv4Address(int(match[1], 16))), int(match[2], 16)) if match else None


def new_node_id() -> str:
    """Return a fresh random node id: 12 hex digits, chosen at a gateway's cold start."""
    return secrets.token_hex(NODE_DIGITS // 2)


def new_connmix_number() -> int:
    """Return a fresh random node number for connmix ids, chosen at a gateway's cold start."""
    return CONNMIX_NODE_NUMBERS.start + secrets.randbelow(len(CONNMIX_NODE_NUMBERS))


class ClientIds(Protocol):
    """Hands out the client ids of one node, in one of the forms.

    Attributes:
        node_id: The native id of the node, by which the directory lists it.
        keys: The node's keys in the directory: of its native id, and of the form handed out.
    """

    @property
    def node_id(self) -> str:
        """The native id of the node, by which the directory lists it."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The node's keys in the directory: of its native id, and of the form handed out."""

    def next(self) -> str:
        """Return an id that this process never handed out before and nobody can guess."""


class NativeIds:
    """Hands out native client ids for one node (:class:`ClientIds`).

    Random bytes are drawn from the system in blocks: one system call for many connections.

    Attributes:
        node_id: The node whose ids these are.
        keys: Its key in the directory.
    """

    __slots__ = ("_block", "_offset", "keys", "node_id")

    _BLOCK: Final = RANDOM_BYTES * 256

    def __init__(self, node_id: str) -> None:
        """Start handing out ids.

        Args:
            node_id: Twelve lower-case hex digits.

        Raises:
            ValueError: If ``node_id`` is not of that form.
        """
        self.keys = (node_key_of(node_id),)
        self.node_id = node_id
        self._block = b""
        self._offset = 0

    def __repr__(self) -> str:
        return f"<NativeIds of node {self.node_id}>"

    def next(self) -> str:
        """Return an id that was never handed out before and cannot be guessed."""
        if self._offset >= len(self._block):
            self._block = secrets.token_bytes(self._BLOCK)
            self._offset = 0
        start = self._offset
        self._offset = start + RANDOM_BYTES
        return self.node_id + self._block[start : self._offset].hex()


class ConnmixIds:
    """Hands out connmix client ids for one node (:class:`ClientIds`).

    Attributes:
        node_id: The native id of the node.
        keys: Its keys in the directory, for native and connmix ids.
    """

    __slots__ = ("_base", "_count", "_permute", "keys", "node_id")

    def __init__(self, node_id: str, number: int) -> None:
        """Start handing out ids.

        Args:
            node_id: Twelve lower-case hex digits.
            number: The node's number in connmix ids; see :data:`CONNMIX_NODE_NUMBERS`.

        Raises:
            ValueError: If one of them is not of that form.
        """
        if number not in CONNMIX_NODE_NUMBERS:
            first, last = CONNMIX_NODE_NUMBERS[0], CONNMIX_NODE_NUMBERS[-1]
            msg = f"a node number of connmix ids is from {first} to {last}, not {number}"
            raise ValueError(msg)
        self.node_id = node_id
        self.keys = (node_key_of(node_id), f"c:{number}")
        self._base = number << CONNMIX_CONNECTION_BITS
        self._permute = Permutation(CONNMIX_CONNECTION_BITS)
        self._count = 0

    def __repr__(self) -> str:
        return f"<ConnmixIds of node {self.node_id}, {self.keys[-1]}>"

    def next(self) -> str:
        """Return an id that was not handed out before; after 2**40 of them they begin anew."""
        count = self._count
        self._count = (count + 1) % (1 << CONNMIX_CONNECTION_BITS)
        return str(self._base | self._permute(count))


class PhpIds:
    """Hands out php client ids for one node (:class:`ClientIds`).

    Attributes:
        node_id: The native id of the node.
        keys: Its keys in the directory, for native and php ids.
        prefix: The digits that all of them begin with, for address and port.
    """

    __slots__ = ("_count", "_permute", "keys", "node_id", "prefix")

    def __init__(
        self, node_id: str, address: Address, permutation: Permutation | None = None
    ) -> None:
        """Start handing out ids.

        Args:
            node_id: Twelve lower-case hex digits.
            address: Where PHP programs reach the node: an IPv4 address and a port.
            permutation: Of 32 bits, the order of the connections; None for one that nobody knows.

        Raises:
            ValueError: If one of them is not of that form.
        """
        if not 0 < address.port <= HIGHEST_PORT:
            msg = f"a port of php ids is from 1 to {HIGHEST_PORT}, not {address.port}"
            raise ValueError(msg)
        self.node_id = node_id
        self.prefix = f"{int(IPv4Address(address.host)):08x}{address.port:04x}"
        self.keys = (node_key_of(node_id), f"p:{self.prefix}")
        self._permute = permutation or Permutation(PHP_CONNECTION_BITS)
        self._count = 0

    def __repr__(self) -> str:
        return f"<PhpIds of node {self.node_id}, {self.keys[-1]}>"

    def next(self) -> str:
        """Return an id that was not handed out before; after 2**32 - 1 of them they begin anew."""
        number = 0
        while not number:  # PHP's protocol means nobody by the connection 0
            count = self._count
            self._count = (count + 1) % (1 << PHP_CONNECTION_BITS)
            number = self._permute(count)
        return f"{self.prefix}{number:08x}"
