"""What is seen of a function before it is called, whatever stands around it."""

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from gateway_process.functions import generates, is_async, takes


async def asynchronous(client_id: str, message: str) -> None:
    """Be awaited."""


def plain(client_id: str, message: str) -> None:
    """Return at once."""


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate as most decorators do."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


class Callables:
    async def method(self, client_id: str, message: str) -> None: ...

    @staticmethod
    async def static(client_id: str, message: str) -> None: ...

    @classmethod
    async def of_class(cls, client_id: str, message: str) -> None: ...

    async def __call__(self, client_id: str, message: str) -> None: ...


class PlainCallable:
    def __call__(self, client_id: str, message: str) -> None: ...


@pytest.mark.parametrize(
    "function",
    [
        asynchronous,
        wrapped(asynchronous),
        wrapped(wrapped(asynchronous)),
        functools.partial(asynchronous, message="x"),
        functools.partial(functools.partial(wrapped(asynchronous), "a"), "b"),
        Callables().method,
        Callables.static,
        Callables.of_class,
        Callables(),
        functools.partial(Callables()),
        sync_to_async(plain),
    ],
)
def test_what_gives_something_to_await_runs_on_the_loop(function: Callable[..., Any]) -> None:
    """Partial objects, objects with `__call__`, decorators and asgiref's marks are looked through."""
    assert is_async(function)


@pytest.mark.parametrize(
    "function",
    [
        plain,
        wrapped(plain),
        functools.partial(plain),
        PlainCallable(),
        print,
        str,
        async_to_sync(asynchronous),
    ],
)
def test_everything_else_runs_on_a_thread(function: Callable[..., Any]) -> None:
    """Also what has an `async def` inside that it runs by itself."""
    assert not is_async(function)


def test_it_is_known_what_a_function_takes() -> None:
    """Defaults and `*args` count; what is written in C is believed."""
    assert takes(plain, 2)
    assert not takes(plain, 1)
    assert not takes(lambda a, *, key: None, 1)
    assert takes(lambda a, b=1: None, 1)
    assert takes(lambda *args: None, 5)
    assert takes(Callables().method, 2)
    assert takes(type, 99)


def test_a_yield_is_seen() -> None:
    """Generators of both kinds are."""

    def generator(client_id: str) -> Iterator[int]:
        yield 1

    async def agenerator(client_id: str) -> AsyncIterator[int]:
        yield 1

    assert generates(generator)
    assert generates(functools.partial(agenerator))
    assert generates(wrapped(generator))
    assert not generates(asynchronous)
