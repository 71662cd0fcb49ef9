"""Answers numbered messages with the process that had them, and counts them in the session."""

import asyncio
import os
from typing import Final

from businessworker import session
from gateway_client import AsyncGateway

WAIT: Final = 0.005
"""Seconds that a handler takes that waits: so that some are always under way."""
ME: Final = os.getpid()


async def on_message(client_id: str, message: str) -> None:
    """Send the number back, with the process and how many there were before; wait if told so."""
    count = session.get("count", 0)
    session["count"] = count + 1
    number, _, more = message.partition(" ")
    if more == "wait":
        await asyncio.sleep(WAIT)
    await AsyncGateway.send_to_current_client(f"{number} {ME} {count}")
