"""`async def` handlers: no task for those that do not wait, a task of its own for each that does."""

import asyncio
import contextlib
import contextvars
import logging
from typing import Any

import anyio
import pytest

from businessworker.runner import MAX_TURN
from tests.businessworker.stage import Stage, stage

_variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def assign(on: Stage, *clients: str) -> None:
    """Give the worker some clients."""
    for client_id in clients:
        on.assign(client_id)


async def test_handlers_that_do_not_wait_share_a_task() -> None:
    """A batch of events costs one task."""
    tasks = []

    async def on_message(client_id: str, message: str) -> None:
        tasks.append(asyncio.current_task())

    async with stage(on_message=on_message) as on:
        assign(on, "a", "b")
        on.tell(*(on.message(client_id) for client_id in "abab"))
        await on.finish()
    assert len(tasks) == 4
    assert len(set(tasks)) == 1


async def test_a_handler_that_waits_lets_the_others_go_on() -> None:
    """Other clients' events are handled meanwhile; its own client's wait."""
    release = asyncio.Event()
    order: list[str] = []

    async def on_message(client_id: str, message: str) -> None:
        if message == "wait":
            await release.wait()
        order.append(client_id + message)
        if message == "last":
            release.set()

    async with stage(on_message=on_message) as on:
        assign(on, "a", "b")
        on.tell(
            on.message("a", "wait"),
            on.message("a", "2"),
            on.message("b", "1"),
            on.message("b", "last"),
        )
        await on.finish()
    assert order == ["b1", "blast", "await", "a2"]


async def test_a_handler_that_waits_keeps_its_task_to_itself() -> None:
    """From its first wait to its end the current task is one, and no other handler has it."""
    tasks: dict[str, set[Any]] = {}

    async def on_message(client_id: str, message: str) -> None:
        mine = tasks.setdefault(message, set())
        await asyncio.sleep(0)
        for _ in range(3):
            mine.add(asyncio.current_task())
            await asyncio.sleep(0)

    async with stage(on_message=on_message) as on:
        assign(on, "a", "b")
        on.tell(*(on.message(client, client + str(number)) for client in "ab" for number in (1, 2)))
        await on.finish()
    assert sorted(map(len, tasks.values())) == [1, 1, 1, 1]
    assert len(set.union(*tasks.values())) == 4


async def test_context_variables_do_not_leak() -> None:
    """What one handler sets, the next does not see, and it sees it itself to its end."""
    values = []

    async def on_message(client_id: str, message: str) -> None:
        values.append(_variable.get())
        _variable.set(message)
        if message == "1":
            await asyncio.sleep(0)
        values.append(_variable.get())

    async with stage(on_message=on_message) as on:
        assign(on, "a")
        await on.say("a", "1", "2")
    assert values == ["unset", "1", "unset", "2"]


async def test_timeouts_and_task_groups_work() -> None:
    """The structured tools of asyncio find a real task, before and after the first wait."""
    seen = []

    async def on_message(client_id: str, message: str) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        with contextlib.suppress(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(_fail())
                await asyncio.Event().wait()
        task = asyncio.current_task()
        assert task is not None
        seen.append(task.cancelling())

    async with stage(on_message=on_message) as on:
        assign(on, "a")
        await on.say("a", "1", "2")
    assert seen == [0, 0]


async def _fail() -> None:
    raise ValueError


async def test_anyio_works() -> None:
    """Its cancel scopes and threads do too."""
    seen: list[object] = []

    async def on_message(client_id: str, message: str) -> None:
        with anyio.move_on_after(0) as scope:
            await anyio.Event().wait()
        seen.append(scope.cancelled_caught)
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0)
        seen.append(await anyio.to_thread.run_sync(int, "7"))

    async with stage(on_message=on_message) as on:
        assign(on, "a")
        await on.say("a", "1")
    assert seen == [True, 7]


async def test_a_handler_may_await_a_future_or_what_yields_nothing() -> None:
    """Futures, tasks and bare yields pass through to the loop as from any task."""
    results = []

    async def on_message(client_id: str, message: str) -> None:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, 1)
        results.append(await future)
        results.append(await asyncio.create_task(asyncio.sleep(0, 2)))
        await asyncio.sleep(0)
        results.append(await asyncio.to_thread(int, "3"))

    async with stage(on_message=on_message) as on:
        assign(on, "a")
        await on.say("a", "1")
    assert results == [1, 2, 3]


@pytest.mark.parametrize("waits", [False, True])
async def test_a_handler_that_cancels_its_task_costs_no_other(
    waits: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The cancellation is spent where it was meant; all other handlers run to their end."""
    ended: list[str] = []

    async def on_message(client_id: str, message: str) -> None:
        if message == "cancel":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            if not waits:
                return
        await asyncio.sleep(0)
        ended.append(client_id + message)

    async with stage(on_message=on_message) as on:
        assign(on, "a", "b", "c")
        on.tell(
            on.message("a", "cancel"),
            on.message("b", "1"),
            on.message("a", "2"),
            on.message("c", "cancel"),
            on.message("b", "3"),
        )
        await on.finish()
        assert len(on.source.acknowledged) == 5
    assert sorted(ended) == ["a2", "b1", "b3"]
    assert len(caplog.records) == (2 if waits else 0)


async def test_cancelling_ends_the_handlers_that_wait(caplog: pytest.LogCaptureFixture) -> None:
    """At the end of a stop's patience waiting handlers are cancelled, and no other event begins."""
    tidied: list[str] = []
    begun = asyncio.Event()

    async def on_message(client_id: str, message: str) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            tidied.append(client_id)

    async with stage(on_message=on_message) as on:
        assign(on, "a")
        on.tell(on.message("a"), on.message("a"))
        await begun.wait()
        on.dispatcher.cancel()
        on.tell(on.message("a"))
        await on.finish()
        assert on.source.acknowledged == [1]
        assert (on.dispatcher.finished, on.dispatcher.dropped) == (1, 2)
    assert tidied == ["a"]
    assert "on_message of app was cancelled" in caplog.text


async def test_a_handler_may_refuse_to_be_cancelled() -> None:
    """A cancellation that a handler swallows leaves it running."""
    begun, again = asyncio.Event(), asyncio.Event()
    release = asyncio.Event()

    async def on_message(client_id: str, message: str) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            again.set()
            await release.wait()

    async with stage(on_message=on_message) as on:
        assign(on, "a")
        on.tell(on.message("a"))
        await begun.wait()
        on.dispatcher.cancel()
        await again.wait()
        assert on.dispatcher.unfinished == 1
        release.set()
        await on.finish()


@pytest.mark.parametrize("error", [ValueError, SystemExit, asyncio.CancelledError, StopIteration])
@pytest.mark.parametrize("waits", [False, True])
async def test_an_error_is_logged_with_the_client(
    waits: bool, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a handler raises, its event is finished and the next one handled."""
    handled: list[str] = []

    async def on_message(client_id: str, message: str) -> None:
        if waits:
            await asyncio.sleep(0)
        if message == "bad":
            raise error
        handled.append(message)

    async with stage(on_message=on_message) as on:
        assign(on, "a")
        await on.say("a", "bad", "good")
        assert on.source.acknowledged == [1, 2]
    assert handled == ["good"]
    record = caplog.records[0]
    assert record.levelno == logging.ERROR
    assert record.message.startswith("on_message of app ")
    assert vars(record)["client_id"] == "a"
    assert record.exc_info


async def test_the_loop_turns_between_many_handlers() -> None:
    """After a number of handlers, links and timers get their turn, though more are ready."""
    turns: list[int] = []
    handled: list[str] = []

    async def on_message(client_id: str, message: str) -> None:
        handled.append(message)

    async with stage(on_message=on_message) as on:
        clients = [str(number) for number in range(MAX_TURN + 1)]
        assign(on, *clients)
        on.tell(*map(on.message, clients))
        on.mailbox.post(lambda: turns.append(len(handled)))
        await on.finish()
    assert len(handled) == MAX_TURN + 1
    assert turns[0] <= MAX_TURN


async def test_what_returns_no_coroutine_is_run_all_the_same() -> None:
    """A wrapper of an async def may return a future, or nothing when it decides not to call."""
    seen: list[str] = []

    async def inner(client_id: str, message: str) -> None:
        await asyncio.sleep(0)
        seen.append(message)

    def on_message(client_id: str, message: str) -> Any:
        return None if message == "skip" else asyncio.ensure_future(inner(client_id, message))

    on_message.__wrapped__ = inner  # type: ignore[attr-defined]  # as functools.wraps does
    async with stage(on_message=on_message) as on:
        assign(on, "a")
        await on.say("a", "skip", "run")
    assert seen == ["run"]


async def test_a_handler_that_blocks_the_loop_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """The warning names handler and client, and says what to do instead."""

    async def on_message(client_id: str, message: str) -> None:
        await asyncio.sleep(0)

    async with stage(on_message=on_message, patience={"blocked": -1.0}) as on:
        assign(on, "a")
        await on.say("a", "1")
    assert len(caplog.records) == 2  # until its wait, and after it
    assert "on_message of app kept the event loop" in caplog.text
    assert "write the handler as def" in caplog.text
    assert vars(caplog.records[0])["client_id"] == "a"


async def test_an_abandoned_handler_is_closed() -> None:
    """If the loop ends while a handler waits, its `finally` still runs."""
    tidied: list[str] = []
    begun = asyncio.Event()

    async def on_message(client_id: str, message: str) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            tidied.append(client_id)

    async with stage(on_message=on_message) as on:
        assign(on, "a")
        on.tell(on.message("a"))
        await begun.wait()
        (task,) = asyncio.all_tasks() - {asyncio.current_task()}
        coroutine: Any = task.get_coro()
        coroutine.close()
        assert tidied == ["a"]
        task.cancel()
