"""One connection whose handler runs, or waits for its turn, and what waits behind that.

A lane exists only as long: an idle connection has none. It bounds what waits, by reading from the connection
no further, and is the only one to pause and resume reading for the entry module.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from gateway_wire.limits import EVENT_CREDIT

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from gateway.connection import Connection
    from gateway.entry.call import Item

__all__ = ["MAX_WAITING", "MAX_WAITING_BYTES", "Lane"]

MAX_WAITING: Final = EVENT_CREDIT
"""Messages that wait for the handlers of one connection before it is not read any more: as many as a worker
may have of it unfinished. It is read again when half of them are left."""

MAX_WAITING_BYTES: Final = 1024 * 1024
"""Their size, in bytes, and characters of text; one message may pass it."""


class Lane:
    """What one connection has under way and waiting.

    Attributes:
        connection: The connection.
        task: What runs its handler, None while none runs that waits for something.
        is_admitted: Whether the handshake is over and the client was let in.
        is_paused: Whether the connection is not read from.
    """

    __slots__ = (
        "_holds",
        "_size",
        "_waiting",
        "connection",
        "is_admitted",
        "is_paused",
        "task",
    )

    def __init__(self, connection: Connection, *, is_admitted: bool = True) -> None:
        """Make the lane of a connection that has nothing yet."""
        self.connection = connection
        self.task: asyncio.Task[Any] | None = None
        self.is_admitted = is_admitted
        self.is_paused = False
        self._waiting: deque[Item] = deque()
        self._size = 0
        # Waits for room elsewhere, during which the connection is not read.
        self._holds = 0

    def __repr__(self) -> str:
        paused = ", paused" if self.is_paused else ""
        return f"<Lane {self.connection.client_id} {len(self._waiting)} waiting{paused}>"

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, item: Item) -> None:
        """Let a message wait, or the beginning or the end, behind what waits already."""
        self._waiting.append(item)
        if isinstance(item, str | bytes):
            self._size += len(item)
            self._regulate()

    def take(self) -> Item:
        """Take out what waits longest; there must be something."""
        item = self._waiting.popleft()
        if isinstance(item, str | bytes):
            self._size -= len(item)
            self._regulate()
        return item

    def drop_messages(self) -> int:
        """Forget the messages that wait, not the end; return how many they were."""
        before = len(self._waiting)
        self._waiting = deque(each for each in self._waiting if not isinstance(each, str | bytes))
        self._size = 0
        self._regulate()
        return before - len(self._waiting)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Do not read from the connection meanwhile."""
        self._holds += 1
        self._regulate()
        try:
            yield
        finally:
            self._holds -= 1
            self._regulate()

    def _regulate(self) -> None:
        half = 2 if self.is_paused else 1
        full = (
            self._holds
            or len(self._waiting) * half > MAX_WAITING
            or self._size * half > MAX_WAITING_BYTES
        )
        if full and not self.is_paused:
            self.is_paused = True
            self.connection.edge.pause_reading()
        elif self.is_paused and not full:
            self.is_paused = False
            self.connection.edge.resume_reading()
