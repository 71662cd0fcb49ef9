"""Slow for whoever says so: `async def` here, `def` in `Blocking`."""

import asyncio
import time
from typing import Final

from gateway_client import AsyncGateway, Gateway

SLOW: Final = 0.05
"""Seconds."""


async def on_message(client_id: str, message: str) -> None:
    """Take time without holding up anybody, or answer at once."""
    if message.startswith("slow"):
        await asyncio.sleep(SLOW)
    else:
        await AsyncGateway.send_to_current_client(message)


class Blocking:
    """The same on threads."""

    def on_message(self, client_id: str, message: str) -> None:
        """Block a thread, or answer at once."""
        if message.startswith("slow"):
            time.sleep(SLOW)
        else:
            Gateway.send_to_current_client(message)
