"""One topic: the messages that are in it, and the lanes that wait for their turns.

While something of it waits, a lane stands in one line: that of its owner's subscription if it has one, else that
of the topic, where any consumer with room takes it. Whoever lines up gets a ticket, so that a consumer, which
looks at two lines, serves lanes in the order in which they came.

Bookkeeping only: who moves what when is :mod:`gateway.queues.dispatch`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from gateway.queues.lane import Lane
from gateway.queues.limits import OVERFULL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.connection import Connection
    from gateway.queues.consumer import Subscription
    from gateway.queues.lane import Delivery
    from gateway.queues.limits import QueueLimits

__all__ = ["DEAD", "RoomCallback", "Topic", "TopicCounters"]

DEAD: Final = "dead:"
"""What the name of the topic begins with that keeps the messages which nobody has dealt with in time."""

RoomCallback: TypeAlias = "Callable[[], bool | None]"
"""Told that there is room; False if it makes no use of it, so that the next is told."""


@dataclass(slots=True)
class TopicCounters:
    """What became of a topic's messages, as plain numbers that a collector reads.

    Attributes:
        pushed: Messages that were put on it.
        delivered: Times that one was sent to a consumer.
        redelivered: Those of them that were not the first of their message.
        acknowledged: Messages that a consumer has dealt with.
        dead: Those that were moved to the topic of dead ones.
        dropped: Those that were given up: the oldest dead ones for want of room, and the rest at the end.
    """

    pushed: int = 0
    delivered: int = 0
    redelivered: int = 0
    acknowledged: int = 0
    dead: int = 0
    dropped: int = 0


class Topic:
    """The queue of one topic.

    At any time `pushed == acknowledged + dead + dropped + waiting + unacknowledged`.

    Attributes:
        name: Its name.
        limits: What bounds it.
        kept: Whether it stays when nothing is in it and nobody consumes it.
        counters: What became of its messages.
        size: Bytes of what is in it.
        unacknowledged: Messages that consumers have.
        consumers: Those that consume it.
        lanes: What is in it, by client.
        line: Lanes that wait for any consumer, in the order of their turns.
        idle: Subscriptions that are given whatever comes, while their consumer has room.
        full: Who is to be told when there is room, in the order of asking.
    """

    __slots__ = (
        "_first_ticket",
        "_last_ticket",
        "_messages",
        "consumers",
        "counters",
        "full",
        "idle",
        "kept",
        "lanes",
        "limits",
        "line",
        "name",
        "size",
        "unacknowledged",
    )

    def __init__(self, name: str, limits: QueueLimits) -> None:
        """Make a topic that nothing is in."""
        self.name = name
        self.limits = limits
        self.kept = False
        self.counters = TopicCounters()
        self.size = 0
        self.unacknowledged = 0
        self.consumers = 0
        self.lanes: dict[Connection, Lane] = {}
        self.line: OrderedDict[Lane, None] = OrderedDict()
        self.idle: OrderedDict[Subscription, None] = OrderedDict()
        self.full: OrderedDict[RoomCallback, None] = OrderedDict()
        # All that is in it, in the order in which it came.
        self._messages: dict[int, Delivery] = {}
        self._first_ticket = self._last_ticket = 0

    def __repr__(self) -> str:
        return f"<Topic {self.name!r} {self.waiting} waiting, {self.unacknowledged} unacknowledged>"

    # What others read.

    @property
    def is_dead(self) -> bool:
        """Whether it is where dead messages go."""
        return self.name.startswith(DEAD)

    @property
    def is_full(self) -> bool:
        """Whether whoever sends more should wait."""
        return len(self._messages) >= self.limits.messages or self.size >= self.limits.size

    @property
    def is_overfull(self) -> bool:
        """Whether it has so much that nothing is taken any more of who cannot be made to wait."""
        limits = self.limits
        return (
            len(self._messages) >= OVERFULL * limits.messages or self.size >= OVERFULL * limits.size
        )

    @property
    def has_excess(self) -> bool:
        """Whether more is in it than should be: what was read already is taken."""
        return len(self._messages) > self.limits.messages or self.size > self.limits.size

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return not self._messages

    @property
    def is_unused(self) -> bool:
        """Whether nobody has anything to do with it any more."""
        return not (self.kept or self._messages or self.consumers or self.full)

    @property
    def waiting(self) -> int:
        """Messages that wait here."""
        return len(self._messages) - self.unacknowledged

    def age(self, now: float) -> float:
        """Return how many seconds ago that was sent which has been here longest, 0 for nothing."""
        for message in self._messages.values():
            return max(0.0, now - message.pushed_at)
        return 0.0

    def state(self, now: float) -> dict[str, int | float]:
        """Return how it is, as `ListQueues` answers."""
        counters = self.counters
        return {
            "waiting": self.waiting,
            "unacknowledged": self.unacknowledged,
            "bytes": self.size,
            "age": round(self.age(now), 3),
            "consumers": self.consumers,
            "paused": len(self.full),
            "pushed": counters.pushed,
            "delivered": counters.delivered,
            "redelivered": counters.redelivered,
            "acknowledged": counters.acknowledged,
            "dead": counters.dead,
            "dropped": counters.dropped,
        }

    # Messages come and go.

    def add(self, message: Delivery) -> Lane | None:
        """Take a message; it waits in its client's lane.

        Returns:
            The lane, if nothing else waits there, so that it stands in no line yet.
        """
        self._messages[message.message_id] = message
        self.size += message.size
        self.counters.pushed += 1
        lane = self.lanes.get(message.connection)
        if lane is None:
            lane = self.lanes[message.connection] = Lane(self, message.connection)
            self.size += lane.size
        waited = bool(lane.waiting)
        lane.add(message)
        return None if waited else lane

    def remove(self, message: Delivery) -> None:
        """Forget a message that is in no lane any more."""
        del self._messages[message.message_id]
        self.size -= message.size

    def drop_excess(self) -> int:
        """Give up what has waited longest until no more is in it than should be; return how much.

        What consumers have stays.
        """
        before = self.counters.dropped
        for message in tuple(self._messages.values()) if self.has_excess else ():
            lane = self.lanes[message.connection]
            if message.message_id in lane.unacknowledged:
                continue
            lane.next()  # it is the first there, too
            self.remove(message)
            self.counters.dropped += 1
            if not lane.waiting:
                self.leave_line(lane)
            if not self.has_excess:
                break
        return self.counters.dropped - before

    def clear(self) -> int:
        """Give up all that is in it, also what consumers have; return how much that was."""
        given_up = len(self._messages)
        self.counters.dropped += given_up
        for lane in self.lanes.values():
            if lane.owner is not None:
                lane.owner.line.clear()
                lane.owner.consumer.forget_all()
        self.size = self.unacknowledged = 0
        self._messages.clear()
        self.lanes.clear()
        self.line.clear()
        return given_up

    # Turns.

    def next_ticket(self) -> int:
        """Return the number of who lines up behind all others."""
        self._last_ticket += 1
        return self._last_ticket

    def line_up(self, lane: Lane) -> None:
        """Let a lane without owner wait for its turn."""
        lane.ticket = self.next_ticket()
        self.line[lane] = None

    def part(self, lane: Lane) -> None:
        """Part a lane from its owner, which has nothing of it any more."""
        self.leave_line(lane)
        lane.owner = None

    def leave_line(self, lane: Lane) -> None:
        """Let a lane stand in no line; forget it if nothing is in it."""
        line = self.line if lane.owner is None else lane.owner.line
        line.pop(lane, None)
        if not lane.waiting and not lane.unacknowledged:
            del self.lanes[lane.connection]
            self.size -= lane.size

    def line_up_first(self, lanes: Iterable[Lane]) -> None:
        """Let lanes without owner wait before all others."""
        for lane in reversed(tuple(lanes)):
            self._first_ticket -= 1
            lane.ticket = self._first_ticket
            self.line[lane] = None
            self.line.move_to_end(lane, last=False)
