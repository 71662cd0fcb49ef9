"""Browsers that read a known stream and compare every byte of it: `readers.py URL COUNT MESSAGES`.

A process of its own, so that reading costs the process under test nothing. Talks to the test by lines
of JSON: first the client ids, when all are connected; then, when each reader has read everything, or
one of them something else, what came of it.

The stream is `message(0)`, `message(1)`, ... as text frames, which the gateway coalesces as it likes;
so each piece that arrives is compared with the same piece of the expected bytes, in C.
"""

import json
import selectors
import socket
import sys
from typing import Final
from urllib.parse import urlsplit

SIZE: Final = 128
"""Bytes of a message."""
PIECE: Final = 1 << 20
"""Bytes read at once."""
HEAD: Final = bytes([0x81, 126, 0, SIZE])
"""Of a server's text frame with so many bytes."""
REQUEST: Final = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def message(number: int) -> str:
    """Give a message; its number says where in the stream it belongs."""
    return str(number).zfill(SIZE)


class Reader:
    """One browser and how far it has read."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.sock: Final = socket.create_connection((parts.hostname, parts.port))
        self.sock.sendall(REQUEST)
        stream = self.sock.makefile("rb", buffering=0)
        while stream.readline() != b"\r\n":
            pass
        self.client_id: Final[str] = json.loads(stream.read(stream.read(2)[1]))["client_id"]
        self.position = 0

    def read(self, expected: bytes) -> str:
        """Take what has arrived; give what is wrong with it, or nothing."""
        data = self.sock.recv(PIECE)
        if not data:
            return f"{self.client_id}: closed after {self.position:,} bytes"
        if not expected.startswith(data, self.position):
            return (
                f"{self.client_id}: something else within {len(data):,} bytes at {self.position:,}"
            )
        self.position += len(data)
        return ""


def read_all(readers: list[Reader], expected: bytes) -> str:
    """Read until every reader has everything; give what went wrong, or nothing."""
    selector = selectors.DefaultSelector()
    for each in readers:
        each.sock.setblocking(False)
        selector.register(each.sock, selectors.EVENT_READ, each)
    while selector.get_map():
        for key, _ in selector.select():
            reader: Reader = key.data
            wrong = reader.read(expected)
            if wrong:
                return wrong
            if reader.position == len(expected):
                selector.unregister(reader.sock)
    return ""


def main(url: str, count: str, messages: str) -> None:
    """Connect, tell the client ids, read, tell the outcome, and stay until stdin ends."""
    readers = [Reader(url) for _ in range(int(count))]
    expected = b"".join(HEAD + message(number).encode() for number in range(int(messages)))
    tell([reader.client_id for reader in readers])
    tell(read_all(readers, expected))
    sys.stdin.read()


def tell(what: object) -> None:
    """Write a line to the test."""
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
