"""One call: what it is called with, and what its end means."""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from types import MappingProxyType
from typing import Any

import pytest

from gateway import Conn, Refused
from gateway.edge.interface import ConnectRequest
from gateway.entry.call import Call, Item, handler_for
from gateway.entry.limit import Watch
from gateway.entry.module import Handler, Handlers
from gateway_wire.close_codes import CloseReason
from tests.gateway.entry.support import Gate, gate

pytestmark = pytest.mark.timeout(60, method="thread")

REQUEST = ConnectRequest("/a%20b", "k=v", MappingProxyType({"host": "h"}), "203.0.113.7", 1, "ws")
END = CloseReason(1000, "closed", "")


def on_message(conn: Conn, message: str) -> None:
    """Do nothing."""


def watch() -> Watch:
    """Give a limit that ends nothing."""
    return Watch(lambda *_: None)


def call_of(entry: Gate, function: Callable[..., Any], item: Item) -> Call:
    """Give a call that has not begun."""
    return Call(Handler(function, "place"), entry.connect(), item, entry.ports, copy_context())


def test_the_handler_follows_from_what_the_client_did() -> None:
    """None where the module has it not."""
    first, second, third = (Handler(print, name) for name in "abc")
    handlers = Handlers("app", first, second, third)
    expected = [first, second, second, third]
    assert [handler_for(item, handlers) for item in (REQUEST, "x", b"x", END)] == expected
    assert handler_for("x", Handlers("app")) is None


async def test_a_handler_gets_what_it_is_for() -> None:
    """The request, or the connection and what came."""
    given: list[Any] = []

    def function(*args: object) -> None:
        given.append(args)

    async with gate(on_message) as entry:
        for item in (REQUEST, "x", END):
            call = call_of(entry, function, item)
            assert call.begin(watch())
            assert call.failure is None
            assert call.refusal is None
    ((request,), (conn, message), (_, reason)) = given
    assert (request.path, request.query, request.listener) == ("/a b", {"k": "v"}, "ws")
    assert isinstance(conn, Conn)
    assert (message, reason) == ("x", END)


async def test_what_a_def_function_gives_to_await_is_awaited() -> None:
    """Such as a lambda, or a function behind a decorator."""

    async def later() -> str:
        await asyncio.sleep(0)
        return "done"

    async with gate(on_message) as entry:
        call = call_of(entry, lambda conn, message: later(), "x")
        assert not call.begin(watch())
        await call.see_through(watch(), 5.0)
        assert call.result == "done"
        assert repr(call) == f"<Call of place for {call.connection.client_id}>"


def returns(value: object) -> Callable[..., object]:
    """Give a function that returns this."""
    return lambda *_: value


def raises(error: BaseException) -> Callable[..., object]:
    """Give a function that raises this."""

    def function(*_: object) -> None:
        raise error

    return function


@pytest.mark.parametrize(
    ("function", "refusal", "fails"),
    [
        (returns(None), None, False),
        (returns(True), None, False),
        (returns(0), None, False),
        (returns(False), "refused", False),
        (raises(Refused("why")), "why", False),
        (raises(ValueError()), "refused", True),
        (raises(SystemExit()), "refused", True),
    ],
)
async def test_a_handshake_lets_in_or_not(
    function: Callable[..., object], refusal: str | None, fails: bool
) -> None:
    """Only False and errors keep a client out."""
    async with gate(on_message) as entry:
        call = call_of(entry, function, REQUEST)
        call.begin(watch())
        assert call.refusal == refusal
        assert (call.failure is not None) is fails


async def test_elsewhere_a_refusal_is_an_error_like_any_other() -> None:
    """The client is in already."""
    async with gate(on_message) as entry:
        call = call_of(entry, raises(Refused()), "x")
        call.begin(watch())
        assert call.refusal is None
        assert isinstance(call.failure, Refused)
