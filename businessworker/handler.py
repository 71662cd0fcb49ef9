"""A handler of the application: one function, how it is called, and how often it was.

Whether it is `async def` is found once, when it is loaded.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Final

__all__ = ["PARAMETERS", "Handler", "generates", "is_async", "takes"]

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


def is_async(function: object) -> bool:
    """Tell whether calling it gives something to await.

    Looked through are partial objects, objects with `__call__`, decorators that use `functools.wraps`
    and what is marked as a coroutine function.
    """
    return any(map(_is_marked, _layers(function)))


def takes(function: Callable[..., Any], count: int) -> bool:
    """Tell whether it can be called with so many positional arguments; True if nobody knows."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # written in C, without a signature
        return True
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def generates(function: object) -> bool:
    """Tell whether it has a `yield` in it, so that calling it runs nothing."""
    return any(
        inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each)
        for each in _layers(function)
    )


def _layers(function: object) -> list[object]:
    """Return the function and what it stands for, from the outside in."""
    layers = [function]
    while True:
        inner = _inner(layers[-1])
        if inner is None or inner in layers:
            return layers
        layers.append(inner)


def _inner(function: object) -> object:
    if isinstance(function, functools.partial):
        return function.func
    wrapped = getattr(function, "__wrapped__", None)
    if wrapped is not None:
        return wrapped
    if inspect.isroutine(function) or inspect.isclass(function):
        return None
    return getattr(function, "__call__", None)  # noqa: B004 - the method itself is looked at


def _is_marked(function: object) -> bool:
    # What `asyncio.iscoroutinefunction` looks for, which newer Pythons deprecate; asgiref sets it.
    return inspect.iscoroutinefunction(function) or hasattr(function, "_is_coroutine")
