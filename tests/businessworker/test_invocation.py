"""One run of a handler, apart from how it is run."""

import asyncio
import contextvars
import itertools
import logging
import threading

import pytest

from businessworker import session
from gateway_wire.commands import SendToClients
from tests.businessworker.stage import stage
from tests.support.waiting import PATIENCE


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


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_session_that_changes_while_it_is_read_costs_one_event(
    caplog: pytest.LogCaptureFixture, *, is_async: bool
) -> None:
    """A dict that another thread writes to: the event ends, and what follows is handled."""
    shared: dict[int, int] = dict.fromkeys(range(100_000), 0)
    is_growing, is_over = threading.Event(), threading.Event()
    handled: list[str] = []

    def grow() -> None:
        for number in itertools.count(100_000):
            shared[number] = 0
            if number == 100_000:
                is_growing.set()
            if is_over.is_set():
                return

    def on_message(client_id: str, message: str) -> None:
        handled.append(message)
        if message == "shared":
            threading.Thread(target=grow).start()
            assert is_growing.wait(PATIENCE)
            session["shared"] = shared

    async def on_message_async(client_id: str, message: str) -> None:
        on_message(client_id, message)

    async with stage(on_message=on_message_async if is_async else on_message) as on:
        on.assign("a")
        on.tell(on.message("a", "shared"), on.message("a", "next"))
        try:
            async with asyncio.timeout(PATIENCE):
                await on.finish()
        finally:
            is_over.set()
        assert on.source.acknowledged == [1, 2]
    assert handled == ["shared", "next"]
    assert "left a session that cannot be kept" in caplog.text


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_filter_of_the_application_that_raises_costs_a_line_of_the_log(
    capsys: pytest.CaptureFixture[str], *, is_async: bool
) -> None:
    """What it raises is shown instead; events go on."""

    def on_message(client_id: str, message: str) -> None:
        raise ValueError("why")

    async def on_message_async(client_id: str, message: str) -> None:
        on_message(client_id, message)

    logger = logging.getLogger("businessworker.invocation")
    logger.addFilter(_broken)
    try:
        async with stage(on_message=on_message_async if is_async else on_message) as on:
            on.assign("a")
            async with asyncio.timeout(PATIENCE):
                await on.say("a", "1", "2")
            assert on.source.acknowledged == [1, 2]
    finally:
        logger.removeFilter(_broken)
    assert (
        "AttributeError: 'LogRecord' object has no attribute 'request'" in capsys.readouterr().err
    )


def _broken(record: logging.LogRecord) -> bool:
    return bool(record.request)  # type: ignore[attr-defined]
