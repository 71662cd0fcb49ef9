"""Letting browsers go: closing them with 1012, spread over time.

Thousands of browsers that are closed in one moment come back in one moment, to whatever is left of
the cluster. So they are closed at an even pace over the drain time; few of them go at once.
"""

from __future__ import annotations

import asyncio
import math
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.clients import Clients
    from gateway.hub import Hub

__all__ = ["close_all"]

TICK: Final = 0.05
"""Seconds between two batches of closes."""
LEAST_PER_TICK: Final = 50
"""Browsers closed per batch at the least: a thousand a second is no storm for anyone."""


async def close_all(hub: Hub, clients: Clients, seconds: float) -> None:
    """Close every connection with 1012, at an even pace; from now on newcomers at once.

    Args:
        hub: Who is connected.
        clients: Who closes.
        seconds: Over which time; 0 for at once.
    """
    clients.stopping = True
    ticks = max(1, math.ceil(seconds / TICK))
    per_tick = max(LEAST_PER_TICK, math.ceil(len(hub.connections) / ticks))
    if seconds == 0:
        per_tick = max(1, len(hub.connections))
    while hub.connections:
        for connection in tuple(islice(hub.connections.values(), per_tick)):
            clients.send_away(connection)
        if hub.connections:
            await asyncio.sleep(TICK)
