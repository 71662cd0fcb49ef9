"""Cutting long answers into parts.

An answer that can be long is made by a generator. Each part is small enough for a frame and quick
enough to make that the loop is not held up; between two parts connections may come and go, so a
generator first takes a snapshot of what it will walk (copying 100,000 references takes a
millisecond) and looks at each thing again when its turn comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgpack

from gateway_wire.limits import MAX_FRAME, PART_ITEMS

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable

__all__ = ["counts_in_parts", "list_in_parts", "lists_in_parts", "sessions_in_parts"]

PART_BYTES: Final = MAX_FRAME // 4
"""Bytes at which a part is closed, however few its items: a session or a name may be large."""
_OVERHEAD: Final = 5
"""Bytes of msgpack around a text, at the most."""
_SESSION_ITEMS: Final = 4
"""A session counts as so many names: it is packed twice, to know its size and to travel."""


class _Room:
    """How much more fits into the part that is being made."""

    __slots__ = ("_bytes", "_items")

    def __init__(self) -> None:
        self._items, self._bytes = PART_ITEMS, PART_BYTES

    def full_after(self, size: int, items: int = 1) -> bool:
        """Take something of about this many bytes; True if the part is full now, and begin anew.

        Args:
            size: Bytes it will have in the frame, without what msgpack puts around it.
            items: How many names' work it was to make.
        """
        self._items -= items
        self._bytes -= size + _OVERHEAD
        full = self._items <= 0 or self._bytes <= 0
        if full:
            self._items, self._bytes = PART_ITEMS, PART_BYTES
        return full


def list_in_parts(names: Iterable[str]) -> Generator[list[str], None, None]:
    """Give a list of names in parts."""
    part: list[str] = []
    room = _Room()
    for name in names:
        part.append(name)
        if room.full_after(_width(name)):
            yield part
            part = []
    yield part


def lists_in_parts(
    rows: Iterable[tuple[str, Collection[str], int]],
) -> Generator[dict[str, list[str]], None, None]:
    """Give a map of names to lists of names in parts; a long list is spread over several.

    Args:
        rows: Key, names, and how many connections were looked at to find them. A key without
            names is left out.
    """
    part: dict[str, list[str]] = {}
    room = _Room()
    for key, names, looked_at in rows:
        if room.full_after(_width(key), looked_at):
            yield part
            part = {}
        for name in names:
            part.setdefault(key, []).append(name)
            if room.full_after(_width(name)):
                yield part
                part = {}
    yield part


def counts_in_parts(
    rows: Iterable[tuple[str, int, int]],
) -> Generator[dict[str, int], None, None]:
    """Give a map of names to numbers in parts.

    Args:
        rows: Name, number, and how many connections were looked at to find it.
    """
    part: dict[str, int] = {}
    room = _Room()
    for name, count, looked_at in rows:
        part[name] = count
        if room.full_after(_width(name) + _OVERHEAD, looked_at):
            yield part
            part = {}
    yield part


def sessions_in_parts(
    pairs: Iterable[tuple[str, dict[Any, Any]]],
) -> Generator[dict[str, dict[Any, Any]], None, None]:
    """Give a map of client ids to sessions in parts."""
    part: dict[str, dict[Any, Any]] = {}
    room = _Room()
    for client_id, session in pairs:
        part[client_id] = session
        size = len(client_id) + (len(msgpack.packb(session)) if session else 1)
        if room.full_after(size, _SESSION_ITEMS):
            yield part
            part = {}
    yield part


def _width(name: str) -> int:
    """Return at least the bytes of a name, without encoding it."""
    return len(name) if name.isascii() else len(name) * 4
