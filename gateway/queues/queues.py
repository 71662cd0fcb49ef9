"""The queues of one gateway process: takes messages of clients, gives each to one consumer, and keeps order.

Theory of operation. A topic is a queue (:mod:`gateway.queues.topic`). What one client has on it is a lane::

    waits, nobody's     nothing of it is at a consumer: the next one with room takes its first message
    at a consumer       something of it is unacknowledged there: what comes is for that consumer alone,
                        and waits if that has no room or takes nothing more
    gone                everything is acknowledged

So the messages of a client on a topic are with one consumer at a time, in their order. What a consumer
gives back, or had when it went, waits again before all else of its lane, and the lane before all others.
A message that came back from `tries` consumers moves to the topic `dead:` and its old name, as a new
message there. At any time, for each topic::

    pushed == acknowledged + dead + dropped + waiting + unacknowledged

Between two calls no consumer has room while something waits for it: whatever changes that, serves.
Lanes take turns, one message a turn; so do consumers with room, and the topics of a consumer.

Bounds. What was read from a client is taken, also where its topic is full; but then :meth:`Queues.push` says
so, and whoever asked to be told (:meth:`Queues.call_when_room`) is, one for each message that leaves,
and all of them when nothing is left: whoever is told may have nothing to send.

A topic exists while something is in it, somebody consumes it, or a route leads there. To push, to
deliver and to acknowledge cost the same however many clients, topics and consumers there are.

Everything is synchronous, and nothing is called while things are half done, but for `Sink.deliver`, which
must not call back. Only this module changes topics, lanes and consumers.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gateway.queues.consumer import Consumer, Subscription
from gateway.queues.limits import MAX_DATA, MAX_PREFETCH, QueueLimits, TooManyTopics
from gateway.queues.topic import DEAD, Delivery, Topic
from gateway_wire.errors import MessageTooLarge
from gateway_wire.frames import pack_field

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from gateway.connection import Connection
    from gateway.queues.consumer import Sink
    from gateway.queues.topic import Lane, RoomCallback

__all__ = ["Queues"]

logger = logging.getLogger("gateway")


class Queues:
    """The queues of one gateway process.

    Attributes:
        unacknowledged: Messages that consumers have.
    """

    __slots__ = ("_last_id", "_limits", "_topics", "_when_idle", "unacknowledged")

    def __init__(self, limits: QueueLimits | None = None) -> None:
        """Start without topics.

        Args:
            limits: What bounds them; None for the defaults.
        """
        self.unacknowledged = 0
        self._limits = limits or QueueLimits()
        self._topics: dict[str, Topic] = {}
        self._last_id = 0
        self._when_idle: Callable[[], None] | None = None

    def __repr__(self) -> str:
        return f"<Queues {len(self._topics)} topics, {self.unacknowledged} unacknowledged>"

    # What others read.

    @property
    def topics(self) -> Mapping[str, Topic]:
        """The topics that exist; read them, do not change them."""
        return self._topics

    def states(self, now: float) -> dict[str, dict[str, int | float]]:
        """Return how each topic is, as `ListQueues` answers."""
        return {name: topic.state(now) for name, topic in self._topics.items()}

    def is_full(self, name: str) -> bool:
        """Return whether whoever sends more to a topic should wait."""
        topic = self._topics.get(name)
        return topic is not None and topic.is_full

    # Settings.

    @property
    def limits(self) -> QueueLimits:
        """What bounds the queues; new limits count from the moment they are set."""
        return self._limits

    @limits.setter
    def limits(self, limits: QueueLimits) -> None:
        self._limits = limits
        for topic in tuple(self._topics.values()):
            topic.limits = limits
            self._make_room(topic, limits.messages)

    def open_topic(self, name: str) -> None:
        """Keep a topic from now on, also while nothing is in it.

        Raises:
            TooManyTopics: If there is no room for it.
        """
        self._topic(name).kept = True

    def check_topics(self, names: Iterable[str]) -> None:
        """Check whether these topics exist or may be made.

        Raises:
            TooManyTopics: If there is no room for all of them.
        """
        new = [name for name in dict.fromkeys(names) if name not in self._topics]
        if new and len(self._topics) + len(new) > self._limits.topics:
            raise TooManyTopics(new[-1], self._limits.topics)

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
        topic = self._topics.get(name) or self._topic(name)
        self._last_id += 1
        message = Delivery(
            self._last_id, name, connection, packed, uid=connection.uid, pushed_at=now
        )
        self._enter(topic, message)
        return not topic.is_full

    def call_when_room(self, name: str, callback: RoomCallback) -> None:
        """Call back once when a topic that is full has room, after those who asked before.

        The callback may push. If it returns False, it makes no use of the place, such as when its
        client is gone, and the next is called.
        """
        topic = self._topics.get(name)
        if topic is None or not topic.is_full:
            callback()
        else:
            topic.full.append(callback)

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
        self.check_topics(new)
        for name in new:
            consumer.subscriptions[name] = Subscription(consumer, self._topic(name))
        self._serve(consumer)

    def stop(self, consumer: Consumer) -> None:
        """Give a consumer nothing more; what it has stays with it."""
        ended = tuple(consumer.subscriptions.values())
        consumer.subscriptions.clear()
        for subscription in ended:
            subscription.end()
            self._forget_if_over(subscription.topic)

    def detach(self, consumer: Consumer) -> None:
        """Forget a consumer that is gone; what it had is sent again, and that was a try."""
        lost = len(consumer.unacknowledged)
        if lost:
            logger.warning("consumer %s is gone; %d messages of it wait again", consumer, lost)
        self.stop(consumer)
        self._give_back(consumer, tuple(consumer.unacknowledged), tried=True)

    # Consumers speak.

    def acknowledge(self, consumer: Consumer, message_ids: Iterable[int]) -> None:
        """Take note that a consumer has dealt with messages; those that it does not have are ignored."""
        left: dict[Topic, int] = {}
        for message_id in message_ids:
            lane = consumer.unacknowledged.get(message_id)
            if lane is None:
                continue
            topic = lane.topic
            topic.remove(self._take(consumer, lane, message_id))
            topic.counters.acknowledged += 1
            left[topic] = left.get(topic, 0) + 1
            if not lane.unacknowledged:
                topic.part(lane)
                if lane.waiting:
                    topic.line_up(lane)
        self._go_on(left)
        self._serve(consumer)
        self._tell_if_idle()

    def reject(self, consumer: Consumer, message_ids: Collection[int], *, tried: bool) -> None:
        """Let messages wait again, each with those of its lane behind it that the consumer has.

        Args:
            consumer: Who has them; what it does not have is ignored.
            message_ids: Which.
            tried: Whether that was a try for these; it is none for those behind them.
        """
        self._give_back(consumer, message_ids, tried=tried)
        self._serve(consumer)

    # The end.

    def call_when_idle(self, callback: Callable[[], None]) -> None:
        """Call back once when no consumer has anything unacknowledged; at once if that is so.

        Then nothing waits either, unless nobody is there for it.
        """
        self._when_idle = callback
        self._tell_if_idle()

    def give_up(self) -> int:
        """Drop everything because the process stops, and return how much that is."""
        self.unacknowledged = 0
        return sum(topic.clear() for topic in self._topics.values())

    # Private: topics.

    def _topic(self, name: str) -> Topic:
        """Return a topic, made if it does not exist."""
        topic = self._topics.get(name)
        if topic is None:
            self.check_topics((name,))
            topic = self._topics[name] = Topic(name, self._limits)
        return topic

    def _forget_if_over(self, topic: Topic) -> None:
        if topic.is_over_with:
            self._topics.pop(topic.name, None)

    def _make_room(self, topic: Topic, left: int) -> None:
        """Tell as many that there is room as messages have left, and all if nothing is left."""
        waiters = topic.full
        while waiters and not topic.is_full and (left > 0 or topic.is_empty):
            if waiters.popleft()() is not False:
                left -= 1
        self._forget_if_over(topic)

    # Private: messages go to consumers.

    def _enter(self, topic: Topic, message: Delivery) -> None:
        """Take a message, and send it if that can be."""
        lane = topic.add(message)
        if lane is None:
            return  # something of its lane waits already
        owner = lane.owner
        if owner is None:
            topic.line_up(lane)
            self._offer(topic)
        else:
            owner.line_up(lane)
            self._serve(owner.consumer)

    def _offer(self, topic: Topic) -> None:
        """Give what waits for any consumer to those who are idle, in turn."""
        line, idle = topic.line, topic.idle
        busy: list[Consumer] = []
        while line and idle:
            subscription = next(iter(idle))
            consumer = subscription.consumer
            if not consumer.has_room:
                subscription.fall_due()
                continue
            idle.move_to_end(subscription)
            lane = line.popitem(last=False)[0]
            self._send(subscription, lane)
            if lane.waiting:
                busy.append(consumer)
        for consumer in busy:  # last, so that others were given what these might take as well
            self._serve(consumer)

    def _serve(self, consumer: Consumer) -> None:
        """Send a consumer what there is for it, its topics in turn, as far as it has room."""
        due = consumer.due
        while due and consumer.has_room:
            subscription = next(iter(due))
            lane = subscription.next_lane()
            if lane is None:
                subscription.be_idle()
            else:
                due.move_to_end(subscription)
                self._send(subscription, lane)

    def _send(self, subscription: Subscription, lane: Lane) -> None:
        """Send the first message that waits in a lane, which stands in no line."""
        consumer, topic = subscription.consumer, subscription.topic
        message = lane.next()
        message_id = message.message_id
        lane.owner = subscription
        lane.unacknowledged[message_id] = message
        consumer.unacknowledged[message_id] = lane
        topic.unacknowledged += 1
        topic.counters.delivered += 1
        self.unacknowledged += 1
        if message.sent_size:
            topic.counters.redelivered += 1
        if lane.waiting:
            subscription.line_up(lane)
        message.sent_size = size = consumer.sink.deliver(message)
        consumer.unacknowledged_size += size

    # Private: messages come back.

    def _take(self, consumer: Consumer, lane: Lane, message_id: int) -> Delivery:
        """Take a message from a consumer."""
        message = lane.unacknowledged.pop(message_id)
        del consumer.unacknowledged[message_id]
        consumer.unacknowledged_size -= message.sent_size
        lane.topic.unacknowledged -= 1
        self.unacknowledged -= 1
        return message

    def _give_back(self, consumer: Consumer, message_ids: Collection[int], *, tried: bool) -> None:
        """Let messages wait again, with those behind them; move those that were tried too often."""
        counted = frozenset(message_ids) if tried else frozenset[int]()
        freed: dict[Topic, dict[Lane, None]] = {}
        dead: list[Delivery] = []
        for message_id in message_ids:
            lane = consumer.unacknowledged.get(message_id)
            if lane is None:
                continue
            lanes = freed.setdefault(lane.topic, {})
            dead += self._take_back(consumer, lane, message_id, counted)
            if not lane.unacknowledged:
                lanes[lane] = None
        for topic, lanes in freed.items():
            for lane in lanes:
                topic.part(lane)
            topic.line_up_first(lane for lane in lanes if lane.waiting)
        left = dict.fromkeys(freed, 0)
        for message in dead:
            topic = self._topics[message.topic]
            self._bury(topic, message)
            left[topic] += 1
        self._go_on(left)
        self._tell_if_idle()

    def _take_back(
        self, consumer: Consumer, lane: Lane, first_id: int, counted: Collection[int]
    ) -> list[Delivery]:
        """Let a message and those of its lane behind it wait again; return those that are dead."""
        again: list[Delivery] = []
        dead: list[Delivery] = []
        waited = bool(lane.waiting)
        for message_id in [each for each in lane.unacknowledged if each >= first_id]:
            message = self._take(consumer, lane, message_id)
            if message_id in counted:
                message.tries += 1
            is_dead = message.tries > self._limits.tries and not lane.topic.is_dead
            (dead if is_dead else again).append(message)
        lane.put_back(again)
        if lane.owner is not None and again and not waited:
            lane.owner.line_up(lane)
        return dead

    def _bury(self, topic: Topic, message: Delivery) -> None:
        """Move a message that nobody deals with to the dead ones."""
        name = DEAD + topic.name
        topic.remove(message)
        try:
            dead = self._topic(name)
        except TooManyTopics as error:
            logger.warning("a message that was tried too often is dropped: %s", error)
            topic.counters.dropped += 1
            return
        if not topic.counters.dead:
            logger.warning(
                "a message on %r was given to %d consumers and none has acknowledged it; it, and those"
                " like it, go to %r",
                topic.name,
                message.tries - 1,
                name,
            )
        topic.counters.dead += 1
        self._last_id += 1
        moved = Delivery(
            self._last_id,
            name,
            message.connection,
            message.packed,
            uid=message.uid,
            pushed_at=message.pushed_at,
        )
        self._enter(dead, moved)
        while dead.is_over and dead.drop_oldest():
            if dead.counters.dropped == 1:
                logger.warning("%r is full: its oldest messages are dropped", name)

    def _go_on(self, left: Mapping[Topic, int]) -> None:
        """Send what can be sent of topics that have changed, and say where there is room."""
        for topic in left:
            self._offer(topic)
        for topic, count in left.items():
            self._make_room(topic, count)

    def _tell_if_idle(self) -> None:
        if self._when_idle is not None and not self.unacknowledged:
            callback, self._when_idle = self._when_idle, None
            callback()
