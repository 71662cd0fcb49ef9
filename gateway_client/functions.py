"""What callers give as functions, checked before anything is dialled.

Pure. A function of the wrong kind would be called in vain: an `async def` one that nobody awaits does nothing, and its
message would be acknowledged.
"""

from __future__ import annotations

import inspect

__all__ = ["check_handler", "is_async"]


def is_async(function: object) -> bool:
    """Tell whether it is an `async def` function, or an object or partial that stands for one."""
    call = type(function).__call__
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def check_handler(handler: object, *, awaited: bool) -> None:
    """Check what is given to `consume_with`.

    Args:
        handler: It.
        awaited: Whether it must be `async def`; else it must not.

    Raises:
        TypeError: If it cannot be called, or is of the other kind.
    """
    if not callable(handler):
        raise TypeError(f"the handler is {handler!r:.80}: give a function that takes a message")
    if awaited and not is_async(handler):
        raise TypeError("the handler is not async def: make it so, or use Gateway.consume_with")
    if not awaited and is_async(handler):
        raise TypeError("the handler is async def: use AsyncGateway.consume_with, or give a def")
