"""Waiting for a value of the context, and for room on a queue."""

import asyncio
from typing import Any

import pytest

from gateway import Conn, queue
from gateway.entry.failures import Failure
from gateway.queues.limits import QueueLimits
from gateway_wire.close_codes import CloseReason
from tests.gateway.entry.support import gate
from tests.gateway.support import pipe_of, turns_until

pytestmark = pytest.mark.timeout(60, method="thread")


def barrier(notes: list[Any], timeout: float = 30.0) -> Any:
    """Give a handler that handles messages once a user id is there."""

    async def on_message(conn: Conn, message: str) -> None:
        notes.append((await conn.wait_context("user_id", timeout), message))

    return on_message


def notes_the_end(notes: list[Any]) -> Any:
    """Give a handler that notes why a connection ended."""

    def on_close(conn: Conn, reason: CloseReason) -> None:
        notes.append(reason.code)

    return on_close


async def test_messages_wait_until_the_value_is_set() -> None:
    """In their order, whoever sets it; another value is not it. The time of the handler stands still."""
    notes: list[Any] = []
    async with gate(barrier(notes), timeout=0.01) as entry:
        client = entry.connect()
        entry.say(client, "1", "2", "3")
        await turns_until(lambda: client in entry.hub.watched)
        entry.hub.store_session(client, {"other": 1})
        await asyncio.sleep(0.03)
        assert not notes
        entry.hub.store_session(client, {"user_id": 7})
        await entry.idle()
        assert notes == [(7, "1"), (7, "2"), (7, "3")]
        assert not entry.hub.watched
        assert not entry.ports.waits
        assert not entry.entry.counters.failures


async def test_a_value_that_is_there_is_returned_at_once() -> None:
    """Also when the client has left meanwhile, whose messages are still handled."""
    notes: list[Any] = []
    async with gate(barrier(notes)) as entry:
        client = entry.connect()
        entry.hub.store_session(client, {"user_id": None})
        entry.say(client, "1", "2")
        entry.leave(client)
        await entry.idle()
    assert notes == [(None, "1"), (None, "2")]


async def test_without_the_value_the_connection_is_closed() -> None:
    """With 3502; what waits is dropped, and that is no failure of the handler."""
    notes: list[Any] = []
    async with gate(barrier(notes, timeout=0.01), notes_the_end(notes)) as entry:
        client = entry.connect()
        entry.say(client, "1", "2")
        await entry.idle()
        assert pipe_of(client).goodbyes == [(3502, "never_bound")]
        entry.leave(client, CloseReason(3502, "never_bound", ""))
        assert notes == [3502]
        assert not entry.entry.counters.failures
        assert entry.entry.counters.calls == 2


async def test_a_client_that_leaves_ends_the_wait() -> None:
    """At once: its further messages would find no value either, and its end comes last."""
    notes: list[Any] = []
    async with gate(barrier(notes), notes_the_end(notes)) as entry:
        client = entry.connect()
        entry.say(client, "1", "2")
        await turns_until(lambda: client in entry.hub.watched)
        entry.leave(client)
        await entry.idle()
        assert notes == [1001]
        assert not entry.hub.watched
        assert not entry.entry.counters.failures


async def test_two_may_wait_for_one_connection() -> None:
    """Each goes on when its own value is there."""
    notes: list[Any] = []

    async def on_message(conn: Conn, message: str) -> None:
        notes.extend(await asyncio.gather(conn.wait_context("a"), conn.wait_context("b")))

    async with gate(on_message) as entry:
        client = entry.connect()
        entry.say(client, "x")
        await turns_until(lambda: len(entry.ports.waits.get(client, ())) == 2)
        entry.hub.store_session(client, {"a": 1})
        await turns_until(lambda: len(entry.ports.waits[client]) == 1)
        entry.hub.store_session(client, {"a": 1, "b": 2})
        await entry.idle()
    assert notes == [1, 2]


class Taker:
    """A consumer that keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def deliver(self, message: Any) -> int:
        self.taken.append(message)
        return 1


async def test_a_push_waits_for_room_and_the_connection_is_not_read() -> None:
    """Its time stands still, and goes on when there is room."""
    pushed: list[str] = []

    async def on_message(conn: Conn, message: str) -> None:
        await queue.push("chat", {"said": message})
        pushed.append(message)

    async with gate(on_message, timeout=0.01, limits=QueueLimits(messages=2)) as entry:
        client = entry.connect()
        entry.say(client, "1", "2", "3")
        await turns_until(lambda: not pipe_of(client).is_reading)
        await asyncio.sleep(0.03)
        assert pushed == ["1", "2"]
        assert entry.on_queue("chat") == 2
        taker = Taker()
        consumer = entry.queues.attach(taker, 10, "")
        entry.queues.consume(consumer, ["chat"])
        while len(pushed) < 3:
            ids = [each.message_id for each in taker.taken]
            entry.queues.acknowledge(consumer, ids)
            await asyncio.sleep(0)
        await entry.idle()
        assert pushed == ["1", "2", "3"]
        assert pipe_of(client).is_reading
        assert {each.connection for each in taker.taken} == {client}
        assert not entry.entry.counters.failures


async def test_what_is_pushed_at_the_end_does_not_wait() -> None:
    """There is nobody left to hold back; the message is the connection's own."""

    async def on_close(conn: Conn, reason: CloseReason) -> None:
        await queue.push("ends", reason.code)

    async with gate(on_close, limits=QueueLimits(messages=1)) as entry:
        for client in (entry.connect(), entry.connect()):
            entry.leave(client)
        await entry.idle()
        assert entry.on_queue("ends") == 2


async def test_clients_that_come_and_go_do_not_fill_a_queue_without_bound() -> None:
    """It takes twice as much at the most; beyond that they lose what they sent, and that is counted."""

    async def on_message(conn: Conn, message: str) -> None:
        await queue.push("chat", message)

    async with gate(on_message, limits=QueueLimits(messages=3)) as entry:
        for _ in range(10):
            client = entry.connect()
            entry.say(client, "x")
            entry.leave(client)
            await entry.idle()
        state = entry.queues.states(0.0)["chat"]
        assert (state["waiting"], state["paused"]) == (6, 0)
        assert entry.entry.counters.failures == {Failure.ERROR: 4}
        assert not entry.ports.waits


@pytest.mark.parametrize(
    ("topic", "data", "error"),
    [
        ("", 1, "a topic is never empty"),
        (None, 1, "a topic is a str"),
        ("chat", object(), "object"),
        ("second", 1, "raise --queue-topics"),
    ],
)
async def test_what_cannot_be_pushed_is_an_error(topic: Any, data: Any, error: str) -> None:
    """Of the handler, which is told what is wrong."""
    errors: list[BaseException] = []

    async def on_message(conn: Conn, message: str) -> None:
        await queue.push("first", 1)
        try:
            await queue.push(topic, data)
        except (TypeError, ValueError) as wrong:
            errors.append(wrong)
            raise

    async with gate(on_message, limits=QueueLimits(topics=1)) as entry:
        entry.say(entry.connect(), "x")
        await entry.idle()
        assert entry.entry.counters.failures == {Failure.ERROR: 1}
    assert error in str(errors[0])
