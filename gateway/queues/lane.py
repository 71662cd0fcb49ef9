"""A message on a topic, and the lane in which the messages of one client keep their order.

A lane is what one client has on one topic. Its oldest messages may be out at a consumer, and then the
lane is that consumer's: what waits behind them can go nowhere else.

Bookkeeping only: who moves what when is :mod:`gateway.queues.dispatch`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import msgpack

from gateway.queues.limits import MESSAGE_OVERHEAD

if TYPE_CHECKING:
    from gateway.connection import Connection
    from gateway.queues.consumer import Subscription
    from gateway.queues.topic import Topic

__all__ = ["Delivery", "Lane"]


class Delivery:
    """One message: what was put on a topic, and what became of it.

    Attributes:
        message_id: Its number, unique in the process, rising within a topic.
        topic: Name of its topic.
        connection: The client that sent it, which may be gone.
        packed: Its data in msgpack: that is smaller, of a known size, and cannot change.
        uid: What the client was bound to when it sent it.
        pushed_at: When that was, in the loop's time.
        tries: 1 until it comes back from a consumer that may have looked at it.
        size: What it counts, in bytes.
        sent_size: Bytes that its consumer was sent, the last time; 0 before the first.
    """

    __slots__ = (
        "connection",
        "message_id",
        "packed",
        "pushed_at",
        "sent_size",
        "size",
        "topic",
        "tries",
        "uid",
    )

    def __init__(
        self,
        message_id: int,
        topic: str,
        connection: Connection,
        packed: bytes,
        pushed_at: float,
    ) -> None:
        """Make a message that was never sent."""
        self.message_id = message_id
        self.topic = topic
        self.connection = connection
        self.packed = packed
        self.size = len(packed) + MESSAGE_OVERHEAD
        self.uid = connection.uid
        self.pushed_at = pushed_at
        self.tries = 1
        self.sent_size = 0

    def __repr__(self) -> str:
        return f"<Delivery {self.message_id} on {self.topic!r} of {self.connection.client_id}>"

    def begin_again(self, message_id: int, topic: str) -> None:
        """Be a new message, on another topic."""
        self.message_id = message_id
        self.topic = topic
        self.tries = 1
        self.sent_size = 0

    @property
    def data(self) -> Any:
        """What was put on the topic; made anew each time."""
        return msgpack.unpackb(self.packed, strict_map_key=False)


class Lane:
    """What one client has on one topic; it exists while that is anything.

    Attributes:
        topic: The topic.
        connection: The client.
        owner: The subscription whose consumer has the unacknowledged ones; None if there are none.
        unacknowledged: Messages at the consumer by id, in the order in which they came.
        waiting: Those behind them; None if there never were any.
        ticket: Place in the line that it stands in, while something waits.
    """

    __slots__ = ("connection", "owner", "ticket", "topic", "unacknowledged", "waiting")

    def __init__(self, topic: Topic, connection: Connection) -> None:
        """Make a lane that has nothing yet."""
        self.topic = topic
        self.connection = connection
        self.owner: Subscription | None = None
        self.unacknowledged: dict[int, Delivery] = {}
        self.waiting: deque[Delivery] | None = None
        self.ticket = 0

    @property
    def size(self) -> int:
        """What it counts beside its messages, in bytes: they keep the client's headers, also when it has gone."""
        return len(self.connection.packed_headers)

    def __repr__(self) -> str:
        out, waiting = len(self.unacknowledged), len(self.waiting or ())
        return f"<Lane {self.connection.client_id} {out} unacknowledged, {waiting} waiting>"

    def add(self, message: Delivery) -> None:
        """Let a message wait behind the others."""
        if self.waiting is None:
            self.waiting = deque()
        self.waiting.append(message)

    def next(self) -> Delivery:
        """Take out the message that waits longest; there must be one."""
        if not self.waiting:
            raise AssertionError(f"{self!r} has nothing that waits")
        return self.waiting.popleft()

    def put_back(self, messages: list[Delivery]) -> None:
        """Let messages wait before the others."""
        if self.waiting is None:
            self.waiting = deque()
        self.waiting.extendleft(reversed(messages))
