"""How answers to clients are written: one serialized value, with its length in front.

A short answer is written at once. One that may be long is an array of many entries: they are written some
at a time, and in between others may have a turn. Since the length comes first, and how many entries there
are before them, everything is kept until the last entry is written; so an answer is bounded.

Such an answer is a generator of parts, to be written in their order. An empty part only says that a turn's
worth of work was done.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from gateway.php.frames import answer_head
from gateway.php.values import PhpValue, serialize
from gateway_wire.commands import CommandError
from gateway_wire.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable

__all__ = ["MAX_ANSWER", "MAX_KEPT", "LongAnswers", "answer", "array_of", "short", "string_of"]

MAX_ANSWER: Final = 128 * 1024 * 1024
"""Bytes of an answer: PHP's `memory_limit`, unless it was raised; a client that asks for more dies of it."""

MAX_KEPT: Final = 4 * MAX_ANSWER
"""Bytes of all long answers of a process, from their first entry until they are read: every process of a web
application may ask for all clients in the same moment."""

PART_ROWS: Final = 500
"""Rows in a turn's worth of work: about a millisecond."""

PART_BYTES: Final = 64 * 1024
"""Bytes in a turn's worth of work, however few the rows: a session may be large."""


def answer(data: bytes) -> bytes:
    """Return the answer that is a serialized value."""
    return answer_head(len(data)) + data


def short(value: PhpValue) -> bytes:
    """Return the answer that is this value."""
    return answer(serialize(value))


class LongAnswers:
    """Writes the long answers of a process.

    Attributes:
        kept: Bytes of those that are being made or waiting to be read.
    """

    __slots__ = ("_most", "kept")

    def __init__(self, most: int = MAX_KEPT) -> None:
        """Begin with none.

        Args:
            most: Bytes that may be kept.
        """
        self.kept = 0
        self._most = most

    def __repr__(self) -> str:
        return f"<LongAnswers keeping {self.kept} bytes>"

    def array(self, rows: Iterable[bytes]) -> Generator[bytes, None, None]:
        """Write an answer that is an array.

        Args:
            rows: Each one entry, key and value, serialized; `b""` for work that brought none.

        Raises:
            CommandError: The answer would be too large, or more is kept than may be.
        """
        parts: deque[bytes] = deque()
        part: list[bytes] = []
        entries = size = worked = total = 0
        try:
            for row in rows:
                worked += 1
                if row:
                    entries += 1
                    size += len(row)
                    part.append(row)
                if worked >= PART_ROWS or size >= PART_BYTES:
                    total += size
                    self.kept += size
                    self._check(total)
                    parts.append(b"".join(part))
                    part.clear()
                    size = worked = 0
                    yield b""
            parts.append(b"".join((*part, b"}")))
            head = b"a:%d:{" % entries
            yield answer_head(len(head) + total + size + 1) + head
            while parts:
                yield parts.popleft()
        finally:
            self.kept -= total

    def _check(self, size: int) -> None:
        if size > MAX_ANSWER:
            text = (
                f"the answer has more than {MAX_ANSWER:,} bytes: ask for less, such as for a group"
            )
        elif self.kept > self._most:
            text = (
                f"the answers to all PHP programs have more than {self._most:,} bytes: ask for less, "
                "such as for a group, or not so often at once"
            )
        else:
            return
        raise CommandError(ErrorCode.TOO_LARGE, text)


def array_of(rows: Collection[bytes]) -> bytes:
    """Return an array of these entries, serialized, as a value in another."""
    return b"a:%d:{%b}" % (len(rows), b"".join(rows))


def string_of(data: bytes) -> bytes:
    """Return a string, serialized."""
    return b's:%d:"%b";' % (len(data), data)
