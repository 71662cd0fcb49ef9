"""JSON texts, one a line: `--listen json_lines:JsonLines://0.0.0.0:7280`."""

import json

from gateway import Protocol, ProtocolError


class JsonLines(Protocol):
    """Devices that send and read one JSON text a line; `{"type":"ping"}` is their heartbeat."""

    def __init__(self) -> None:
        self._line = b""  # the one under way
        self._answers = b""

    def feed(self, data: bytes) -> list[str]:
        *lines, self._line = (self._line + data).split(b"\n")
        return [text for line in lines if (text := self._text(line))]

    def encode(self, message: str | bytes) -> bytes:
        if isinstance(message, bytes):
            return b""  # these devices have no words for binary messages
        return _as_json(message).encode() + b"\n"

    def buffered(self) -> int:
        return len(self._line)

    def answer(self) -> bytes:
        answers, self._answers = self._answers, b""
        return answers

    def goodbye(self, code: int, reason: str) -> bytes:
        return json.dumps({"type": "bye", "code": code, "reason": reason}).encode() + b"\n"

    def _text(self, line: bytes) -> str | None:
        try:
            content = json.loads(line)
        except ValueError as error:
            raise ProtocolError(f"no JSON: {str(error)[:80]}") from error
        if content == {"type": "ping"}:
            self._answers += b'{"type":"pong"}\n'
            return None
        return line.decode().strip()


def _as_json(text: str) -> str:
    """Give a JSON text on one line; what is none becomes a JSON string."""
    try:
        return json.dumps(json.loads(text), separators=(",", ":"))
    except ValueError:
        return json.dumps(text)
