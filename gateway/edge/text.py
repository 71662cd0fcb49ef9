"""`text://`: lines of UTF-8, each ended by a line feed, as Workerman's Text.

A line feed in a message that is sent is sent as it is: the client reads two messages. Binary messages
are lines like others. A carriage return before the line feed, as telnet sends it, is not part of a message.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.edge.protocol import Protocol, ProtocolError
from gateway_wire.close_codes import INVALID_TEXT, MESSAGE_TOO_BIG

__all__ = ["Text"]

_END = b"\n"


class Text(Protocol):
    """Lines; every message that comes is a `str`."""

    __slots__ = ("_line",)

    def __init__(self) -> None:
        # The line under way, None between lines.
        self._line: bytearray | None = None

    def feed(self, data: bytes) -> Iterator[str]:
        """Give the lines that are complete.

        Raises:
            ProtocolError: A line is not UTF-8 (1007), or too long (1009).
        """
        *ended, begun = data.split(_END)
        for part in ended:
            line, self._line = part if self._line is None else bytes(self._line + part), None
            self._check(len(line))
            yield _text(line.rstrip(b"\r"))
        if begun:
            self._check(len(begun) + (self.buffered()))
            if self._line is None:
                self._line = bytearray(begun)
            else:
                self._line += begun

    def encode(self, message: str | bytes) -> bytes:
        """Return a message as a line."""
        return (message.encode() if isinstance(message, str) else message) + _END

    def buffered(self) -> int:
        """Return the length of the line under way."""
        return len(self._line or b"")

    def _check(self, size: int) -> None:
        if size > self.max_message:
            text = f"line of {size} bytes or more, the limit is {self.max_message}"
            raise ProtocolError(text, MESSAGE_TOO_BIG.code)


def _text(line: bytes) -> str:
    try:
        return str(line, "utf-8")
    except UnicodeDecodeError as error:
        text = f"line is not UTF-8 at byte {error.start}"
        raise ProtocolError(text, INVALID_TEXT.code) from error
