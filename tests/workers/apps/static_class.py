"""Answers from a class whose handlers take no `self`."""

import os

from gateway_client import Gateway


class Events:
    """Called on the class itself."""

    def on_message(client_id: str, message: str | bytes) -> None:  # type: ignore[misc]  # noqa: N805
        """Send it back with the process that had it."""
        Gateway.send_to_current_client(f"{message!s} from {os.getpid()}")
