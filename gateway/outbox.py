"""All bytes on the way to the clients of one gateway process.

Theory of operation. The kernel's ``send()`` is the cost of a delivery, so a message is encoded once
per encoding, appended to the outbox of each target, and frames that wait for the same client leave
in one write. :meth:`Outbox.flush` does the writing, once per turn of the loop; an outbox that holds
`FLUSH_AT` bytes is written at once.

A transport that could not send everything says so (:meth:`Outbox.write_paused`): the connection is
*blocked*, gets nothing more until the client has taken what it was given last, and from then on
its bytes are counted. Over `send_buffer` the client is slow and cut; over `send_buffer_total`
in the process the fullest are cut first. Bytes are counted by the object that holds them, so a frame
that waits for many is counted once, whether in outboxes or in transports. Small frames are joined
for a write, a large one is given as it is: what a transport holds is at most `2 * FLUSH_AT` bytes of
its own, or a frame that it shares with others. So memory stays bounded however many clients stop
reading, and a client that reads is never cut for the size of one message.

Everything here is synchronous and nothing is awaited between a lookup and a write, so no lock is
needed. Nothing here knows a frame's inside.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.shared_bytes import SharedBytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.connection import Connection
    from gateway.edge.interface import Encoding

__all__ = ["FLUSH_AT", "Outbox", "OutboxCounters"]

FLUSH_AT: Final = 64 * 1024
"""
Bytes after which an outbox is written without waiting for the end of the turn, and from which a
frame is large.

Beyond it a larger write saves nothing (the cost per byte rules), and one turn of the loop can bring
megabytes from one publisher, which must not pile up here.
"""

BROADCAST: Final = 2_000
"""Connections with something new from which on it must be a broadcast: no turn of the executor has so
many commands for one client each."""

_FULL: Final = -1
"""Value of `Connection.room` for a connection whose every frame must be looked at."""

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
        "_flushed",
        "_giving",
        "_held",
        "_limit",
        "_limit_total",
        "_on_dirty",
        "_slow",
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
            on_dirty: Called when there is something to flush, at least once for each flush that
                is needed; whoever owns the loop then calls :meth:`flush` before the turn ends.
            cut: Called with a slow connection, which is forgotten here already.
        """
        self.counters = OutboxCounters()
        self._limit = send_buffer
        self._limit_total = send_buffer_total
        self._on_dirty = on_dirty
        self._cut = cut
        self._dirty: list[Connection] = []
        # How many deliveries there had been at the last flush.
        self._flushed = 0
        # What a transport is being given right now, for the case that it cannot send it all.
        self._giving = b""
        # What blocked connections wait for.
        self._held = SharedBytes()
        # Connections whose bytes are counted.
        self._blocked: set[Connection] = set()
        # Connections to cut once the walk that found them is over.
        self._slow: list[Connection] = []

    def __repr__(self) -> str:
        return (
            f"<Outbox {len(self._dirty)} dirty, {len(self._blocked)} blocked, {self._held.total} B>"
        )

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait for clients that do not take them, shared frames counted once."""
        return self._held.total

    @property
    def blocked_connections(self) -> int:
        """Connections whose client has not taken what it was sent."""
        return len(self._blocked)

    @property
    def is_worth_filling(self) -> bool:
        """Whether waiting with a flush saves writes.

        It does when frames come together: two on average for each connection already, or one message
        for so many that the others of its turn cannot have been executed yet.
        """
        waiting = len(self._dirty)
        return waiting > BROADCAST or self.counters.deliveries - self._flushed >= 2 * waiting

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
            self._keep_within_total()
        self._on_dirty()

    def forget(self, connection: Connection) -> None:
        """Drop what waits for a connection that is lost or cut; it takes nothing more."""
        if connection in self._blocked:
            self._blocked.discard(connection)
            self._release(connection, connection.given, *connection.pending)
        connection.pending.clear()
        connection.given = b""
        connection.blocked = True
        connection.waiting = _DOOMED
        connection.room = _FULL

    # Writing.

    def flush(self) -> None:
        """Write everything that waits for connections that are not blocked."""
        dirty, self._dirty = self._dirty, []
        self._flushed = self.counters.deliveries
        for connection in dirty:
            if connection.pending and not connection.blocked:
                self._write(connection)
        self._cut_slow()

    def write_paused(self, connection: Connection) -> None:
        """Take note that the transport could not send everything it was given last."""
        if connection.blocked:
            return
        connection.blocked = True
        connection.room = _FULL
        connection.given = self._giving
        self._hold(connection, connection.given)
        if connection not in self._blocked:
            self._blocked.add(connection)
            self._hold(connection, *connection.pending)
            self.counters.blocked += 1
        self._keep_within_total()

    def write_resumed(self, connection: Connection) -> None:
        """Take note that the client has taken everything that the transport held."""
        if connection not in self._blocked:
            return
        self._release(connection, connection.given)
        connection.given = b""
        connection.blocked = False
        while connection.pending and not connection.blocked:
            frames = _take_piece(connection.pending)
            self._release(connection, *frames)
            self._give(connection, b"".join(frames))
        if not connection.blocked:
            self._blocked.discard(connection)
            connection.room = FLUSH_AT
        self._cut_slow()

    def _write(self, connection: Connection) -> None:
        pending, is_one_piece = connection.pending, connection.room >= 0
        connection.room = FLUSH_AT
        if is_one_piece:
            data = b"".join(pending)  # of one frame: that frame, not a copy
            pending.clear()
            self._give(connection, data)
            return
        while pending and not connection.blocked:
            self._give(connection, b"".join(_take_piece(pending)))

    def _give(self, connection: Connection, data: bytes) -> None:
        counters = self.counters
        counters.flushes += 1
        counters.bytes_written += len(data)
        self._giving = data
        connection.edge.write(data)
        self._giving = b""

    # Bounds.

    def _make_room(self, connection: Connection) -> bool:
        """Act on an outbox that ran out of room; False if the connection does not take the frame."""
        if not connection.blocked:
            self._write(connection)
            return True
        connection.room = _FULL
        if connection.waiting == _DOOMED:
            connection.pending.clear()
            return False
        self._hold(connection, connection.pending[-1])
        if connection.waiting > self._limit:
            self._doom(connection)
        self._keep_within_total()
        return connection.waiting != _DOOMED

    def _hold(self, connection: Connection, *frames: bytes) -> None:
        """Count bytes that wait for a connection."""
        for frame in frames:
            connection.waiting += len(frame)
            self._held.hold(frame)

    def _release(self, connection: Connection, *frames: bytes) -> None:
        """Count bytes no longer that waited for a connection."""
        for frame in frames:
            connection.waiting -= len(frame)
            self._held.release(frame)

    def _keep_within_total(self) -> None:
        if self._held.total <= self._limit_total:
            return
        for connection in sorted(self._blocked, key=_fullness, reverse=True):
            self._doom(connection)
            if self._held.total <= self._limit_total:
                return

    def _doom(self, connection: Connection) -> None:
        # The hub may be under our feet, so the cut itself comes when the walk is over, or with the
        # next flush if none was under way.
        self.forget(connection)
        self._slow.append(connection)
        self._on_dirty()

    def _cut_slow(self) -> None:
        if self._slow:
            slow, self._slow = self._slow, []
            self.counters.slow += len(slow)
            for connection in slow:
                self._cut(connection)


def _fullness(connection: Connection) -> int:
    return connection.waiting


def _take_piece(pending: list[bytes]) -> list[bytes]:
    """Take the frames of the next write from the front: a large one alone, or small ones together."""
    size = count = 0
    for frame in pending:
        if count and len(frame) >= FLUSH_AT:
            break
        size += len(frame)
        count += 1
        if size >= FLUSH_AT:
            break
    piece = pending[:count]
    del pending[:count]
    return piece


def _encoded(frames: dict[Encoding, bytes], encoding: Encoding, message: str | bytes) -> bytes:
    frame = frames.get(encoding)
    if frame is None:
        frame = frames[encoding] = encoding.encode(message)
    return frame
