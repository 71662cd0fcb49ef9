"""Writes the session for each message, and stands still between reading and writing if told so."""

import asyncio
from typing import Final

from businessworker import session
from gateway_client import AsyncGateway
from tests.support.workers import note, stand_still

KEYS: Final = 100


async def on_message(client_id: str, message: str) -> None:
    """Count in one key, write the number into one of many, and see that others' writes never go back."""
    word, _, rest = message.partition(" ")
    if word == "hold":
        await _write_late(rest)
    elif word == "show":
        await AsyncGateway.send_to_current_client(session.copy())
    else:
        number = int(word)
        session["count"] = session.get("count", 0) + 1
        session[f"handler {number % KEYS}"] = number
        other = session.get("other", -1)
        seen = session.get("other seen", -1)
        session["back"] = session.get("back", 0) + (other < seen)
        session["on"] = session.get("on", 0) + (other > seen)
        session["other seen"] = other


async def _write_late(latch: str) -> None:
    before = session.get("key")
    note("holding", key=before)
    await asyncio.to_thread(stand_still, latch)
    assert session.get("key") == before
    session["key"] = "the handler's"
    await AsyncGateway.send_to_current_client(session.copy())
