"""What CONNMIX's API has of the gateway process that it runs in, and what it has counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.queues.queues import Queues

__all__ = ["HEARTBEAT", "WRITE_TIMEOUT", "ConnmixPart"]

HEARTBEAT: Final = 30.0
"""
Seconds without an event after which a consumer is pinged; if nothing is heard until the next ping it is gone.

So it is cut after 60 s of silence, as CONNMIX cuts it, but for those that answer pings.
"""

WRITE_TIMEOUT: Final = 60.0
"""Seconds in which a client must take a frame, CONNMIX's time for a write; until then the messages that are
meant for it wait, and then others get them."""


@dataclass(slots=True, kw_only=True)
class ConnmixPart:
    """The process as the API sees it, and the API as metrics see it.

    Attributes:
        queues: Where messages are popped from.
        node_id: Gives the id under which the registers list this gateway.
        heartbeat: See :data:`HEARTBEAT`.
        write_timeout: See :data:`WRITE_TIMEOUT`.
        connections: Websockets of the API that are open.
        requests: Requests by the method's present name; those without one that exists are not here.
        errors: Requests answered with an error, by its number.
        events: Messages of queues that were written.
        unwritable: Those that JSON cannot carry; each is dropped, and the first of a topic logged.
    """

    queues: Queues
    node_id: Callable[[], str]
    heartbeat: float = HEARTBEAT
    write_timeout: float = WRITE_TIMEOUT
    connections: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    events: int = 0
    unwritable: int = 0
