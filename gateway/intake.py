"""The way from clients onto a queue: each message as it came, and no further reading while the queue is full.

One destination for a topic takes what all of its clients send. At the bound a client that sends is not
read any more, in its turn, until there is room; that is the client's own matter, the others go on. A
client that comes while the queue is full is not read at first, so that nobody fills it further by coming
again. What was read by then is taken: the queue may pass its bound by as much.

That a client came or left is not put on the queue.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gateway.connection import Connection
    from gateway.edge.interface import ConnectRequest
    from gateway.queues.queues import Queues
    from gateway.queues.topic import RoomCallback
    from gateway_wire.close_codes import CloseReason

__all__ = ["QueueDestination"]


class QueueDestination:
    """Puts what clients send on the queue of one topic (a `Destination`).

    A message becomes `{"frame": {"type": "text" | "binary", "data": ..., "finish": True}}`. The headers of
    the handshake are kept for as long as the client stays, since they go along with each message: some
    0.6 KB for a browser without large cookies.
    """

    __slots__ = ("_paused", "_queues", "topic")

    def __init__(self, queues: Queues, topic: str) -> None:
        """Take the queues, and the topic, which is opened if it is not."""
        self.topic = topic
        self._queues = queues
        # Clients that are not read from, and what the queue calls when there is room for one more.
        self._paused: dict[Connection, RoomCallback] = {}
        queues.open_topic(topic)

    def __repr__(self) -> str:
        return f"<QueueDestination {self.topic!r} {len(self._paused)} paused>"

    def opened(self, connection: Connection, request: ConnectRequest, _now: float) -> Literal[True]:
        """Let a client in, and keep its headers."""
        connection.headers = request.headers
        if self._queues.is_full(self.topic):
            self._pause(connection)
        return True

    def received(self, connection: Connection, message: str | bytes, now: float) -> Literal[True]:
        """Put a message on the queue, and let the client wait if that is full now."""
        kind = "text" if isinstance(message, str) else "binary"
        data = {"frame": {"type": kind, "data": message, "finish": True}}
        if not self._queues.push(self.topic, data, connection, now):
            self._pause(connection)
        return True

    def closed(self, connection: Connection, _reason: CloseReason, _now: float) -> None:
        """Forget that a client waits; what it sent stays on the queue."""
        callback = self._paused.pop(connection, None)
        if callback is not None:
            self._queues.forget_callback(self.topic, callback)

    def is_paused(self, connection: Connection) -> bool:
        """Return whether a client waits for room."""
        return connection in self._paused

    def _pause(self, connection: Connection) -> None:
        if connection in self._paused:
            return
        callback = self._paused[connection] = partial(self._resume, connection)
        connection.edge.pause_reading()
        self._queues.call_when_room(self.topic, callback)

    def _resume(self, connection: Connection) -> None:
        del self._paused[connection]
        connection.edge.resume_reading()
