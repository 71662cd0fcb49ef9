"""How a facade gets its methods: one line each, everything else comes from `calls`.

A facade lists `name = blocking(calls.name)`. What that makes behaves like a method written by hand:
`help()`, `inspect.signature` and type checkers see the signature and docstring of the function in
`calls`, with the result that this facade gives. It works on the class as well as on an instance,
which is what the class-level `Gateway` and `AsyncGateway` are.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

__all__ = ["ClassProperty", "Method", "described", "method_of"]

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Method(Generic[P, R_co]):
    """A method on an instance and, for class-level facades, on the class itself; also as a decorator."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[Concatenate[Any, P], R_co]) -> None:
        self.function = function

    def __get__(self, instance: object, owner: type) -> Callable[P, R_co]:
        return MethodType(self.function, owner if instance is None else instance)

    @property
    def __wrapped__(self) -> Callable[Concatenate[Any, P], R_co]:
        """The function, for `inspect` and `pydoc`, which look for it here."""
        return self.function


class ClassProperty(Generic[R_co]):
    """A value that a class-level facade has as its instances would: read from the class itself."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[Any], R_co]) -> None:
        self._read = read

    def __get__(self, instance: object, owner: type) -> R_co:
        return self._read(owner)


def method_of(
    build: Callable[P, Any], function: Callable[..., R_co], returns: str
) -> Method[P, R_co]:
    """Make a method of `function`, which takes the facade and the arguments of `build`.

    Args:
        build: The function in `calls`, whose name, docstring and parameters it gets.
        function: What is run.
        returns: The template of the result in the signature; `{}` stands for the call's result.
    """
    return Method(described(build, function, returns))


def described(
    build: Callable[..., Any], function: Callable[..., R], returns: str
) -> Callable[..., R]:
    """Make `function` look like a method written by hand; arguments as for `method_of`.

    As it is it is a method of instances only, which Python calls faster.

    Args:
        build: The function in `calls`, whose name, docstring and parameters it gets.
        function: What is run.
        returns: The template of the result in the signature; `{}` stands for the call's result.
    """
    signature = inspect.signature(build)
    result = str(signature.return_annotation).removeprefix("Call[").removesuffix("]")
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    functools.update_wrapper(function, build)
    del function.__wrapped__  # type: ignore[attr-defined]
    function.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[me, *signature.parameters.values()],
        return_annotation=returns.format(result),
    )
    return function
