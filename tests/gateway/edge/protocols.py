"""Protocols of somebody's own for tests: a good one, and ones with every fault."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway.edge.protocol import Protocol, ProtocolError


class Colons:
    """Messages end in `:`; it owes nothing to our base class. Pings are `?`, farewells `!code`."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        *messages, self._rest = (self._rest + data).split(b":")
        return [message.decode() for message in messages]

    def encode(self, message: str | bytes) -> bytes:
        return (message if isinstance(message, bytes) else message.encode()) + b":"

    def ping(self) -> bytes:
        return b"?"

    def goodbye(self, code: int, reason: str) -> bytes:
        return f"!{code} {reason}".encode()


class Faulty(Protocol):
    """Every byte is a command that goes wrong in its own way; `.` gives a message."""

    def __init__(self) -> None:
        self._owed = b""

    def feed(self, data: bytes) -> Iterable[str | bytes]:
        wrong: dict[str, Any] = {
            "t": {"a": "dict"},
            "s": "\ud800",
            "l": bytes(self.max_message + 1),
        }
        for byte in data.decode():
            if byte == "r":
                raise RuntimeError("a bug")
            if byte == "p":
                raise ProtocolError("not like that", 4002)
            if byte == "h":
                self._owed += b"H" * 40_000
            else:
                yield wrong.get(byte, byte)

    def encode(self, message: str | bytes) -> bytes:
        wrong: Any = message
        if message == "raise":
            raise LookupError(message)
        return b"" if message == "nothing" else wrong

    def answer(self) -> bytes:
        owed, self._owed = self._owed, b""
        return owed

    def goodbye(self, code: int, reason: str) -> bytes:
        raise OSError(code, reason)


class Counting(Protocol):
    """Keeps everything, and says how much only if it is told to."""

    def __init__(self) -> None:
        self._kept = 0

    def feed(self, data: bytes) -> list[str]:
        self._kept += len(data)
        return ["."] * data.count(b".")

    def encode(self, message: str | bytes) -> bytes:
        return b"x"


class Frugal(Counting):
    """Has never kept anything."""

    def buffered(self) -> int:
        return 0


class NeverMade(Counting):
    """Can be made once only."""

    made = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).made += 1
        if self.made > 1:
            raise OSError("no more")
