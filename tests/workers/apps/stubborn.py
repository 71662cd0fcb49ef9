"""Handlers that do not end, and handlers that hold up the loop, until the test lets them go."""

import asyncio
from typing import Any

from gateway_client import AsyncGateway, Gateway
from tests.support.workers import note, stand_still


async def on_message(client_id: str, message: str) -> None:
    """Do what the first word says."""
    word, _, latch = message.partition(" ")
    note(word)
    if word == "block":
        stand_still(latch)
    elif word == "wait":
        await asyncio.Event().wait()
    elif word == "refuse":
        await _refuse_to_end()
    await AsyncGateway.send_to_current_client(message)


async def _refuse_to_end() -> None:
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            note("cancelled")


class Blocking:
    """The same on threads."""

    def on_message(self, client_id: str, message: str) -> None:
        """Stand still at the latch that stands behind the first word, if one does, and answer."""
        word, _, latch = message.partition(" ")
        note(word)
        if latch:
            stand_still(latch)
        Gateway.send_to_current_client(message)

    def on_worker_stop(self, worker: Any) -> None:
        """Note it."""
        note("on_worker_stop", name=worker.name, id=worker.id)
