"""The queues of one gateway process, as others call them: clients' messages come, consumers come and go.

A topic is a queue: it takes messages of clients, gives each to one of its consumers, in order for each client,
and sends again what none has acknowledged. How is in :mod:`gateway.queues.dispatch`. For each topic, at any time::

    pushed == acknowledged + dead + dropped + waiting + unacknowledged

Bounds. What was read from a client is taken, also where its topic is full; but then :meth:`Queues.push` says
so, and whoever asked to be told (:meth:`Queues.call_when_room`) is, one for each message that leaves,
and all of them when nothing is left: whoever is told may have nothing to send.

A topic exists while something is in it or in its `dead:` topic, somebody consumes it, or a route leads there
(:meth:`Queues.open_topic`). Everything is synchronous and takes the time as an argument.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gateway.queues.consumer import Consumer, Subscription
from gateway.queues.dispatch import Dispatch
from gateway.queues.limits import MAX_DATA, MAX_PREFETCH, QueueLimits
from gateway_wire.errors import MessageTooLarge
from gateway_wire.frames import pack_field

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from gateway.connection import Connection
    from gateway.queues.consumer import Sink
    from gateway.queues.topic import RoomCallback, Topic

__all__ = ["Queues"]

logger = logging.getLogger("gateway")


class Queues:
    """The queues of one gateway process."""

    __slots__ = ("_dispatch", "_when_idle")

    def __init__(self, limits: QueueLimits | None = None) -> None:
        """Start without topics.

        Args:
            limits: What bounds them; None for the defaults.
        """
        self._dispatch = Dispatch(limits or QueueLimits())
        self._when_idle: Callable[[], None] | None = None

    def __repr__(self) -> str:
        return f"<Queues {len(self.topics)} topics, {self.unacknowledged} unacknowledged>"

    # What others read.

    @property
    def topics(self) -> Mapping[str, Topic]:
        """The topics that exist; read them, do not change them."""
        return self._dispatch.topics

    @property
    def unacknowledged(self) -> int:
        """Messages that consumers have."""
        return self._dispatch.unacknowledged

    def states(self, now: float) -> dict[str, dict[str, int | float]]:
        """Return how each topic is, as `ListQueues` answers."""
        return {name: topic.state(now) for name, topic in self.topics.items()}

    def is_full(self, name: str) -> bool:
        """Return whether whoever sends more to a topic should wait."""
        topic = self.topics.get(name)
        return topic is not None and topic.is_full

    def is_overfull(self, name: str) -> bool:
        """Return whether whoever cannot wait should not send to a topic either."""
        topic = self.topics.get(name)
        return topic is not None and topic.is_overfull

    # Settings.

    @property
    def limits(self) -> QueueLimits:
        """What bounds the queues; new limits count from the moment they are set."""
        return self._dispatch.limits

    @limits.setter
    def limits(self, limits: QueueLimits) -> None:
        self._dispatch.limits = limits
        for topic in tuple(self.topics.values()):
            topic.limits = limits
            self._dispatch.make_room(topic, limits.messages)

    def open_topic(self, name: str) -> None:
        """Keep a topic from now on, also while nothing is in it.

        Raises:
            TooManyTopics: If there is no room for it.
        """
        self._dispatch.topic(name).kept = True

    def check_topics(self, names: Iterable[str]) -> None:
        """Check whether these topics exist or may be made.

        Raises:
            TooManyTopics: If there is no room for all of them.
        """
        self._dispatch.check_topics(names)

    # Messages come.

    def push(self, name: str, data: object, connection: Connection, now: float) -> bool:
        """Put a message of a client on a topic.

        Args:
            name: The topic; it is made if it does not exist.
            data: What consumers get: texts, bytes, numbers, booleans, None, and lists and dicts of these.
            connection: The client.
            now: The loop's time.

        Returns:
            False if the topic is full now: the message was taken, but more should wait until
            :meth:`call_when_room` calls.

        Raises:
            TooManyTopics: If there is no room for one more topic.
            TypeError: If something in the data cannot be sent.
            ValueError: If an integer has more than 64 bits, a text holds lone surrogates, or all of it is
                larger than `MAX_DATA` (a `MessageTooLarge`).
        """
        packed = pack_field(data)
        if len(packed) > MAX_DATA:
            raise MessageTooLarge("message", len(packed), MAX_DATA, "push it in parts")
        return not self._dispatch.push(name, packed, connection, now).is_full

    def call_when_room(self, name: str, callback: RoomCallback) -> None:
        """Call back once when a topic that is full has room, after those who asked before.

        The callback may push. If it returns False, it makes no use of the place, such as when its
        client is gone, and the next is called. It is an object of its own for each call.
        """
        topic = self.topics.get(name)
        if topic is None or not topic.is_full:
            callback()
        else:
            topic.full[callback] = None

    def forget_callback(self, name: str, callback: RoomCallback) -> None:
        """Do not call back any more; harmless if it was called already."""
        topic = self.topics.get(name)
        if topic is not None:
            topic.full.pop(callback, None)
            self._dispatch.forget_if_unused(topic)

    # Consumers come and go.

    def attach(self, sink: Sink, prefetch: int, name: str) -> Consumer:
        """Make a consumer, which consumes nothing yet.

        Args:
            sink: The way to it.
            prefetch: How many unacknowledged messages it may have.
            name: What it calls itself, for logs.

        Raises:
            ValueError: If `prefetch` is not from 1 to `MAX_PREFETCH`.
        """
        if not 1 <= prefetch <= MAX_PREFETCH:
            raise ValueError(f"prefetch is {prefetch}: give 1 to {MAX_PREFETCH:,} messages")
        return Consumer(sink, prefetch, name)

    def consume(self, consumer: Consumer, names: Iterable[str]) -> None:
        """Give a consumer the messages of these topics too, those that wait at once.

        Raises:
            TooManyTopics: If there is no room for all of them; nothing has changed then.
        """
        new = [name for name in dict.fromkeys(names) if name not in consumer.subscriptions]
        dispatch = self._dispatch
        dispatch.check_topics(new)
        for name in new:
            consumer.subscriptions[name] = Subscription(consumer, dispatch.topic(name))
        consumer.is_known = True
        logger.info("consumer %s takes messages of %s", consumer, new)
        dispatch.serve(consumer)

    def stop(self, consumer: Consumer) -> None:
        """Give a consumer nothing more; what it has stays with it.

        Until it has dealt with that, further messages of the same clients wait, even if it consumes again.
        """
        ended = tuple(consumer.subscriptions.values())
        consumer.subscriptions.clear()
        for subscription in ended:
            subscription.end()
            self._dispatch.forget_if_unused(subscription.topic)

    def detach(self, consumer: Consumer) -> None:
        """Forget a consumer that is gone; what it had is sent again, and that was a try."""
        lost = len(consumer.unacknowledged)
        if lost:
            logger.warning("consumer %s is gone; %d messages of it come again", consumer, lost)
        elif consumer.is_known:
            logger.info("consumer %s is gone", consumer)
        consumer.is_known = False
        self.stop(consumer)
        self._dispatch.give_back(consumer, tuple(consumer.unacknowledged), tried=True)
        self._tell_if_idle()

    # Consumers speak.

    def acknowledge(self, consumer: Consumer, message_ids: Iterable[int]) -> None:
        """Take note that a consumer has dealt with messages; those that it does not have are ignored."""
        self._dispatch.acknowledge(consumer, message_ids)
        self._tell_if_idle()

    def reject(self, consumer: Consumer, message_ids: Collection[int], *, tried: bool) -> None:
        """Let messages wait again, each with those of its lane behind it that the consumer has.

        Args:
            consumer: Who has them; what it does not have is ignored.
            message_ids: Which.
            tried: Whether that was a try for these; it is none for those behind them.
        """
        self._dispatch.give_back(consumer, message_ids, tried=tried)
        self._dispatch.serve(consumer)
        self._tell_if_idle()

    # The end.

    def call_when_idle(self, callback: Callable[[], None]) -> None:
        """Call back once when no consumer has anything unacknowledged; at once if that is so.

        Then nothing waits either, unless nobody is there for it.
        """
        self._when_idle = callback
        self._tell_if_idle()

    def give_up(self) -> int:
        """Drop everything because the process stops, and return how much that is."""
        self._dispatch.unacknowledged = 0
        return sum(topic.clear() for topic in self.topics.values())

    def _tell_if_idle(self) -> None:
        if self._when_idle is not None and not self.unacknowledged:
            callback, self._when_idle = self._when_idle, None
            callback()
