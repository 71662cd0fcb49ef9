"""All bytes on the way to the clients of one gateway process.

Theory of operation. The kernel's ``send()`` is the cost of a delivery, so a message is encoded once
per encoding, appended to the outbox of each target, and frames that wait for the same client leave
in one write. :meth:`Outbox.flush` does the writing, of so many connections per turn of the loop; an
outbox that holds `FLUSH_AT` bytes is written at once.

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
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.backlog import Backlog, Nowhere
from gateway.shared_bytes import SharedBytes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from gateway.connection import Connection
    from gateway.edge.interface import Encoding

__all__ = ["FLUSH_AT", "Encoded", "Outbox", "OutboxCounters"]

FLUSH_AT: Final = 64 * 1024
"""Bytes after which an outbox is written without waiting for the end of the turn, and from which a
frame is large.

Beyond it a larger write saves nothing (the cost per byte rules), and one turn of the loop can bring
megabytes from one publisher, which must not pile up here. What an outbox holds is reckoned as if all its
frames were as large as the newest one, for adding up would be half of what a delivery costs."""

FILL: Final = 4 * 1024 * 1024
"""Bytes of frames, each counted once, that may wait for their first write attempt. Beyond it a flush writes
to everybody: what a publisher sends faster than it can be written must not pile up here."""

FRAME_STEPS: Final = 10
"""Writes are counted by how many frames left in them: 1, up to 2, up to 4 and so on, the last step for
all above 256."""


class Encoded(bytes):
    """A message that is wire bytes already: every client gets them as they are, whatever it speaks."""

    __slots__ = ()


@dataclass(slots=True)
class OutboxCounters:
    """What the outbox did, as plain numbers that a collector reads.

    Attributes:
        deliveries: Messages put into an outbox, one per connection.
        flushes_by_frames: Writes to a transport, by how many frames left in each: up to `2 ** index`,
            and more in the last place.
        frames_written: Frames given to transports.
        bytes_written: Bytes given to transports.
        blocked: Times that a transport could not send everything.
        slow: Connections cut because they did not read.
    """

    deliveries: int = 0
    flushes_by_frames: list[int] = field(default_factory=lambda: [0] * FRAME_STEPS)
    frames_written: int = 0
    bytes_written: int = 0
    blocked: int = 0
    slow: int = 0

    @property
    def flushes(self) -> int:
        """Writes to a transport."""
        return sum(self.flushes_by_frames)


class Outbox:
    """The outboxes of all connections of one gateway process.

    Attributes:
        counters: What was done so far.
    """

    __slots__ = (
        "_blocked",
        "_cut",
        "_dirty",
        "_filled",
        "_finishing",
        "_giving",
        "_held",
        "_limit",
        "_limit_total",
        "_nowhere",
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
        # Bytes of the frames that were made since nothing was dirty.
        self._filled = 0
        # What a transport is being given right now, for the case that it cannot send it all.
        self._giving = b""
        # What blocked connections wait for.
        self._held = SharedBytes()
        # What is pending for connections that take nothing more.
        self._nowhere = Nowhere()
        # Connections whose bytes are counted.
        self._blocked: set[Connection] = set()
        # Connections to cut once the walk that found them is over.
        self._slow: list[Connection] = []
        # Connections that got their last bytes since they were looked at.
        self._finishing: list[Connection] = []

    def __repr__(self) -> str:
        return (
            f"<Outbox {len(self._dirty)} dirty, {len(self._blocked)} blocked, {self._held.total} B>"
        )

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait for clients that do not take them, shared frames counted once."""
        return self._held.total

    @property
    def is_full(self) -> bool:
        """Whether so much waits for its first write attempt that nothing should be waited for."""
        return self._filled > FILL

    @property
    def blocked_connections(self) -> int:
        """Connections whose client has not taken what it was sent."""
        return len(self._blocked)

    # Taking messages in.

    def offer(self, connections: Collection[Connection], message: str | bytes) -> int:
        """Put a message into the outbox of each connection.

        Args:
            connections: Targets, each once; not changed meanwhile.
            message: Text or binary, encoded once per encoding that is met; or `Encoded`.

        Returns:
            How many connections took it.
        """
        frames: dict[Encoding, bytes] = {}
        encoding, frame, most = None, b"", 0
        refused = self._nowhere.refused
        was_clean = not self._dirty
        add_dirty = self._dirty.append
        try:
            for connection in connections:
                if connection.encoding is not encoding:
                    encoding = connection.encoding
                    frame = _encoded(frames, encoding, message)
                    most = FLUSH_AT // (len(frame) or 1)
                pending = connection.pending
                waiting = len(pending)
                if not waiting:
                    add_dirty(connection)
                pending.append(frame)
                if waiting >= most:
                    self._write_in_pieces(connection)
        finally:  # an encoding may not know what to make of the message, when others did
            if was_clean and self._dirty:
                self._on_dirty()
        self._filled += sum(map(len, frames.values()))
        reached = len(connections) - (self._nowhere.refused - refused)
        self.counters.deliveries += reached
        self._cut_slow()
        return reached

    def finish(self, connection: Connection, farewell: bytes) -> None:
        """Put a farewell behind what waits; a client that reads slowly still gets it in its turn.

        Its edge is told (`Edge.finish`) when it has been given everything.

        Args:
            connection: One that takes no more messages after this.
            farewell: Its last bytes, `b""` for none.
        """
        if connection.pending is self._nowhere:
            return
        if farewell:
            self._append(connection, farewell)
        self._finishing.append(connection)
        self._on_dirty()

    def _append(self, connection: Connection, frame: bytes) -> None:
        pending = connection.pending
        if not pending:
            self._dirty.append(connection)
        if isinstance(pending, Backlog):
            pending.keep(frame)
            self._keep_within_total()
        else:
            pending.append(frame)

    def forget(self, connection: Connection) -> None:
        """Drop what waits for a connection that is lost or cut; it takes nothing more."""
        self._blocked.discard(connection)
        if connection.pending is not self._nowhere:
            connection.pending.clear()
            connection.pending = self._nowhere

    # Writing.

    def flush(self, most: int = sys.maxsize) -> bool:
        """Write everything that waits for connections that are not blocked.

        Args:
            most: Connections after which to stop, unless too much waits; those filled first come first.

        Returns:
            Whether nothing is left to write.
        """
        if self.is_full:
            most = sys.maxsize
        dirty, self._dirty = self._dirty[:most], self._dirty[most:]
        try:
            self._write_all(dirty)
        except BaseException:  # an edge's bug costs its own client, and nobody else
            self._giving = b""
            self._dirty[:0] = [each for each in dirty if each.pending]
            raise
        if self._finishing:
            self._tell_finished()
        self._cut_slow()
        if self._dirty:
            return False
        self._filled = 0
        return True

    def _write_all(self, dirty: list[Connection]) -> None:
        counters = self.counters
        singles = frames = size = 0
        for connection in dirty:
            pending = connection.pending
            count = len(pending)
            if not count or type(pending) is not list:
                continue
            # The common case: everything in one write, and no call here but that of the edge.
            if count == 1:
                data = pending[0]
                singles += 1
            else:
                data = b"".join(pending)
                if len(data) > 2 * FLUSH_AT:
                    self._write_in_pieces(connection)
                    continue
                counters.flushes_by_frames[_step(count)] += 1
            pending.clear()
            frames += count
            size += len(data)
            self._giving = data
            connection.edge.write(data)
        self._giving = b""
        counters.flushes_by_frames[0] += singles
        counters.frames_written += frames
        counters.bytes_written += size

    def write_paused(self, connection: Connection) -> None:
        """Take note that the transport could not send everything it was given last."""
        backlog = connection.pending
        if type(backlog) is list:
            backlog = Backlog(backlog, self._held, partial(self._grown, connection))
            connection.pending = backlog
            self._blocked.add(connection)
            self.counters.blocked += 1
        if isinstance(backlog, Backlog) and backlog.given is None:
            backlog.give(self._giving)
            self._keep_within_total()

    def write_resumed(self, connection: Connection) -> None:
        """Take note that the client has taken everything that the transport held."""
        backlog = connection.pending
        if not isinstance(backlog, Backlog):
            return
        backlog.taken()
        while backlog and backlog.given is None:
            frames = _take_piece(backlog)
            backlog.drop(frames)
            self._give(connection, frames)
        if backlog.given is None and connection.pending is backlog:
            self._blocked.discard(connection)
            connection.pending = []
            if backlog.is_last:
                connection.edge.finish()
        self._cut_slow()

    def _tell_finished(self) -> None:
        """Tell the edges that have been given everything; whose turn to write has not come waits on."""
        finishing, self._finishing = self._finishing, []
        for connection in finishing:
            pending = connection.pending
            if isinstance(pending, Backlog):
                pending.is_last = True
            elif pending:
                self._finishing.append(connection)
            elif pending is not self._nowhere:
                connection.edge.finish()

    def _write_in_pieces(self, connection: Connection) -> None:
        """Write what may be too much for one write, as long as the client takes it."""
        while connection.pending and type(connection.pending) is list:
            self._give(connection, _take_piece(connection.pending))

    def _give(self, connection: Connection, frames: list[bytes]) -> None:
        counters = self.counters
        data = b"".join(frames)  # of one frame: that frame, not a copy
        counters.flushes_by_frames[_step(len(frames))] += 1
        counters.frames_written += len(frames)
        counters.bytes_written += len(data)
        self._giving = data
        connection.edge.write(data)
        self._giving = b""

    # Bounds.

    def _grown(self, connection: Connection) -> None:
        """Act on a frame more that waits for a client that takes nothing."""
        if connection.waiting > self._limit:
            self._doom(connection)
        self._keep_within_total()
        if connection.pending is self._nowhere:
            self._nowhere.refused += 1

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


def _step(frames: int) -> int:
    """Return the place in `OutboxCounters.flushes_by_frames` of a write of so many frames."""
    return min((frames - 1).bit_length(), FRAME_STEPS - 1)


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
        frame = bytes(message) if isinstance(message, Encoded) else encoding.encode(message)
        frames[encoding] = frame
    return frame
