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
native id never repeats, cannot be guessed (80 random bits) and leaks no address.
"""

from __future__ import annotations

import re
import secrets
from enum import Enum
from typing import Final, NamedTuple

from gateway_wire.errors import InvalidClientId

__all__ = ["ClientIdForm", "NativeIds", "ParsedId", "new_node_id", "node_key_of", "parse_client_id"]

CONNMIX_CONNECTION_BITS: Final = 40
NODE_DIGITS: Final = 12
RANDOM_BYTES: Final = 10

_NATIVE = re.compile(r"[0-9a-f]{32}", re.ASCII)
_PHP = re.compile(r"[0-9a-f]{20}", re.ASCII)
_CONNMIX = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
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


def new_node_id() -> str:
    """Return a fresh random node id: 12 hex digits, chosen at a gateway's cold start."""
    return secrets.token_hex(NODE_DIGITS // 2)


class NativeIds:
    """Hands out native client ids for one node.

    Random bytes are drawn from the system in blocks: one system call for many connections.

    Attributes:
        node_id: The node whose ids these are.
    """

    __slots__ = ("_block", "_offset", "node_id")

    _BLOCK: Final = RANDOM_BYTES * 256

    def __init__(self, node_id: str) -> None:
        """Start handing out ids.

        Args:
            node_id: Twelve lower-case hex digits.

        Raises:
            ValueError: If ``node_id`` is not of that form.
        """
        node_key_of(node_id)
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
