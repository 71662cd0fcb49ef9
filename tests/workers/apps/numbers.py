"""Answers numbered messages with the process that had them, and counts them in the session."""

import asyncio
import os
import time
from typing import Final

from businessworker import session
from gateway_client import AsyncGateway, Gateway

WAIT: Final = 0.005
"""Seconds that a handler takes that waits: so that some are always under way."""
ME: Final = os.getpid()


def on_connect(client_id: str) -> None:
    """Begin to count; a second time it would spoil the count."""
    session["count"] = 0


async def on_message(client_id: str, message: str) -> None:
    """Send the number back, with the process and how many there were before; wait if told so."""
    answer, waits = _count(message)
    if waits:
        await asyncio.sleep(WAIT)
    await AsyncGateway.send_to_current_client(answer)


class Blocking:
    """The same on threads."""

    def on_connect(self, client_id: str) -> None:
        """Begin to count."""
        session["count"] = 0

    def on_message(self, client_id: str, message: str) -> None:
        """Block a thread if told to wait."""
        answer, waits = _count(message)
        if waits:
            time.sleep(WAIT)
        Gateway.send_to_current_client(answer)


def _count(message: str) -> tuple[str, bool]:
    before = session["count"]
    session["count"] = before + 1
    number, _, more = message.partition(" ")
    return f"{number} {ME} {before}", more == "wait"
