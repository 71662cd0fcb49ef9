"""Letting browsers go, with 1012 and spread over time, and letting their last events be finished.

Thousands of browsers that are closed in one moment come back in one moment, to whatever is left of
the cluster. So they are closed at an even pace over the drain time; few of them go at once. That
they are gone is an event for the workers, which then get time to finish what they have.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.clients import Clients
    from gateway.hub import Hub
    from gateway.router import Router

__all__ = ["close_all", "finish_events"]

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


async def finish_events(router: Router, deadline: float) -> None:
    """Wait until every event is finished that a worker has, and count the rest as lost.

    What waits while no worker is there is not waited for: who stops a whole cluster should not wait for
    a worker that will not come.

    Args:
        router: Whose events.
        deadline: The loop's time until which to wait.
    """
    finished = asyncio.get_running_loop().create_future()
    router.call_when_idle(lambda: finished.set_result(None))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(deadline):
            # Shielded: it may still be told that it is finished after the time is over.
            await asyncio.shield(finished)
    lost = router.give_up()
    if lost:
        logger.warning("%d events were not finished in time; they are lost", lost)
