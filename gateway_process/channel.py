"""The channel between a supervisor and its child: an inherited socket pair, messages as JSON.

    supervisor -> child   settings, sockets (descriptors by kind), number, parent (pid)   first, once
                          order: stop | drain | reload (with settings)
    child -> supervisor   ready: addresses
                          failed: message; the exit code follows

Each message is a 4-byte big-endian length and that many bytes of JSON. The end of the stream means
that the other side is gone. Settings travel here, secrets among them, and so stand in no argument
list and no environment.
"""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any, Final

__all__ = ["Channel", "Message"]

Message = dict[str, Any]
_LENGTH: Final = struct.Struct("!I")
_READ: Final = 65_536
"""Bytes asked for at once; a whole message of settings is far smaller."""


class Channel:
    """One end of the pair.

    Args:
        sock: the end, connected; the channel owns it.
    """

    __slots__ = ("_buffer", "_sock")

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0)
        self._sock = sock
        self._buffer = bytearray()

    def __repr__(self) -> str:
        return f"<Channel fd={self._sock.fileno()}>"

    @classmethod
    def pair(cls) -> tuple["Channel", socket.socket]:
        """Give the supervisor's end, and the child's as a socket to pass on and close."""
        ours, theirs = socket.socketpair()
        return cls(ours), theirs

    def send(self, message: Message) -> None:
        """Send a message now; what does not fit into the kernel's buffer fails.

        Raises:
            OSError: the other side is gone, or has not read for so long that the buffer is full.
        """
        body = json.dumps(message).encode()
        self._sock.sendall(_LENGTH.pack(len(body)) + body)

    def receive(self) -> Message | None:
        """Wait for a message outside a loop; None means that the other side is gone."""
        self._sock.settimeout(None)
        try:
            while (message := self._next()) is None:
                data = self._sock.recv(_READ)
                if not data:
                    return None
                self._buffer += data
        finally:
            self._sock.settimeout(0)
        return message

    async def messages(self) -> AsyncIterator[Message]:
        """Give messages as they come, until the other side is gone."""
        loop = asyncio.get_running_loop()
        while True:
            while (message := self._next()) is not None:
                yield message
            try:
                data = await loop.sock_recv(self._sock, _READ)
            except ConnectionError:
                return
            if not data:
                return
            self._buffer += data

    def close(self) -> None:
        """Close this end."""
        self._sock.close()

    def _next(self) -> Message | None:
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        message: Message = json.loads(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return message
