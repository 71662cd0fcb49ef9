"""`frame://`: a length in four bytes and then the body, as Workerman's Frame.

The length is unsigned, the most significant byte first, and counts itself. Nothing in a frame says whether
its body is text: every message that comes is `bytes`, and text is sent as its UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Final

from gateway.edge.protocol import Protocol, ProtocolError
from gateway_wire.close_codes import MESSAGE_TOO_BIG

__all__ = ["Frame"]

_LENGTH: Final = Struct("!I")


class Frame(Protocol):
    """Frames with their length in front; every message that comes is `bytes`."""

    __slots__ = ("_begun", "_needed")

    def __init__(self) -> None:
        # The frame under way, None between frames.
        self._begun: bytearray | None = None
        # How long it must become before looking at it makes sense again.
        self._needed = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Give the bodies of the frames that are complete.

        Raises:
            ProtocolError: A length is below 4 (1002), or a body is too large (1009).
        """
        if self._begun is not None:
            self._begun += data
            if len(self._begun) < self._needed:
                return
            data, self._begun = bytes(self._begun), None
        start, size = 0, len(data)
        while start < size:
            end = start + self._frame_length(data, start)
            if end > size:
                self._begun, self._needed = bytearray(data[start:]), end - start
                return
            yield data[start + _LENGTH.size : end]
            start = end

    def encode(self, message: str | bytes) -> bytes:
        """Return a message as a frame."""
        body = message.encode() if isinstance(message, str) else message
        return _LENGTH.pack(_LENGTH.size + len(body)) + body

    def buffered(self) -> int:
        """Return how much of the frame under way is there."""
        return len(self._begun or b"")

    def _frame_length(self, data: bytes, start: int) -> int:
        """Return the length of the frame that begins here, or how much must be read to know it."""
        if len(data) - start < _LENGTH.size:
            return _LENGTH.size
        length: int = _LENGTH.unpack_from(data, start)[0]
        if length < _LENGTH.size:
            raise ProtocolError(f"frame of {length} bytes; the length counts its own 4")
        if length - _LENGTH.size > self.max_message:
            text = f"frame of {length} bytes, the limit is {self.max_message} and 4"
            raise ProtocolError(text, MESSAGE_TOO_BIG.code)
        return length
