"""The two kinds of messages on CONNMIX's ports, HTTP and websocket frames, without loss to and from bytes.

A conversation is kept as these messages: readable, and yet every byte of it can be had again, masks
and fragments included. Nothing of ours is used here, so that the product is not tested by itself.
"""

import itertools
import re
from dataclasses import dataclass, replace
from typing import BinaryIO, Final, Self

_LENGTH: Final = re.compile(r"(?i)^(content-length: *)(\d+)", re.MULTILINE)


class Names:
    """What stands for what: a recorded value -> the one that plays its part now."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def bind(self, before: str, now: str) -> None:
        """Say what a value has become."""
        self._values[before] = now

    def translate(self, text: str) -> str:
        """Give the text with every value exchanged."""
        if not self._values:
            return text
        longest_first = sorted(self._values, key=len, reverse=True)
        pattern = "|".join(map(re.escape, longest_first))
        return re.sub(pattern, lambda match: self._values[match[0]], text)


@dataclass(frozen=True)
class HttpMessage:
    """A request or an answer, with its body; bytes are characters here (Latin-1)."""

    text: str

    @classmethod
    def read(cls, stream: BinaryIO) -> Self | None:
        """Read the next one; None at the end."""
        head = b"".join(itertools.takewhile(lambda line: line not in {b"", b"\r\n"}, stream))
        if not head:
            return None
        found = _LENGTH.search(text := f"{head.decode('latin-1')}\r\n")
        body = stream.read(int(found[2]) if found else 0)
        return cls(text + body.decode("latin-1"))

    def encode(self) -> bytes:
        """Give its bytes."""
        return self.text.encode("latin-1")

    def translated(self, names: Names) -> Self:
        """Give it with other names, and the length of its body set right."""
        head, _, body = names.translate(self.text).partition("\r\n\r\n")
        head = _LENGTH.sub(lambda match: f"{match[1]}{len(body)}", head)
        return replace(self, text=f"{head}\r\n\r\n{body}")

    @property
    def is_upgrade(self) -> bool:
        """Whether frames follow: asked for in a request, granted in an answer."""
        return "sec-websocket-" in self.text.lower()


@dataclass(frozen=True)
class Frame:
    """A websocket frame; what is no UTF-8 in its payload stands there escaped."""

    opcode: int
    final: bool
    payload: str
    mask: str | None = None

    @classmethod
    def read(cls, stream: BinaryIO) -> Self | None:
        """Read the next one; None at the end, also at one in the midst of a frame."""
        head = stream.read(2)
        if len(head) < 2:
            return None
        length = head[1] & 0x7F
        extended = stream.read({126: 2, 127: 8}.get(length, 0))
        key = stream.read(4) if head[1] & 0x80 else None
        length = int.from_bytes(extended) if extended else length
        payload = stream.read(length)
        if len(payload) < length:
            return None
        text = _masked(payload, key or b"").decode("utf-8", "surrogateescape")
        mask = None if key is None else key.hex()
        frame = cls(head[0] & 0x0F, bool(head[0] & 0x80), text, mask)
        assert frame.encode() == head + extended + (key or b"") + payload, "not kept without loss"
        return frame

    def encode(self) -> bytes:
        """Give its bytes."""
        key = bytes.fromhex(self.mask or "")
        payload = _masked(self.payload.encode("utf-8", "surrogateescape"), key)
        first, masked = self.opcode | self.final << 7, bool(key) << 7
        if len(payload) < 126:
            head = bytes((first, masked | len(payload)))
        elif len(payload) < 1 << 16:
            head = bytes((first, masked | 126)) + len(payload).to_bytes(2)
        else:
            head = bytes((first, masked | 127)) + len(payload).to_bytes(8)
        return head + key + payload

    def translated(self, names: Names) -> Self:
        """Give it with other names."""
        return replace(self, payload=names.translate(self.payload))


def _masked(payload: bytes, key: bytes) -> bytes:
    if not key:
        return payload
    return bytes(each ^ with_ for each, with_ in zip(payload, itertools.cycle(key), strict=False))
