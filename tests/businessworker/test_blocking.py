"""`def` handlers: on threads, in a context of their own, and back onto the loop."""

import asyncio
import contextvars
import logging
import threading
from typing import Any

import pytest

from businessworker.blocking import BlockingRunner
from businessworker.mailbox import Mailbox
from tests.businessworker.stage import send, stage
from tests.support.waiting import PATIENCE

_variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


async def test_a_def_handler_runs_on_another_thread() -> None:
    """It may block: the loop goes on."""
    release, begun = threading.Event(), asyncio.Event()
    threads: list[int] = []

    def on_message(client_id: str, message: str) -> None:
        threads.append(threading.get_ident())
        on.mailbox.post(begun.set)
        assert release.wait(PATIENCE)

    async with stage(on_message=on_message) as on:
        on.assign("a")
        on.tell(on.message("a"))
        await begun.wait()
        assert on.dispatcher.unfinished == 1
        assert on.pool.busy == 1
        release.set()
        await on.finish()
    assert threads != [threading.get_ident()]


async def test_one_that_blocks_holds_up_its_own_client_only() -> None:
    """Other clients' events are handled on the other threads meanwhile."""
    release = threading.Event()
    handled: list[str] = []

    def on_message(client_id: str, message: str) -> None:
        if message == "wait":
            assert release.wait(PATIENCE)
        handled.append(client_id + message)
        if message == "last":
            release.set()

    async with stage(on_message=on_message) as on:
        on.assign("a")
        on.assign("b")
        on.tell(
            on.message("a", "wait"),
            on.message("a", "2"),
            on.message("b", "1"),
            on.message("b", "last"),
        )
        await on.finish()
    assert handled == ["b1", "blast", "await", "a2"]


async def test_context_variables_do_not_leak() -> None:
    """What one handler sets, the next on the same thread does not see."""
    values = []

    def on_message(client_id: str, message: str) -> None:
        values.append(_variable.get())
        _variable.set(message)

    async with stage(threads=1, on_message=on_message) as on:
        on.assign("a")
        await on.say("a", "1", "2")
    assert values == ["unset", "unset"]


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
async def test_an_error_is_logged_with_the_client(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a handler raises, its thread goes on with the next event."""
    handled: list[str] = []

    def on_message(client_id: str, message: str) -> None:
        if message == "bad":
            raise error
        handled.append(message)

    async with stage(threads=1, on_message=on_message) as on:
        on.assign("a")
        await on.say("a", "bad", "good")
        assert on.source.acknowledged == [1, 2]
    assert handled == ["good"]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.message == "on_message of app raised"
    assert vars(record)["client_id"] == "a"


async def test_a_def_that_returns_a_coroutine_is_told_so(caplog: pytest.LogCaptureFixture) -> None:
    """A coroutine that nobody would await is the handler's error, with the remedy."""

    async def inner() -> None:
        raise AssertionError("never runs")

    def on_message(client_id: str, message: str) -> object:
        return inner()

    async with stage(on_message=on_message) as on:
        on.assign("a")
        await on.say("a", "1")
    assert "write it as async def" in caplog.text


async def test_connections_are_looked_after_around_each_handler() -> None:
    """What Django does around a request is done on the handler's thread, also when it raises."""
    order: list[str] = []
    threads: set[int] = set()

    def around() -> None:
        order.append("around")
        threads.add(threading.get_ident())

    def on_message(client_id: str, message: str) -> None:
        order.append(message)
        threads.add(threading.get_ident())
        if message == "bad":
            raise ValueError

    async def on_close(client_id: str, reason: object) -> None:
        order.append("close")

    async with stage(threads=1, around=around, on_message=on_message, on_close=on_close) as on:
        on.assign("a")
        on.tell(on.message("a", "good"), on.message("a", "bad"), on.closed("a"))
        await on.finish()
    assert order == ["around", "good", "around", "around", "bad", "around", "close"]
    assert len(threads) == 1


async def test_a_function_of_no_event_is_run_and_awaited() -> None:
    """`call` hands back what the function raises, and nobody minds if the caller has gone."""
    async with stage(on_worker_start=print) as on:
        blocking = BlockingRunner(on.pool, on.mailbox, print, None)
        results: list[int] = []
        await blocking.call(results.append, 1)
        with pytest.raises(ValueError, match="no number"):
            await blocking.call(int, "no number")
        for end in (int, None):  # int() is fine, None() raises
            await _give_up(blocking, on.mailbox, end)
        await blocking.call(results.append, 2)
    assert results == [1, 2]


async def _give_up(blocking: BlockingRunner, mailbox: Mailbox, end: Any) -> None:
    release, begun = threading.Event(), asyncio.Event()

    def function() -> None:
        mailbox.post(begun.set)
        assert release.wait(PATIENCE)
        end()

    task = asyncio.create_task(blocking.call(function))
    await begun.wait()
    task.cancel()
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_handler_that_takes_long_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """The log says which handler holds a thread for which client, and does not repeat it."""
    release, begun, done = threading.Event(), asyncio.Event(), asyncio.Event()

    def on_message(client_id: str, message: str) -> None:
        on.mailbox.post(begun.set)
        assert release.wait(PATIENCE)
        send("done")

    async with stage(on_message=on_message) as on:
        blocking = BlockingRunner(on.pool, on.mailbox, lambda _: done.set(), None)
        invocation = on.invocation("on_message", on.message("a"))
        blocking.put(invocation)
        await begun.wait()
        blocking.warn_of_long(invocation.started - 1)
        assert not caplog.records
        blocking.warn_of_long(invocation.started)
        blocking.warn_of_long(invocation.started + 1)
        assert repr(blocking) == "<BlockingRunner: 1 running>"
        release.set()
        await done.wait()
        assert not blocking.running
    (record,) = caplog.records
    assert record.message.startswith("on_message of app has been running for 0.")
    assert vars(record)["client_id"] == "a"
