"""Who consumes: what a consumer has been sent, and which topics may have something for it.

For each topic a consumer has a subscription, which is always in one of two places. Either it is idle in its
topic: nothing there is for this consumer, and what comes is given to it if it has room. Or it is due at its
consumer: there may be something, and it is looked at when the consumer has room. So a message looks for a
consumer, and a consumer for a message, without looking at all of them.

Bookkeeping only: who moves what when is :mod:`gateway.queues.dispatch`.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

from gateway.queues.limits import CONSUMER_CREDIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.queues.lane import Delivery, Lane
    from gateway.queues.topic import Topic

__all__ = ["Consumer", "Sink", "Subscription"]


class Sink(Protocol):
    """The way to a consumer."""

    def deliver(self, message: Delivery) -> int:
        """Send a message; return how many bytes that was, which count until it is acknowledged.

        It neither raises nor calls the queues: what it has to say, such as that this is acknowledged,
        it says when it has returned. Where it can send nothing any more it does nothing; that the
        consumer is gone comes by `Queues.detach`.
        """


class Subscription:
    """One consumer's part in one topic.

    Attributes:
        consumer: The consumer.
        topic: The topic.
        active: Whether it is given messages; once False for good.
        line: Lanes whose first messages this consumer has, and which have more for it.
    """

    __slots__ = ("active", "consumer", "line", "topic")

    def __init__(self, consumer: Consumer, topic: Topic) -> None:
        """Make a subscription that is due: the topic may have something."""
        self.consumer = consumer
        self.topic = topic
        self.active = True
        self.line: OrderedDict[Lane, None] = OrderedDict()
        topic.consumers += 1
        consumer.due[self] = None

    def __repr__(self) -> str:
        return f"<Subscription of {self.consumer} to {self.topic.name!r}>"

    def line_up(self, lane: Lane) -> None:
        """Let a lane of this consumer wait for its turn."""
        lane.ticket = self.topic.next_ticket()
        self.line[lane] = None
        if self.active:
            self.fall_due()

    def next_lane(self) -> Lane | None:
        """Take out the lane whose turn it is at this consumer, None if there is nothing for it."""
        own, free = self.line, self.topic.line
        if own and free:
            line = own if next(iter(own)).ticket < next(iter(free)).ticket else free
        else:
            line = own or free
        return line.popitem(last=False)[0] if line else None

    def fall_due(self) -> None:
        """Let the consumer look here when it has room."""
        self.topic.idle.pop(self, None)
        self.consumer.due[self] = None

    def be_idle(self) -> None:
        """Let what comes here look for the consumer."""
        del self.consumer.due[self]
        self.topic.idle[self] = None

    def end(self) -> None:
        """Give the consumer nothing more."""
        self.active = False
        self.topic.consumers -= 1
        self.topic.idle.pop(self, None)
        self.consumer.due.pop(self, None)


class Consumer:
    """Somebody who consumes some topics.

    Attributes:
        name: What it calls itself, for logs.
        sink: The way to it.
        prefetch: How many unacknowledged messages it may have.
        subscriptions: What it consumes, by topic.
        due: Those of its subscriptions that may have something for it, in the order of their turns.
        unacknowledged: The lane of each message that it has, by id.
        unacknowledged_size: Bytes that it was sent of these.
        is_known: Whether the log has told of it: that it began to consume, and not yet that it is gone.
    """

    __slots__ = (
        "due",
        "is_known",
        "name",
        "prefetch",
        "sink",
        "subscriptions",
        "unacknowledged",
        "unacknowledged_size",
    )

    def __init__(self, sink: Sink, prefetch: int, name: str) -> None:
        """Make a consumer that consumes nothing yet."""
        self.sink = sink
        self.prefetch = prefetch
        self.name = name
        self.subscriptions: dict[str, Subscription] = {}
        self.due: OrderedDict[Subscription, None] = OrderedDict()
        self.unacknowledged: dict[int, Lane] = {}
        self.unacknowledged_size = 0
        self.is_known = False

    def __str__(self) -> str:
        return self.name or "without a name"

    def __repr__(self) -> str:
        return (
            f"<Consumer {self} of {len(self.subscriptions)} topics, has {len(self.unacknowledged)}>"
        )

    @property
    def topics(self) -> Collection[str]:
        """Names of the topics that it consumes."""
        return self.subscriptions.keys()

    @property
    def has_room(self) -> bool:
        """Whether it may be sent one more."""
        return (
            len(self.unacknowledged) < self.prefetch
            and self.unacknowledged_size < CONSUMER_CREDIT_BYTES
        )

    def forget_all(self) -> None:
        """Forget what it has; nobody waits for its acknowledgement any more."""
        self.unacknowledged.clear()
        self.unacknowledged_size = 0
