"""What can be seen of a function of the application before it is called.

Partial objects, objects with `__call__`, decorators that use `functools.wraps` and what is marked as a
coroutine function are looked through.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["generates", "is_async", "takes"]


def is_async(function: object) -> bool:
    """Tell whether calling it gives something to await."""
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
