"""What the business worker of the bench does: it answers every message with itself."""

from __future__ import annotations

from gatewayworker import AsyncGateway, Gateway

__all__ = ["Coroutines", "Threads"]


class Coroutines:
    """The handler as `async def`: it runs on the loop."""

    async def on_message(self, client_id: str, message: str) -> None:  # noqa: ARG002 - its form
        """Answer."""
        await AsyncGateway.send_to_current_client(message)


class Threads:
    """The handler as `def`: it runs on the thread pool."""

    def on_message(self, client_id: str, message: str) -> None:  # noqa: ARG002 - its form
        """Answer."""
        Gateway.send_to_current_client(message)
