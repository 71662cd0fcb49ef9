"""What CONNMIX's API has of the gateway process that it runs in, and what it has counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.queues.queues import Queues

__all__ = ["ConnmixPart"]


@dataclass(slots=True, kw_only=True)
class ConnmixPart:
    """The process as the API sees it, and the API as metrics see it.

    Attributes:
        queues: Where messages are popped from.
        node_id: Gives the id under which the registers list this gateway.
        connections: Websockets of the API that are open.
        requests: Requests by the method's present name; those without one that exists are not here.
        errors: Requests answered with an error, by its number.
        events: Messages of queues that were written.
        unwritable: Those that JSON cannot carry; each is dropped and logged.
    """

    queues: Queues
    node_id: Callable[[], str]
    connections: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    events: int = 0
    unwritable: int = 0
