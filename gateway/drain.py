"""Letting browsers go, with 1012 and spread over time, and letting what they did be finished.

Thousands of browsers that are closed in one moment come back in one moment, to whatever is left of
the cluster. So they are closed at an even pace over the drain time; few of them go at once. That
they are gone is an event for the workers, which then get time to finish what they have, and so do
those who consume messages from queues.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.clients import Clients
    from gateway.hub import Hub

__all__ = ["Unfinished", "close_all", "finish"]

logger = logging.getLogger("gateway")

TICK: Final = 0.05
"""Seconds between two batches of closes."""
LEAST_PER_TICK: Final = 50
"""Browsers closed per batch at the least: a thousand a second is no storm for anyone."""


async def close_all(hub: Hub, clients: Clients, seconds: float) -> None:
    """Close every connection with 1012, at an even pace; from now on newcomers at once.

    Those that nobody has let in yet are newcomers.

    Args:
        hub: Who is connected.
        clients: Who closes.
        seconds: Over which time; 0 for at once.
    """
    clients.stopping = True
    for connection in tuple(clients.pending):
        clients.send_away(connection)
    ticks = max(1, math.ceil(seconds / TICK))
    per_tick = max(LEAST_PER_TICK, math.ceil(len(hub.connections) / ticks))
    if seconds == 0:
        per_tick = max(1, len(hub.connections))
    while hub.connections:
        for connection in tuple(islice(hub.connections.values(), per_tick)):
            clients.send_away(connection)
        if hub.connections:
            await asyncio.sleep(TICK)


class Unfinished(Protocol):
    """Who gave something to others that they have not finished."""

    def call_when_idle(self, callback: Callable[[], None]) -> None:
        """Call back once when everything is finished that somebody has; at once if that is so."""

    def give_up(self) -> int:
        """Drop the rest, and return how much that is."""


async def finish(what: str, unfinished: Unfinished, deadline: float) -> None:
    """Wait until everything is finished that somebody has, and count the rest as lost.

    What waits while nobody is there for it is not waited for: who stops a whole cluster should not wait
    for a worker that will not come.

    Args:
        what: What it is, for the log.
        unfinished: Whose it is.
        deadline: The loop's time until which to wait.
    """
    finished = asyncio.get_running_loop().create_future()
    unfinished.call_when_idle(lambda: finished.set_result(None))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(deadline):
            # Shielded: it may still be told that it is finished after the time is over.
            await asyncio.shield(finished)
    lost = unfinished.give_up()
    if lost:
        logger.warning("%d %s were not finished in time; they are lost", lost, what)
