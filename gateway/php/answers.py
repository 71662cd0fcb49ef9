"""How answers to clients are written: one serialized value, with its length in front.

A short answer is written at once. One that may be long is an array of many entries: they are written some
at a time, and in between others may have a turn. Since the length comes first, and how many entries there
are before them, everything is kept until the last entry is written; so an answer is bounded.

Such an answer is a generator of parts, to be written in their order. An empty part only says that a turn's
worth of work was done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.php.frames import answer_head
from gateway.php.values import PhpValue, serialize
from gateway_wire.commands import CommandError
from gateway_wire.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable

__all__ = ["MAX_ANSWER", "answer", "array_in_parts", "array_of", "short", "string_of"]

MAX_ANSWER: Final = 128 * 1024 * 1024
"""Bytes of an answer: PHP's `memory_limit`, unless it was raised; a client that asks for more dies of it."""

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


def array_in_parts(rows: Iterable[bytes]) -> Generator[bytes, None, None]:
    """Write an answer that is an array.

    Args:
        rows: Each one entry, key and value, serialized; `b""` for work that brought none.

    Raises:
        CommandError: The answer would be too large.
    """
    parts: list[bytes] = []
    part: list[bytes] = []
    entries = size = worked = total = 0
    for row in rows:
        worked += 1
        if row:
            entries += 1
            size += len(row)
            part.append(row)
        if worked >= PART_ROWS or size >= PART_BYTES:
            total += size
            _check(total)
            parts.append(b"".join(part))
            part.clear()
            size = worked = 0
            yield b""
    parts.append(b"".join((*part, b"}")))
    head = b"a:%d:{" % entries
    yield answer_head(len(head) + total + size + 1) + head
    yield from parts


def array_of(rows: Collection[bytes]) -> bytes:
    """Return an array of these entries, serialized, as a value in another."""
    return b"a:%d:{%b}" % (len(rows), b"".join(rows))


def string_of(data: bytes) -> bytes:
    """Return a string, serialized."""
    return b's:%d:"%b";' % (len(data), data)


def _check(size: int) -> None:
    if size > MAX_ANSWER:
        text = f"the answer has more than {MAX_ANSWER:,} bytes: ask for less, such as for a group"
        raise CommandError(ErrorCode.TOO_LARGE, text)
