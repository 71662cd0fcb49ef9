"""What a worker keeps of each gateway and of each of its clients.

There may be a hundred thousand lanes, most of them idle: an idle one is a single small object, without a
queue, a task or a lock. All of this belongs to the event loop's thread.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING

from businessworker.sessions import NO_SESSION
from gateway_wire.commands import ClientClosed, ClientConnected, ClientMessage

if TYPE_CHECKING:
    from businessworker.source import Source
    from gateway_wire.commands import ClientAssigned

__all__ = ["Event", "Feed", "Lane"]

Event = ClientConnected | ClientMessage | ClientClosed
"""What a client can do."""


class Feed:
    """One gateway: its clients, and what it is to be told.

    Attributes:
        source: The gateway.
        lanes: Its clients by id.
        finished: Events to acknowledge at the end of this turn of the loop.
        is_over: Whether no event of it begins any more.
        is_lost: Whether its link is gone, so that nothing reaches it any more.
    """

    __slots__ = ("finished", "is_lost", "is_over", "lanes", "source")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lanes: dict[str, Lane] = {}
        self.finished: list[int] = []
        self.is_over = self.is_lost = False

    def __repr__(self) -> str:
        state = ", lost" if self.is_lost else ""
        return f"<Feed of {self.source.name} with {len(self.lanes)} clients{state}>"


class Lane:
    """One client: its events run one after another.

    Attributes:
        client_id: The client.
        feed: The gateway that holds it.
        remote_addr, remote_port, listener: Where it came from and which listener took it.
        session: The copy of its session.
        event: The event that is being handled, None if there is none.
        since: When that event arrived.
        queue: Events behind it, each with its time of arrival; None if there were none of late.
    """

    __slots__ = (
        "client_id",
        "event",
        "feed",
        "listener",
        "queue",
        "remote_addr",
        "remote_port",
        "session",
        "since",
    )

    def __init__(self, feed: Feed, assigned: ClientAssigned) -> None:
        self.client_id = assigned.client_id
        self.feed = feed
        self.remote_addr = assigned.remote_addr
        self.remote_port = assigned.remote_port
        self.listener = sys.intern(assigned.listener)  # one text for all of its clients
        self.session = NO_SESSION.renewed(assigned.session)
        self.event: Event | None = None
        self.since = 0.0
        self.queue: deque[tuple[Event, float]] | None = None

    def __repr__(self) -> str:
        what = type(self.event).__name__ if self.event else "idle"
        return f"<Lane {self.client_id}: {what}, {len(self.queue or ())} more>"

    @property
    def oldest(self) -> float:
        """When the oldest unfinished event arrived; asked only while there is one."""
        return self.queue[0][1] if self.event is None and self.queue else self.since

    def add(self, event: Event, now: float) -> None:
        """Put an event behind those that are there."""
        if self.queue is None:
            self.queue = deque()
        self.queue.append((event, now))

    def advance(self) -> Event | None:
        """Let the next event take the place of the one that is done."""
        if self.queue:
            self.event, self.since = self.queue.popleft()
        else:
            self.event = self.queue = None
        return self.event

    def drop(self) -> int:
        """Forget the events that have not had their turn; return how many they were."""
        count = len(self.queue or ())
        self.queue = None
        return count
