"""The entry module as a destination: order, backpressure, the handshake, the end; whatever its code does."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from gateway import Conn, Refused, Request
from gateway.entry.failures import Failure
from gateway.entry.lane import MAX_WAITING
from gateway.entry.limit import LIMIT
from gateway.entry.names import current
from gateway_wire.close_codes import CloseReason
from tests.gateway.entry.support import GONE, gate
from tests.gateway.support import pipe_of, turns_until

# The other method of pytest-timeout is the same signal as the time limit's.
pytestmark = pytest.mark.timeout(60, method="thread")

LONG = 30.0
"""Seconds that nothing in these tests ever waits for."""


class Door:
    """A place where handlers wait until a test lets them go."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[None]] = []

    async def pass_through(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        await future

    async def open(self) -> None:
        """Let the one go on that has waited longest."""
        await turns_until(lambda: self.waiting)
        self.waiting.pop(0).set_result(None)


def work(seconds: float) -> None:
    """Keep the loop for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def noting(notes: list[Any]) -> tuple[Callable[..., None], Callable[..., None]]:
    """Give handlers that note what they are given."""

    def on_message(conn: Conn, message: str | bytes) -> None:
        notes.append(message)

    def on_close(conn: Conn, reason: CloseReason) -> None:
        notes.append(reason.name)

    return on_message, on_close


async def test_def_handlers_run_at_once() -> None:
    """Nothing is left of the call when the message is taken."""
    notes: list[Any] = []
    async with gate(*noting(notes)) as entry:
        client = entry.connect()
        entry.say(client, "one", b"two")
        entry.leave(client)
        assert notes == ["one", b"two", "peer_closed"]
        assert entry.entry.busy == 0
        assert entry.entry.counters.calls == 3


async def test_messages_for_a_module_without_on_message_are_discarded() -> None:
    """They are counted as those that are for nobody."""

    def on_close(conn: Conn, reason: CloseReason) -> None: ...

    async with gate(on_close) as entry:
        entry.say(entry.connect(), "x")
        assert entry.clients.counters.discarded == 1


async def test_calls_for_one_connection_follow_one_another() -> None:
    """A message waits until the one before is dealt with, and the end comes last."""
    notes: list[Any] = []
    door = Door()

    async def on_message(conn: Conn, message: str) -> None:
        notes.append(f"begin {message}")
        await door.pass_through()
        notes.append(f"end {message}")

    async with gate(on_message, noting(notes)[1]) as entry:
        client = entry.connect()
        entry.say(client, "1", "2")
        entry.leave(client)
        await door.open()
        await door.open()
        await entry.idle()
    assert notes == ["begin 1", "end 1", "begin 2", "end 2", "peer_closed"]


async def test_connections_run_side_by_side() -> None:
    """One that waits holds up none of the others."""
    notes: list[Any] = []
    door = Door()

    async def on_message(conn: Conn, message: str) -> None:
        if message == "wait":
            await door.pass_through()
        notes.append(message)

    async with gate(on_message) as entry:
        entry.say(entry.connect(), "wait")
        entry.say(entry.connect(), "go")
        await turns_until(lambda: notes)
        assert notes == ["go"]
        await door.open()


async def test_a_busy_connection_is_not_read_from() -> None:
    """It is read again when half of what may wait is left; nothing of it is lost."""
    notes: list[Any] = []
    door = Door()

    async def on_message(conn: Conn, message: str) -> None:
        await door.pass_through()
        notes.append(message)

    async with gate(on_message) as entry:
        client = entry.connect()
        messages = [str(number) for number in range(MAX_WAITING + 2)]
        entry.say(client, *messages[:-1])
        assert pipe_of(client).is_reading
        entry.say(client, messages[-1])
        assert not pipe_of(client).is_reading
        assert entry.entry.paused == 1
        while notes != messages:
            await door.open()
            await turns_until(lambda: door.waiting or len(notes) == len(messages))
            left = len(messages) - len(notes) - 1
            assert pipe_of(client).is_reading == (left <= MAX_WAITING // 2)


async def test_a_flood_for_slow_handlers_leaves_room_for_others() -> None:
    """The `def` handlers of all together have a share of each turn of the loop, and take turns then."""
    notes: list[Any] = []

    def on_message(conn: Conn, message: str) -> None:
        work(0.004)
        notes.append(message)

    async with gate(on_message) as entry:
        first, second = entry.connect(), entry.connect()
        entry.say(first, *["first"] * 20)
        entry.say(second, *["second"] * 20)
        assert 1 <= len(notes) <= 3
        turns = 0
        while entry.entry.busy:
            turns += 1
            await asyncio.sleep(0)
        assert len(notes) == 40
        assert turns >= 15
        assert "second" in notes[:6]


async def test_an_error_costs_one_message(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged with the client and the line, never with the message, and counted."""
    notes: list[Any] = []

    def on_message(conn: Conn, message: str) -> None:
        if message == "secret":
            raise KeyError("what is wrong")
        notes.append(message)

    async with gate(on_message) as entry:
        client = entry.connect()
        entry.say(client, "secret", "next")
        await entry.idle()  # the first may use up the share of a turn
    assert notes == ["next"]
    assert entry.entry.counters.failures == {Failure.ERROR: 1}
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    text = record.getMessage()
    assert text.startswith("on_message of app failed: KeyError:")
    assert vars(record)["client_id"] == client.client_id
    assert "test_runner.py, line" in text
    assert "secret" not in text


async def test_an_error_of_a_handler_that_waited_costs_one_message() -> None:
    """The next one is handled."""
    notes: list[Any] = []

    async def on_message(conn: Conn, message: str) -> None:
        await asyncio.sleep(0)
        if message == "bad":
            raise SystemExit(1)
        notes.append(message)

    async with gate(on_message) as entry:
        entry.say(entry.connect(), "bad", "good")
        await entry.idle()
    assert notes == ["good"]
    assert entry.entry.counters.failures == {Failure.ERROR: 1}


@pytest.mark.parametrize("waits_first", [False, True])
async def test_a_handler_that_keeps_the_loop_is_ended(
    waits_first: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """It costs its message, and the log says which line."""
    notes: list[Any] = []

    async def waiting(conn: Conn, message: str) -> None:
        await asyncio.sleep(0)
        blocking(conn, message)

    def blocking(conn: Conn, message: str) -> None:
        if message == "block":
            work(LONG)
        notes.append(message)

    handler = waiting if waits_first else blocking
    handler.__name__ = "on_message"
    async with gate(handler) as entry:
        entry.say(entry.connect(), "block", "next")
        await entry.idle()
    assert notes == ["next"]
    assert entry.entry.counters.failures == {Failure.BLOCKED: 1}
    assert "was ended since it held up every client" in caplog.text
    assert f"within {LIMIT:g} s" in caplog.text
    assert "test_runner.py, line" in caplog.text


async def test_a_task_of_a_handler_that_keeps_the_loop_is_ended() -> None:
    """Such as the one in which `wait_for` runs what it waits for."""

    async def blocking() -> None:
        work(LONG)

    async def on_message(conn: Conn, message: str) -> None:
        await asyncio.wait_for(blocking(), LONG)

    async with gate(on_message) as entry:
        entry.say(entry.connect(), "x")
        await entry.idle()
    assert entry.entry.counters.failures == {Failure.BLOCKED: 1}
    assert asyncio.get_running_loop().get_task_factory() is None


async def test_a_handler_that_waits_too_long_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    """It has `entry_timeout` in all; what comes behind it is handled."""
    notes: list[Any] = []

    async def on_message(conn: Conn, message: str) -> None:
        if message == "long":
            await asyncio.sleep(LONG)
        notes.append(message)

    async with gate(on_message, timeout=0.01) as entry:
        entry.say(entry.connect(), "long", "next")
        await entry.idle()
    assert notes == ["next"]
    assert entry.entry.counters.failures == {Failure.TIMEOUT: 1}
    assert "took longer than entry_timeout (0.01 s)" in caplog.text


async def test_a_handler_that_goes_on_regardless_is_reported_too() -> None:
    """It is cancelled again and again, until it ends."""
    cancelled = 0

    async def on_message(conn: Conn, message: str) -> None:
        nonlocal cancelled
        while cancelled < 3:
            try:
                await asyncio.sleep(LONG)
            except asyncio.CancelledError:
                cancelled += 1

    async with gate(on_message, timeout=0.01) as entry:
        entry.say(entry.connect(), "x")
        await entry.idle()
    assert entry.entry.counters.failures == {Failure.TIMEOUT: 1}


async def test_each_call_has_a_context_of_its_own() -> None:
    """What one sets, the next does not find; the connection is the call's own."""
    found: list[Any] = []

    def on_message(conn: Conn, message: str) -> None:
        found.append(current.get() is conn)

    async with gate(on_message) as entry:
        entry.say(entry.connect(), "x")
        entry.say(entry.connect(), "x")
    assert found == [True, True]
    assert current.get(None) is None


# The handshake.


async def test_a_handshake_sees_the_request_and_lets_in() -> None:
    """What is not False is yes; the client is told its id at once."""
    seen: list[Request] = []

    def on_handshake(request: Request) -> None:
        seen.append(request)

    async with gate(on_handshake, init_message=True) as entry:
        client = entry.connect("/chat", **{"x-key": "k"})
        assert client.client_id in entry.hub.connections
        assert entry.heard(client) == [f'{{"type":"init","client_id":"{client.client_id}"}}']
        assert dict(client.headers) == {"x-key": "k"}
    [request] = seen
    assert request.path == "/chat"
    assert request.headers["X-Key"] == "k"
    assert request.remote_addr == "203.0.113.7"
    assert request.listener == "public"


def refuses(request: Request) -> bool:
    """Say no."""
    return False


def refuses_with_a_word(request: Request) -> None:
    """Say why not."""
    raise Refused("no ticket")


def fails(request: Request) -> None:
    """Fail, which keeps the client out too."""
    raise ZeroDivisionError


def handshake(function: Callable[[Request], Any], waits: bool) -> Callable[[Request], Any]:
    """Give a handshake that decides as a function does, perhaps after a wait."""

    def on_handshake(request: Request) -> Any:
        return waiting(request) if waits else function(request)

    async def waiting(request: Request) -> Any:
        await asyncio.sleep(0)
        return function(request)

    return on_handshake


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize(
    ("function", "text"),
    [(refuses, "refused"), (refuses_with_a_word, "no ticket"), (fails, "refused")],
)
async def test_a_handshake_refuses(
    function: Callable[[Request], Any], text: str, waits: bool
) -> None:
    """The client is closed with 3500, was never listed, and nothing more of it is handled."""
    notes: list[Any] = []
    async with gate(handshake(function, waits), *noting(notes)) as entry:
        client = entry.connect()
        if waits:
            entry.say(client, "early")
        await entry.idle()
        assert pipe_of(client).goodbyes == [(3500, text)]
        assert not entry.hub.connections
        entry.leave(client, CloseReason(3500, "refused", text))
    assert not notes
    assert entry.entry.busy == 0
    assert entry.entry.counters.failures[Failure.ERROR] == (function is fails)


async def test_a_client_is_not_there_before_its_handshake_is_over() -> None:
    """It is in no index, what it sends waits; then it is told its id first of all."""
    notes: list[Any] = []
    door = Door()

    async def on_handshake(request: Request) -> bool:
        await door.pass_through()
        return True

    def on_message(conn: Conn, message: str) -> None:
        notes.append(message)
        conn.send("answer")

    async with gate(on_handshake, on_message, init_message=True) as entry:
        client = entry.connect()
        entry.say(client, "early")
        await turns_until(lambda: door.waiting)
        assert not entry.hub.connections
        assert entry.heard(client) == []
        await door.open()
        await entry.idle()
        assert notes == ["early"]
        assert entry.heard(client) == [
            f'{{"type":"init","client_id":"{client.client_id}"}}',
            "answer",
        ]


async def test_a_client_that_leaves_during_its_handshake_was_never_there() -> None:
    """Neither its messages nor its end are handled."""
    notes: list[Any] = []
    door = Door()

    async def on_handshake(request: Request) -> None:
        await door.pass_through()

    async with gate(on_handshake, *noting(notes)) as entry:
        client = entry.connect()
        entry.say(client, "early")
        entry.leave(client)
        await door.open()
        await entry.idle()
    assert not notes


async def test_handshakes_take_turns_too() -> None:
    """When the share of a turn is used up, a client waits for its handshake, and is let in then."""

    def on_handshake(request: Request) -> None:
        work(0.006)

    async with gate(on_handshake) as entry:
        entry.connect()
        late = entry.connect()
        assert late in entry.clients.pending
        await entry.idle()
        assert late.client_id in entry.hub.connections


async def test_a_module_without_on_handshake_lets_everybody_in() -> None:
    """Nothing is called."""
    async with gate(*noting([])) as entry:
        assert entry.connect().client_id in entry.hub.connections
        assert entry.entry.counters.calls == 0


# The end.


async def test_at_the_stop_what_runs_is_given_up() -> None:
    """Handlers are cancelled, what waits is dropped; both are counted, and nothing begins any more."""
    notes: list[Any] = []

    async def on_message(conn: Conn, message: str) -> None:
        try:
            await asyncio.sleep(LONG)
        except asyncio.CancelledError:
            notes.append("cancelled")
            raise

    async with gate(on_message, noting(notes)[1]) as entry:
        client = entry.connect()
        entry.say(client, "1", "2")
        assert entry.entry.give_up() == 2
        await turns_until(lambda: notes)
        entry.say(client, "3")
        entry.leave(client)
        await turns_until(lambda: not entry.entry.busy)
    assert notes == ["cancelled"]
    assert entry.entry.counters.failures == {Failure.STOPPING: 2}


async def test_idle_is_told_at_once_where_nothing_runs() -> None:
    """Whoever stops need not wait."""
    told: list[bool] = []
    async with gate(*noting([])) as entry:
        entry.entry.call_when_idle(lambda: told.append(True))
        assert told == [True]


async def test_the_module_describes_itself() -> None:
    """Logs name it, and how many are busy."""
    async with gate(*noting([])) as entry:
        assert repr(entry.entry) == "<EntryModule app: 0 connections busy>"


async def test_only_the_end_of_who_was_let_in_is_told() -> None:
    """One that is idle, and one that is told nothing because there is no handler."""

    def on_message(conn: Conn, message: str) -> None: ...

    async with gate(on_message) as entry:
        client = entry.connect()
        entry.leave(client, GONE)
        assert entry.entry.busy == 0
