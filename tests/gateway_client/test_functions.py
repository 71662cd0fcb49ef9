"""What callers give as functions."""

from __future__ import annotations

import functools

import pytest

from gateway_client.functions import check_handler, is_async


async def _async(_: object, __: int = 1) -> None:
    """Do nothing."""


def _plain(_: object, __: int = 1) -> None:
    """Do nothing."""


class _Async:
    """A handler that is an object."""

    async def __call__(self, _: object) -> None:
        """Do nothing."""


class _Plain:
    """Another one."""

    def __call__(self, _: object) -> None:
        """Do nothing."""


ASYNC = (_async, functools.partial(_async, __=2), _Async(), _Async().__call__)
PLAIN = (_plain, functools.partial(_plain, __=2), _Plain(), print, _Async)


def test_async_functions_are_known_in_whatever_form() -> None:
    """Partial objects and objects that can be called among them."""
    assert all(map(is_async, ASYNC))
    assert not any(map(is_async, (*PLAIN, "print")))


def test_a_handler_is_of_the_kind_that_is_called() -> None:
    """One of the other kind would leave each message undone; the error says what to do."""
    for awaited in ASYNC:
        check_handler(awaited, awaited=True)
        with pytest.raises(TypeError, match=r"is async def: use AsyncGateway\.consume_with"):
            check_handler(awaited, awaited=False)
    for plain in PLAIN:
        check_handler(plain, awaited=False)
        with pytest.raises(TypeError, match="is not async def: make it so, or use Gateway"):
            check_handler(plain, awaited=True)


@pytest.mark.parametrize("awaited", [False, True])
def test_a_handler_can_be_called(awaited: bool) -> None:
    """What was given in its place is shown."""
    with pytest.raises(TypeError, match="the handler is 'chat': give a function that takes a"):
        check_handler("chat", awaited=awaited)
