"""One run of a handler, apart from how it is run."""

import asyncio
import contextvars
import threading

import pytest

from gateway_wire.commands import SendToClients
from tests.businessworker.stage import stage


async def test_sends_go_out_in_order_from_any_thread() -> None:
    """On the loop at once, from a thread through the mailbox; the order of each is kept."""
    async with stage(on_message=print) as on:
        invocation = on.invocation("on_message", on.message("a"))
        invocation.send(SendToClients(["a"], "1"))
        assert len(on.source.sent) == 1

        def elsewhere() -> None:
            for text in "23":
                invocation.send(SendToClients(["a"], text))

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert len(on.source.sent) == 1
        await asyncio.sleep(0)
        assert [each.message for each in on.source.sent] == ["1", "2", "3"]


async def test_a_thread_that_an_async_handler_awaits_sends_before_it_goes_on() -> None:
    """What was sent in `asyncio.to_thread` leaves before what the handler sends after it."""
    async with stage(on_message=print) as on:
        invocation = on.invocation("on_message", on.message("a"))
        for number in range(20):
            await asyncio.to_thread(invocation.send, SendToClients(["a"], f"thread {number}"))
            invocation.send(SendToClients(["a"], f"loop {number}"))
        texts = [each.message for each in on.source.sent]
    assert texts == [f"{who} {number}" for number in range(20) for who in ("thread", "loop")]


async def test_a_future_that_a_def_handler_returns_is_its_error() -> None:
    """Nobody would await it, as with a coroutine."""

    def on_message(client_id: str, message: str) -> object:
        return future

    async with stage(on_message=on_message) as on:
        future = asyncio.get_running_loop().create_future()
        invocation = on.invocation("on_message", on.message("a"))
        with pytest.raises(TypeError, match=r"returned a .*Future for somebody to await"):
            contextvars.copy_context().run(invocation.perform)


async def test_it_names_itself() -> None:
    """Handler and client stand in its repr."""
    async with stage(on_message=print) as on:
        invocation = on.invocation("on_message", on.message("a"))
        assert repr(invocation) == "<Invocation of on_message of app for client a>"
