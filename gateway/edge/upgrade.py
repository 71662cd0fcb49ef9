"""The opening handshake of RFC 6455 section 4.2, without I/O: one HTTP request in, one answer out.

`HeadReader` collects bytes until the request's head is complete; `parse_upgrade`
reads it and either returns an `Upgrade` or raises `UpgradeRefused`, which
carries the whole HTTP response to send before closing. Bytes after the head
belong to the websocket and are handed on untouched.

A request has one chance: no keep-alive, no body, no second request. No
subprotocol is ever selected, so what a client offers of them is not looked at.
The one extension is `deflate`'s.
"""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import a2b_base64
from dataclasses import dataclass
from hashlib import sha1
from typing import Final

from gateway.edge.deflate import negotiate

__all__ = [
    "MAX_HEAD",
    "HeadReader",
    "Upgrade",
    "UpgradeRefused",
    "parse_upgrade",
]

MAX_HEAD: Final = 16 * 1024
"""Most bytes of request line and headers. Browsers send about 1 KiB, cookies up to 4 KiB each;
nginx takes 4 buffers of 8 KiB, node.js 16 KiB."""

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_END: Final = b"\r\n\r\n"
_KEY_BYTES: Final = 16
_KEY_CHARACTERS: Final = 24
_REQUEST_LINE: Final = re.compile(r"([A-Z]+) ([!-\xff]+) HTTP/(\d)\.(\d)")
_HEADER: Final = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\x00-\x08\x0a-\x1f\x7f]*)")

_ACCEPTED: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n%b\r\n"
)
_EXTENSIONS: Final = b"Sec-WebSocket-Extensions: %b\r\n"
_REFUSED: Final = (
    "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: {length}\r\nConnection: close\r\n{extra}\r\n{text}"
)


class UpgradeRefused(Exception):
    """The request is not a websocket handshake.

    Attributes:
        cause: One word for counters: `malformed`, `too_large`, `not_websocket`, `version` or `key`.
        response: The whole HTTP response to send before closing.
    """

    def __init__(self, cause: str, status: str, text: str, extra: str = "") -> None:
        super().__init__(f"{status}: {text}")
        self.cause = cause
        body = text + "\n"
        self.response = _REFUSED.format(
            status=status, length=len(body), extra=extra, text=body
        ).encode()


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A correct handshake.

    Attributes:
        path: Path as sent, percent-encoded, without the query.
        query: Query as sent, `""` if there was none.
        headers: Values by lower-case name.
        response: The whole answer, 101 Switching Protocols.
        deflate: Whether the answer says that both sides may compress.
    """

    path: str
    query: str
    headers: dict[str, str]
    response: bytes
    deflate: bool


class HeadReader:
    """Collects a request's head, which usually comes in one piece."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> tuple[bytes, bytes] | None:
        """Return head (without its empty line) and the bytes after it, or None if more is needed.

        Raises:
            UpgradeRefused: The head is longer than `MAX_HEAD`.
        """
        # A new terminator cannot begin before the last three bytes that were searched already.
        searched = max(0, len(self._data) - len(_END) + 1)
        data = self._data + data if self._data else data
        end = data.find(_END, searched)
        if end > MAX_HEAD or (end < 0 and len(data) > MAX_HEAD):
            text = f"request line and headers above {MAX_HEAD} bytes"
            raise UpgradeRefused("too_large", "431 Request Header Fields Too Large", text)
        if end < 0:
            self._data = data
            return None
        return data[:end], data[end + len(_END) :]


def parse_upgrade(head: bytes, *, deflate: bool = False) -> Upgrade:
    """Read a request's head and return the handshake that it is.

    Args:
        head: Request line and headers, without the empty line that ends them.
        deflate: Whether to agree to compression if the client offers it.

    Raises:
        UpgradeRefused: It is not a request, or not for a websocket of version 13.
    """
    # latin-1 maps every byte to one character, so no header can fail to decode (RFC 9110 5.5).
    request_line, *lines = head.decode("latin-1").split("\r\n")
    path, query = _target(request_line)
    headers = _headers(lines)
    _check_websocket(headers)
    accept = _accept(headers.get("sec-websocket-key", ""))
    agreed = negotiate(headers.get("sec-websocket-extensions", "")) if deflate else None
    extensions = b"" if agreed is None else _EXTENSIONS % agreed.encode()
    return Upgrade(path, query, headers, _ACCEPTED % (accept, extensions), agreed is not None)


def _target(request_line: str) -> tuple[str, str]:
    match = _REQUEST_LINE.fullmatch(request_line)
    if match is None:
        raise _malformed("this is not an HTTP request")
    method, target, major, minor = match.groups()
    if (major, minor) != ("1", "1"):
        raise _malformed("a websocket handshake is an HTTP/1.1 request")
    if method != "GET":
        raise _not_websocket()
    if not target.startswith("/"):
        raise _malformed("the request target must begin with /")
    path, _, query = target.partition("#")[0].partition("?")
    return path, query


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise _malformed("malformed header line")
        name, value = match.group(1).lower(), match.group(2).strip(" \t")
        if name in headers:
            joint = "; " if name == "cookie" else ", "
            value = headers[name] + joint + value
        headers[name] = value
    return headers


def _check_websocket(headers: dict[str, str]) -> None:
    """Check the headers that make a GET a websocket handshake (4.2.1)."""
    if not (
        _has_token(headers.get("upgrade", ""), "websocket")
        and _has_token(headers.get("connection", ""), "upgrade")
    ):
        raise _not_websocket()
    if not headers.get("host"):
        raise _malformed("header Host is missing")
    version = headers.get("sec-websocket-version", "")
    if version != "13":
        raise UpgradeRefused(
            "version",
            "426 Upgrade Required",
            "only websocket version 13 is spoken here",
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        )


def _has_token(value: str, token: str) -> bool:
    return value.lower() == token or any(part.strip().lower() == token for part in value.split(","))


def _accept(key: str) -> bytes:
    """Return the proof that the key was read (4.2.2)."""
    try:
        nonce = a2b_base64(key, strict_mode=True)
    except ValueError:
        nonce = b""
    if len(nonce) != _KEY_BYTES or len(key) != _KEY_CHARACTERS:
        text = "header Sec-WebSocket-Key must be 16 bytes in base64"
        raise UpgradeRefused("key", "400 Bad Request", text)
    # SHA-1 is the RFC's choice; it proves that the key was read and guards nothing.
    return b64encode(sha1(key.encode() + _GUID, usedforsecurity=False).digest())


def _malformed(text: str) -> UpgradeRefused:
    return UpgradeRefused("malformed", "400 Bad Request", text)


def _not_websocket() -> UpgradeRefused:
    return UpgradeRefused(
        "not_websocket",
        "426 Upgrade Required",
        "this port speaks websocket: connect with a websocket client",
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    )
