"""The channel between a supervisor and its child: an inherited socket pair, messages as JSON.

    supervisor -> child   settings, sockets (descriptors by kind), number, restarts, parent (pid)
                                                                                    first, once
                          order: stop | drain | reload (with settings, and ask: id where it matters
                                                                                    how it went)
                          ask: id; question: work | connections; arguments
    child -> supervisor   ready: addresses
                          answer: id; value, or refused: why the arguments are wrong, or why the
                                                                            reload changed nothing
                          failed: message; the exit code follows

Each message is a 4-byte big-endian length and that many bytes of JSON. The end of the stream means
that the other side is gone. Settings travel here, secrets among them, and so stand in no argument
list and no environment.

Sending never blocks and never tears a message: what the kernel does not take at once waits here, in
order, and leaves as the other side reads.
"""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

__all__ = ["MAX_WAITING", "Channel", "ChannelFull", "Message"]

Message = dict[str, Any]
_LENGTH: Final = struct.Struct("!I")
_READ: Final = 65_536
"""Bytes asked for at once; a whole message of settings is far smaller."""

MAX_WAITING: Final = 1_048_576
"""Bytes that may wait when another message is sent: a hundred pages of connections. Who leaves that
much unread is stuck."""


class ChannelFull(OSError):
    """The other side has not read for so long that no more is kept for it."""


class Channel:
    """One end of the pair.

    Args:
        sock: the end, connected; the channel owns it.
    """

    __slots__ = ("_buffer", "_loop", "_sock", "_waiting")

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0)
        self._sock = sock
        self._buffer = bytearray()
        self._waiting = bytearray()
        # The loop that tells when more can be written, while something waits.
        self._loop: asyncio.AbstractEventLoop | None = None

    def __repr__(self) -> str:
        return f"<Channel fd={self._sock.fileno()} waiting={len(self._waiting)}>"

    @classmethod
    def pair(cls) -> tuple["Channel", socket.socket]:
        """Give the supervisor's end, and the child's as a socket to pass on and close."""
        ours, theirs = socket.socketpair()
        return cls(ours), theirs

    def send(self, message: Message) -> None:
        """Send a message, on the loop; what does not leave at once follows as the other side reads.

        Raises:
            ChannelFull: too much waits already; nothing of this message is sent.
            OSError: the other side is gone.
        """
        if len(self._waiting) > MAX_WAITING:
            raise ChannelFull(f"{len(self._waiting):,} bytes are unread")
        self._waiting += _packed(message)
        if self._loop is None:
            self._write()
            self._write_on()

    def send_last(self, message: Message, timeout: float) -> None:
        """Send a message when no loop runs any more, after all that waits.

        Args:
            message: what to send.
            timeout: seconds that the other side has to read.

        Raises:
            OSError: it is gone, or did not read in time.
        """
        self._sock.settimeout(timeout)
        self._sock.sendall(self._waiting + _packed(message))

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
        """Close this end; nobody may be reading from it any more. What waits is dropped."""
        self._waiting.clear()
        self._write_on()
        self._sock.close()

    def _write(self) -> None:
        with suppress(BlockingIOError):
            while self._waiting:
                del self._waiting[: self._sock.send(self._waiting)]

    def _write_on(self) -> None:
        """Be called when more can be written, exactly while something waits."""
        if self._waiting and self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_writer(self._sock, self._on_writable)
        elif not self._waiting and self._loop is not None:
            self._loop.remove_writer(self._sock)
            self._loop = None

    def _on_writable(self) -> None:
        try:
            self._write()
        except OSError:  # the other side is gone, as whoever reads here finds out
            self._waiting.clear()
        self._write_on()

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


def _packed(message: Message) -> bytes:
    body = json.dumps(message).encode()
    return _LENGTH.pack(len(body)) + body
