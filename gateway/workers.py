"""The workers that take events of this process, and which of them gets the next client.

Pure: a worker is a record, its sink is whatever can be given events, time is an argument. What is
on its way to a worker is counted by :mod:`gateway.dispatch`; here is only where the numbers lie.
"""

from __future__ import annotations

import random
from collections import deque
from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from gateway_wire.limits import NODE_SILENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from gateway.holding import Lane
    from gateway.sink import EventSink

__all__ = ["Routing", "Worker", "choose"]


class Routing(Enum):
    """How a worker is chosen for a client's first event; it then stays with that one."""

    LEAST_CONNECTIONS = "least-connections"
    """The one that has the fewest clients of this process."""
    RANDOM = "random"
    """Any of them."""


class Worker:
    """One worker process, as it takes events on one link.

    Attributes:
        name: Name of its instance.
        number: Number of the process in it.
        link: By which it is known, for whatever comes from it comes on that.
        sink: Where its events go.
        takes: Whether it is given clients and events; False from the moment it wants to leave or its
            link is found closed, and for good.
        clients: Clients that are bound to it.
        unacked: Its unfinished events by id, as they were sent: lane, size, and when it happened.
        unacked_bytes: Their size.
        line: Lanes that have something for it and credit of their own, in the order of their turns.
        left: Called when it has nothing unfinished any more, if it wants to leave.
    """

    __slots__ = (
        "clients",
        "left",
        "line",
        "link",
        "name",
        "number",
        "sink",
        "takes",
        "unacked",
        "unacked_bytes",
    )

    def __init__(self, name: str, number: int, link: Hashable, sink: EventSink) -> None:
        """Make the record of a worker that has nothing yet."""
        self.name = name
        self.number = number
        self.link = link
        self.sink = sink
        self.takes = True
        self.clients = 0
        self.unacked: dict[int, tuple[Lane, int, float]] = {}
        self.unacked_bytes = 0
        self.line: deque[Lane] = deque()
        self.left: Callable[[], None] | None = None

    def since(self) -> Iterable[float]:
        """Give the times at which events happened that it has or that wait for room at it.

        What waits for credit of its client is left out: the client's unfinished events are older.
        """
        yield from (since for _, _, since in self.unacked.values())
        yield from (lane.first().since for lane in self.line)

    def __str__(self) -> str:
        return f"{self.name}#{self.number}"

    def __repr__(self) -> str:
        leaving = "" if self.takes else " leaving"
        return f"<Worker {self}{leaving} {self.clients} clients, {len(self.unacked)} unfinished>"


_clients: Final = attrgetter("clients")


def choose(workers: Iterable[Worker], routing: Routing, now: float) -> Worker | None:
    """Choose the worker for a client's next events, None if there is none.

    One that has not been heard for `NODE_SILENCE` is frozen or cut off: it is chosen only if all are.

    Args:
        workers: All of this process.
        routing: How to choose.
        now: The loop's time.
    """
    taking = [each for each in workers if each.takes]
    heard = [each for each in taking if now - each.sink.last_heard < NODE_SILENCE]
    candidates = heard or taking
    if not candidates:
        return None
    if routing is Routing.RANDOM:
        return random.choice(candidates)  # noqa: S311 - spreads load
    return min(candidates, key=_clients)
