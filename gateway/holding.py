"""What one client has on its way to a worker: its lane, which exists while there is anything.

A lane counts the client's unfinished events and keeps those that cannot be sent yet, in order. Pure
bookkeeping, here and in the counters of all events: when something may be sent, and what becomes of it
otherwise, :mod:`gateway.dispatch` decides.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from gateway_wire.frames import encode_frame
from gateway_wire.limits import EVENT_CREDIT

if TYPE_CHECKING:
    from gateway.connection import Connection
    from gateway_wire.commands import ClientClosed, ClientConnected, ClientMessage

__all__ = [
    "CLIENT_CREDIT_BYTES",
    "EVENT_OVERHEAD",
    "HOLD_BYTES",
    "HOLD_TIME",
    "Event",
    "EventCounters",
    "HeldEvent",
    "Lane",
    "Loss",
    "size_of",
]

HOLD_TIME: Final = 5.0
"""Seconds that an event waits for a worker when none is there: a worker that is restarted, or started
again after a crash, is back within it, and nobody is glad of an answer that comes later."""

HOLD_BYTES: Final = 64 * 1024
"""Bytes of events that wait for one client while no worker is there: some hundred small messages, so
that a thousand busy browsers cost 64 MB at the most."""

CLIENT_CREDIT_BYTES: Final = 1024 * 1024
"""Bytes of one client's events that may be unfinished; one event may pass it. An eighth of what a link
may have, so that one client with large messages for a slow handler does not hold up all others. Its
events are handled one after another anyway, so it loses nothing but round trips."""

EVENT_OVERHEAD: Final = 256
"""Bytes that an event counts beside its frame: about what Python keeps for it, so that a flood of
empty messages is bounded too."""


class Loss(Enum):
    """Why an event was lost; the closed catalogue, and the label in the metrics."""

    WORKER_LOST = "worker_lost"
    """The link of the worker that had it ended before it was acknowledged: it may have been handled."""
    NO_WORKER = "no_worker"
    """No worker came within `HOLD_TIME`."""
    HOLD_FULL = "hold_full"
    """No worker was there, and `HOLD_BYTES` of the client waited already."""
    STOPPING = "stopping"
    """The gateway stopped before it was finished."""


Event: TypeAlias = "ClientConnected | ClientMessage | ClientClosed"
"""What a client did, as a worker is told; its `event_id` is set when it is sent."""


def size_of(event: Event) -> int:
    """Return what an event counts while it waits: its size in our protocol, whatever its worker speaks."""
    return len(encode_frame(event)) + EVENT_OVERHEAD


class HeldEvent(NamedTuple):
    """An event that waits; its id is set when it is sent.

    Attributes:
        event: The command that tells a worker.
        size: What it counts, in bytes.
        since: When it happened, in the loop's time.
    """

    event: Event
    size: int
    since: float


@dataclass(slots=True)
class EventCounters:
    """What became of events, as plain numbers that a collector reads.

    Attributes:
        entered: Events that were for workers.
        dispatched: Those that were sent to one.
        acknowledged: Those that one has finished.
        lost: Those that none has finished and none will, by reason.
        unknown: Acknowledgements of events that the worker did not have; its bug.
    """

    entered: int = 0
    dispatched: int = 0
    acknowledged: int = 0
    lost: Counter[Loss] = field(default_factory=Counter)
    unknown: int = 0


class Lane:
    """One client's unfinished and waiting events.

    Attributes:
        connection: The client.
        unacked: Events that its worker has and has not acknowledged.
        unacked_bytes: Their size.
        held: Events that wait, oldest first; None if there never was one.
        held_bytes: Their size.
        paused: Whether the client is not read from because of them.
        in_line: Whether the lane stands in its worker's line.
        ended: Whether the client's last event is among them.
    """

    __slots__ = (
        "connection",
        "ended",
        "held",
        "held_bytes",
        "in_line",
        "paused",
        "unacked",
        "unacked_bytes",
    )

    def __init__(self, connection: Connection) -> None:
        """Make the lane of a client that has nothing yet."""
        self.connection = connection
        self.unacked = 0
        self.unacked_bytes = 0
        self.held: deque[HeldEvent] | None = None
        self.held_bytes = 0
        self.paused = False
        self.in_line = False
        self.ended = False

    def __repr__(self) -> str:
        waiting = len(self.held or ())
        return f"<Lane {self.connection.client_id} {self.unacked} unfinished, {waiting} waiting>"

    @property
    def has_credit(self) -> bool:
        """Whether the client may have one more unfinished event."""
        return self.unacked < EVENT_CREDIT and self.unacked_bytes < CLIENT_CREDIT_BYTES

    def hold(self, event: HeldEvent) -> None:
        """Keep an event behind those that wait."""
        if self.held is None:
            self.held = deque()
        self.held.append(event)
        self.held_bytes += event.size

    def first(self) -> HeldEvent:
        """Return the event that waits longest; there must be one."""
        if not self.held:
            raise AssertionError(f"{self!r} has nothing that waits")
        return self.held[0]

    def drop_first(self) -> None:
        """Forget the event that waits longest: it is sent, or lost."""
        if self.held:
            self.held_bytes -= self.held.popleft().size
