"""Answers each message with itself."""

from gateway_client import AsyncGateway


async def on_message(client_id: str, message: str | bytes) -> None:
    """Send it back."""
    await AsyncGateway.send_to_current_client(message)
