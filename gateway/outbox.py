"""All bytes on the way to the clients of one gateway process.

Theory of operation. The kernel's ``send()`` is the cost of a delivery, so a message is encoded once
per encoding, appended to the outbox of each target, and frames that wait for the same client leave
in one write. :meth:`Outbox.flush` does the writing, once per turn of the loop; an outbox that holds
`FLUSH_AT` bytes is written at once.

A transport that could not send everything says so (:meth:`Outbox.write_paused`): the connection is
*blocked*, gets nothing more until the client has taken what the transport holds, and from then on
its bytes are counted. Over `send_buffer` the client is slow and cut; over `send_buffer_total`
in the process, where a frame that waits for many is counted once, the fullest are cut first. So memory stays
bounded however many clients stop reading, and a client that reads is never cut for the size of one
message.

Everything here is synchronous and nothing is awaited between a lookup and a write, so no lock is
needed. Nothing here knows a frame's inside.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.connection import Connection
    from gateway.edge.interface import Encoding

__all__ = ["FLUSH_AT", "Outbox", "OutboxCounters"]

FLUSH_AT: Final = 64 * 1024
"""
Bytes after which an outbox is written without waiting for the end of the turn.

Beyond it a larger write saves nothing (the cost per byte rules), and one turn of the loop can bring
megabytes from one publisher, which must not pile up here.
"""

_DOOMED: Final = sys.maxsize
"""Value of `Connection.waiting` for a connection that takes nothing more."""


@dataclass(slots=True)
class OutboxCounters:
    """What the outbox did, as plain numbers that a collector reads.

    Attributes:
        deliveries: Messages put into an outbox, one per connection.
        flushes: Writes to a transport.
        bytes_written: Bytes given to transports.
        blocked: Times that a transport could not send everything.
        slow: Connections cut because they did not read.
    """

    deliveries: int = 0
    flushes: int = 0
    bytes_written: int = 0
    blocked: int = 0
    slow: int = 0


class Outbox:
    """The outboxes of all connections of one gateway process.

    Attributes:
        counters: What was done so far.
    """

    __slots__ = (
        "_blocked",
        "_cut",
        "_dirty",
        "_held",
        "_limit",
        "_limit_total",
        "_on_dirty",
        "_slow",
        "_total",
        "counters",
    )

    def __init__(
        self,
        send_buffer: int,
        send_buffer_total: int,
        *,
        on_dirty: Callable[[], None],
        cut: Callable[[Connection], None],
    ) -> None:
        """Make the outboxes.

        Args:
            send_buffer: Bytes that may wait for one client after a write attempt.
            send_buffer_total: Bytes that may wait in the process, shared frames counted once.
            on_dirty: Called when the first connection gets something to flush; whoever owns the
                loop then calls :meth:`flush` before the turn ends.
            cut: Called with a slow connection, which is forgotten here already.
        """
        self.counters = OutboxCounters()
        self._limit = send_buffer
        self._limit_total = send_buffer_total
        self._on_dirty = on_dirty
        self._cut = cut
        self._dirty: list[Connection] = []
        # Frames that wait for blocked connections, by identity: how many wait for each.
        self._held: dict[int, int] = {}
        self._blocked: set[Connection] = set()
        self._total = 0
        # Connections to cut once the walk that found them is over.
        self._slow: list[Connection] = []

    def __repr__(self) -> str:
        return f"<Outbox {len(self._dirty)} dirty, {len(self._blocked)} blocked, {self._total} B>"

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait for clients that do not take them, shared frames counted once."""
        return self._total

    @property
    def blocked_connections(self) -> int:
        """Connections whose client has not taken what it was sent."""
        return len(self._blocked)

    # Taking messages in.

    def offer(self, connections: Iterable[Connection], message: str | bytes) -> int:
        """Put a message into the outbox of each connection.

        Args:
            connections: Targets, each once; not changed meanwhile.
            message: Text or binary; encoded once per encoding that is met.

        Returns:
            How many connections took it.
        """
        reached = 0
        frames: dict[Encoding, bytes] = {}
        encoding, frame, size = None, b"", 0
        was_clean = not self._dirty
        add_dirty = self._dirty.append
        for connection in connections:
            if connection.encoding is not encoding:
                encoding = connection.encoding
                frame = _encoded(frames, encoding, message)
                size = len(frame)
            pending = connection.pending
            if not pending:
                add_dirty(connection)
            pending.append(frame)
            connection.room = room = connection.room - size
            reached += 1
            if room < 0 and not self._make_room(connection):
                reached -= 1
        self.counters.deliveries += reached
        self._cut_slow()
        if was_clean and self._dirty:
            self._on_dirty()
        return reached

    def finish(self, connection: Connection, farewell: bytes) -> None:
        """Put a farewell behind what waits; a client that reads slowly still gets it in its turn."""
        if not farewell or connection.waiting == _DOOMED:
            return
        if not connection.pending:
            self._dirty.append(connection)
        connection.pending.append(farewell)
        if connection.blocked:
            self._hold(connection, farewell)
        self._on_dirty()

    def forget(self, connection: Connection) -> None:
        """Drop what waits for a connection that is lost or cut; it takes nothing more."""
        self._release(connection)
        connection.pending.clear()
        connection.blocked = True
        connection.waiting = _DOOMED
        connection.room = 0

    # Writing.

    def flush(self) -> None:
        """Write everything that waits for connections that are not blocked."""
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            if connection.pending and not connection.blocked:
                self._write(connection)
        self._cut_slow()

    def write_paused(self, connection: Connection) -> None:
        """Take note that the transport could not send everything it was given last."""
        if connection.blocked:
            return
        connection.blocked = True
        connection.room = 0
        self._blocked.add(connection)
        self._total += connection.waiting
        # Usually nothing: only a write beside the outbox (a ping) can block with frames pending.
        for frame in connection.pending:
            self._hold(connection, frame)
        self.counters.blocked += 1
        self._keep_within_total()

    def write_resumed(self, connection: Connection) -> None:
        """Take note that the client has taken everything that the transport held."""
        if connection not in self._blocked:
            return
        self._release(connection)
        connection.blocked = False
        connection.waiting = 0
        connection.room = FLUSH_AT
        if connection.pending:
            self._write(connection)
        self._cut_slow()

    def _write(self, connection: Connection) -> None:
        pending = connection.pending
        data = pending[0] if len(pending) == 1 else b"".join(pending)
        pending.clear()
        connection.room = FLUSH_AT
        connection.waiting = size = len(data)
        counters = self.counters
        counters.flushes += 1
        counters.bytes_written += size
        connection.edge.write(data)

    # Bounds.

    def _make_room(self, connection: Connection) -> bool:
        """Act on an outbox that ran out of room; False if the connection does not take the frame."""
        if not connection.blocked:
            self._write(connection)
            return True
        connection.room = 0
        if connection.waiting == _DOOMED:
            connection.pending.clear()
            return False
        self._hold(connection, connection.pending[-1])
        if connection.waiting > self._limit:
            self._doom(connection)
        self._keep_within_total()
        return connection.waiting != _DOOMED

    def _hold(self, connection: Connection, frame: bytes) -> None:
        size, key = len(frame), id(frame)
        connection.waiting += size
        count = self._held.get(key, 0)
        self._held[key] = count + 1
        if not count:
            self._total += size

    def _release(self, connection: Connection) -> None:
        """Count what waits for a connection no longer; nothing if it is not blocked."""
        if connection not in self._blocked:
            return
        self._blocked.discard(connection)
        given = connection.waiting
        for frame in connection.pending:
            size, key = len(frame), id(frame)
            given -= size
            count = self._held.pop(key) - 1
            if count:
                self._held[key] = count
            else:
                self._total -= size
        self._total -= given

    def _keep_within_total(self) -> None:
        if self._total <= self._limit_total:
            return
        for connection in sorted(self._blocked, key=_fullness, reverse=True):
            self._doom(connection)
            if self._total <= self._limit_total:
                return

    def _doom(self, connection: Connection) -> None:
        # The hub may be under our feet, so the cut itself comes when the walk is over.
        self.forget(connection)
        self._slow.append(connection)

    def _cut_slow(self) -> None:
        if self._slow:
            slow, self._slow = self._slow, []
            self.counters.slow += len(slow)
            for connection in slow:
                self._cut(connection)


def _fullness(connection: Connection) -> int:
    return connection.waiting


def _encoded(frames: dict[Encoding, bytes], encoding: Encoding, message: str | bytes) -> bytes:
    frame = frames.get(encoding)
    if frame is None:
        frame = frames[encoding] = encoding.encode(message)
    return frame
