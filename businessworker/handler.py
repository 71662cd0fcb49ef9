"""A handler of the application: one function, how it is called, and how often it was.

Whether it is `async def` is found once, when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway_process.functions import is_async

__all__ = ["PARAMETERS", "Handler"]

PARAMETERS: Final[dict[str, tuple[str, ...]]] = {
    "on_worker_start": ("worker",),
    "on_connect": ("client_id",),
    "on_websocket_connect": ("client_id", "request"),
    "on_message": ("client_id", "message"),
    "on_close": ("client_id", "reason"),
    "on_worker_stop": ("worker",),
}
"""Every handler there is, and what it is called with."""


class Handler:
    """One function of the application.

    Args:
        name: Which handler it is.
        function: What is called.
        place: How logs name it, such as `on_message of myapp.events`.

    Attributes:
        is_async: Whether it runs on the loop; otherwise on a thread.
        handled: How often it has returned.
        failed: How often it has raised, or left a session that cannot be kept.
    """

    __slots__ = ("failed", "function", "handled", "is_async", "name", "place")

    def __init__(self, name: str, function: Callable[..., Any], place: str) -> None:
        self.name = name
        self.function = function
        self.place = place
        self.is_async = is_async(function)
        self.handled = 0
        self.failed = 0

    def __repr__(self) -> str:
        kind = "async def" if self.is_async else "def"
        return f"<Handler {self.place}, {kind}: {self.handled} handled, {self.failed} failed>"
