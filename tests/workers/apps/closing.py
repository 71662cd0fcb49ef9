"""Tells of the ends of connections, and answers everything else."""

from typing import Any

from gateway_client import AsyncGateway
from tests.support.workers import note


async def on_message(client_id: str, message: str) -> None:
    """Send it back."""
    await AsyncGateway.send_to_current_client(message)


async def on_close(client_id: str, reason: Any) -> None:
    """Note it."""
    note("on_close", client_id=client_id, code=reason.code, name=reason.name)
