"""Counting bytes by the object that holds them.

A broadcast is one bytes object that may wait in thousands of outboxes and transports at once, and is
memory once. Here such objects are counted by identity: the first hold adds the size, the last release
takes it away. Whoever holds must keep the object alive until the release.
"""

from __future__ import annotations

__all__ = ["SharedBytes"]


class SharedBytes:
    """The bytes objects that somebody holds, each counted once.

    Attributes:
        total: Bytes of all objects that are held.
    """

    __slots__ = ("_holds", "total")

    def __init__(self) -> None:
        """Start with nothing held."""
        self.total = 0
        self._holds: dict[int, int] = {}

    def __repr__(self) -> str:
        return f"<SharedBytes {self.total} B in {len(self._holds)} objects>"

    def __len__(self) -> int:
        return len(self._holds)

    def hold(self, data: bytes) -> None:
        """Count an object, once more."""
        key = id(data)
        holds = self._holds.get(key, 0)
        self._holds[key] = holds + 1
        if not holds:
            self.total += len(data)

    def release(self, data: bytes) -> None:
        """Take one hold back.

        Raises:
            KeyError: If nobody holds the object.
        """
        key = id(data)
        holds = self._holds.pop(key) - 1
        if holds:
            self._holds[key] = holds
        else:
            self.total -= len(data)
