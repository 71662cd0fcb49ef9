"""Moves messages from topics to consumers and back: what is sent, what waits again, what is dead.

Theory of operation. What one client has on a topic is a lane (:mod:`gateway.queues.topic`)::

    waits, nobody's     nothing of it is at a consumer: the next one with room takes its first message
    at a consumer       something of it is unacknowledged there: what comes is for that consumer alone,
                        and waits if that has no room or takes nothing more
    gone                everything is acknowledged

So the messages of a client on a topic are with one consumer at a time, in their order. What a consumer
gives back, or had when it went, waits again before all else of its lane, and the lane before all others.
A message that came back from `tries` consumers moves to the topic `dead:` and its old name, as a new
message there, whose oldest are dropped when that is full.

Between two calls of :class:`~gateway.queues.queues.Queues`, which alone uses this, no consumer has room
while something waits for it: whatever changes that, serves. Lanes take turns, one message a turn; so do
consumers with room, and the topics of a consumer. To push, to send and to acknowledge cost the same
however many clients, topics and consumers there are.

Everything is synchronous, and nothing is called while things are half done, but for `Sink.deliver`, which
must not call back. Only this module changes lanes and what consumers have.
"""

from __future__ import annotations

import logging
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from gateway.queues.lane import Delivery
from gateway.queues.limits import TooManyTopics
from gateway.queues.topic import DEAD, Topic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from gateway.connection import Connection
    from gateway.queues.consumer import Consumer, Subscription
    from gateway.queues.lane import Lane
    from gateway.queues.limits import QueueLimits

__all__ = ["Dispatch"]

logger = logging.getLogger("gateway")

_message_id: Final = attrgetter("message_id")


class Dispatch:
    """The messages of one gateway process that are on their way to consumers.

    Attributes:
        limits: What bounds the queues.
        topics: The topics that exist.
        unacknowledged: Messages that consumers have.
    """

    __slots__ = ("_last_id", "limits", "topics", "unacknowledged")

    def __init__(self, limits: QueueLimits) -> None:
        """Start without topics."""
        self.limits = limits
        self.topics: dict[str, Topic] = {}
        self.unacknowledged = 0
        # The id of the message that came last, on whichever topic.
        self._last_id = 0

    def __repr__(self) -> str:
        return f"<Dispatch {len(self.topics)} topics, {self.unacknowledged} unacknowledged>"

    # Topics come and go.

    def check_topics(self, names: Iterable[str]) -> None:
        """Check whether these topics exist or may be made.

        Raises:
            TooManyTopics: If there is no room for all of them.
        """
        new = [name for name in dict.fromkeys(names) if name not in self.topics]
        if new and len(self.topics) + len(new) > self.limits.topics:
            raise TooManyTopics(new[-1], self.limits.topics)

    def topic(self, name: str) -> Topic:
        """Return a topic, made if it does not exist.

        Raises:
            TooManyTopics: If there is no room for it.
        """
        topic = self.topics.get(name)
        if topic is None:
            self.check_topics((name,))
            topic = self.topics[name] = Topic(name, self.limits)
        return topic

    def forget_if_unused(self, topic: Topic) -> None:
        """Forget a topic that nobody has anything to do with any more.

        While dead messages of it are there it stays, for it says how many died.
        """
        if topic.is_unused:
            dead = self.topics.get(DEAD + topic.name)
            if dead is None or dead.is_empty:
                self.topics.pop(topic.name, None)
        if topic.is_dead and topic.is_empty:
            origin = self.topics.get(topic.name.removeprefix(DEAD))
            if origin is not None:
                self.forget_if_unused(origin)

    def make_room(self, topic: Topic, left: int) -> None:
        """Tell as many that there is room as messages have left, and all if nothing is left."""
        waiters = topic.full
        while waiters and not topic.is_full and (left > 0 or topic.is_empty):
            callback, _ = waiters.popitem(last=False)
            if callback() is not False:
                left -= 1
        self.forget_if_unused(topic)

    # Messages come, and go to consumers.

    def push(self, name: str, packed: bytes, connection: Connection, now: float) -> Topic:
        """Take a message of a client, and send it if that can be; return its topic.

        Raises:
            TooManyTopics: If there is no room for one more topic.
        """
        topic = self.topics.get(name) or self.topic(name)
        self._last_id += 1
        self._enter(topic, Delivery(self._last_id, name, connection, packed, now))
        return topic

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
            self.serve(owner.consumer)

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
            self.serve(consumer)

    def serve(self, consumer: Consumer) -> None:
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

    # Messages come back.

    def acknowledge(self, consumer: Consumer, message_ids: Iterable[int]) -> None:
        """Forget messages that a consumer has dealt with, and send what waited for that."""
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
        self.serve(consumer)

    def give_back(self, consumer: Consumer, message_ids: Collection[int], *, tried: bool) -> None:
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
        for message in sorted(dead, key=_message_id):
            topic = self.topics[message.topic]
            self._bury(topic, message)
            left[topic] += 1
        for topic in left:
            self._drop_excess(DEAD + topic.name)
        self._go_on(left)

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
            is_dead = message.tries > self.limits.tries and not lane.topic.is_dead
            (dead if is_dead else again).append(message)
        lane.put_back(again)
        if lane.owner is not None and again and not waited:
            lane.owner.line_up(lane)
        return dead

    def _take(self, consumer: Consumer, lane: Lane, message_id: int) -> Delivery:
        """Take a message from a consumer."""
        message = lane.unacknowledged.pop(message_id)
        del consumer.unacknowledged[message_id]
        consumer.unacknowledged_size -= message.sent_size
        lane.topic.unacknowledged -= 1
        self.unacknowledged -= 1
        return message

    def _bury(self, topic: Topic, message: Delivery) -> None:
        """Move a message that nobody deals with to the dead ones."""
        name = DEAD + topic.name
        topic.remove(message)
        try:
            dead = self.topic(name)
        except TooManyTopics as error:
            if not topic.counters.dropped:
                text = "a message on %r was tried too often, and such are dropped: %s"
                logger.warning(text, topic.name, error)
            topic.counters.dropped += 1
            return
        if not topic.counters.dead:
            text = "a message on %r was tried %d times and not acknowledged; such go to %r"
            logger.warning(text, topic.name, message.tries - 1, name)
        topic.counters.dead += 1
        self._last_id += 1
        message.begin_again(self._last_id, name)
        self._enter(dead, message)

    def _drop_excess(self, name: str) -> None:
        """Let the oldest make room where dead messages are too many: no client can be made to wait."""
        dead = self.topics.get(name)
        dropped = 0 if dead is None else dead.drop_excess()
        if dead is not None and 0 < dropped == dead.counters.dropped:
            logger.warning("%r is full: its oldest messages are dropped", name)

    def _go_on(self, left: Mapping[Topic, int]) -> None:
        """Send what can be sent of topics that have changed, and say where there is room."""
        for topic in left:
            self._offer(topic)
        for topic, count in left.items():
            self.make_room(topic, count)
