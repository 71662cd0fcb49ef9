"""A length, a kind and a body: `--listen framed:Framed://0.0.0.0:7281`.

The length of the body is two bytes, the kind one. What the gateway's side gets and sends is text, so that
the same messages go to browsers.
"""

import json
import struct
from collections.abc import Iterator

from gateway import Protocol, ProtocolError

HEAD = struct.Struct("!HB")
HEARTBEAT, READING, TEXT = 1, 2, 3
LONGEST = 0xFFFF


class Framed(Protocol):
    """Thermometers: they send a reading as a float of four bytes, and are sent text."""

    def __init__(self) -> None:
        self._data = bytearray()  # the frame under way
        self._answers = b""

    def feed(self, data: bytes) -> Iterator[str]:
        self._data += data
        while len(self._data) >= HEAD.size:
            length, kind = HEAD.unpack_from(self._data)
            end = HEAD.size + length
            if len(self._data) < end:
                return
            body = bytes(self._data[HEAD.size : end])
            del self._data[:end]
            if kind == READING and length == 4:
                yield json.dumps({"degrees": round(struct.unpack("!f", body)[0], 2)})
            elif kind == HEARTBEAT:
                self._answers += frame(HEARTBEAT, body)
            else:
                raise ProtocolError(f"frame of kind {kind} with {length} bytes")

    def encode(self, message: str | bytes) -> bytes:
        body = message if isinstance(message, bytes) else message.encode()
        return frame(TEXT, body) if len(body) <= LONGEST else b""

    def buffered(self) -> int:
        return len(self._data)

    def answer(self) -> bytes:
        answers, self._answers = self._answers, b""
        return answers


def frame(kind: int, body: bytes) -> bytes:
    return HEAD.pack(len(body), kind) + body
