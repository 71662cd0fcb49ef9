"""The dispatcher: order per client, what gateways are told and when, and how it ends."""

import asyncio
import logging
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from businessworker import session
from gateway_wire.close_codes import CloseReason
from gateway_wire.commands import ClientMessage, Error
from gateway_wire.request import Request
from tests.businessworker.sources import Acknowledged, Patched, RecordingSource, Sent
from tests.businessworker.stage import Stage, assigned, send, stage
from tests.support.waiting import PATIENCE


async def test_every_handler_gets_what_its_event_says() -> None:
    """A client's life, from connect to close, as calls in order; a connect is two calls, one event."""
    calls: list[tuple[Any, ...]] = []

    def on_connect(client_id: str) -> None:
        calls.append(("connect", client_id))

    async def on_websocket_connect(client_id: str, request: Request) -> None:
        calls.append(("websocket", client_id, request.path, request.remote_addr))

    def on_message(client_id: str, message: str | bytes) -> None:
        calls.append(("message", client_id, message))

    async def on_close(client_id: str, reason: CloseReason) -> None:
        calls.append(("close", client_id, reason.code, reason.name, reason.text))

    handlers: dict[str, Any] = {
        "on_connect": on_connect,
        "on_websocket_connect": on_websocket_connect,
        "on_message": on_message,
        "on_close": on_close,
    }
    async with stage(**handlers) as on:
        on.assign("a")
        assert on.dispatcher.clients == 1
        on.tell(
            on.connected("a", path="/chat"),
            on.message("a", "text"),
            on.message("a", b"binary"),
            on.closed("a"),
        )
        await on.finish()
        assert on.dispatcher.clients == 0
        assert on.source.acknowledged == [1, 2, 3, 4]
        assert (on.dispatcher.received, on.dispatcher.finished) == (4, 4)
        assert [handler.handled for handler in on.events.handlers] == [1, 1, 2, 1]
    assert calls == [
        ("connect", "a"),
        ("websocket", "a", "/chat", "203.0.113.9"),
        ("message", "a", "text"),
        ("message", "a", b"binary"),
        ("close", "a", 1000, "peer_closed", "bye"),
    ]


async def test_an_event_without_a_handler_is_finished_at_once() -> None:
    """What nobody wants to hear is acknowledged in its turn, and what follows is handled."""
    handled: list[str] = []

    async def on_close(client_id: str, reason: CloseReason) -> None:
        handled.append(client_id)

    async with stage(on_close=on_close) as on:
        on.assign("a")
        on.tell(on.connected("a"), on.message("a"), on.closed("a"))
        await on.finish()
        assert on.source.acknowledged == [1, 2, 3]
    assert handled == ["a"]


async def test_what_waits_behind_a_handler_may_have_none() -> None:
    """Events without a handler between others keep their place."""
    handled: list[str] = []

    async def on_message(client_id: str, message: str) -> None:
        await asyncio.sleep(0)
        handled.append(message)

    async with stage(on_message=on_message) as on:
        on.assign("a")
        on.tell(on.message("a", "1"), on.connected("a"), on.message("a", "2"), on.closed("a"))
        await on.finish()
        assert on.source.acknowledged == [1, 2, 3, 4]
        assert on.dispatcher.clients == 0
    assert handled == ["1", "2"]


async def test_websocket_connect_alone_is_called() -> None:
    """An application need not have `on_connect`."""
    handled: list[str] = []

    async def on_websocket_connect(client_id: str, request: Request) -> None:
        handled.append(request.query["room"])

    async with stage(on_websocket_connect=on_websocket_connect) as on:
        on.assign("a")
        on.tell(on.connected("a", query="room=1"))
        await on.finish()
    assert handled == ["1"]


@pytest.mark.parametrize("with_connect", [False, True])
async def test_a_client_without_a_websocket_is_told_by_on_connect_alone(with_connect: bool) -> None:
    """A device has made no handshake that there would be a request of."""
    handled: list[str] = []

    def on_connect(client_id: str) -> None:
        handled.append(client_id)

    def on_websocket_connect(client_id: str, request: Request) -> None:
        handled.append(request.path)

    connects: dict[str, Any] = {"on_connect": on_connect} if with_connect else {}
    async with stage(on_websocket_connect=on_websocket_connect, **connects) as on:
        on.assign("a")
        on.tell(on.connected("a", path="", websocket=False))
        await on.finish()
        assert on.source.acknowledged == [1]
    assert handled == ["a"] * with_connect


@pytest.mark.parametrize("is_async", [False, True])
async def test_sends_then_patch_then_acknowledgement(is_async: bool) -> None:
    """What an event leaves behind goes out in this order, acknowledgements of a turn together."""

    def work(message: str) -> None:
        send(message + "1")
        session[message] = True
        send(message + "2")

    async def asynchronous(client_id: str, message: str) -> None:
        work(message)

    def threaded(client_id: str, message: str) -> None:
        work(message)

    async with stage(on_message=asynchronous if is_async else threaded) as on:
        on.assign("a")
        await on.say("a", "x", "y")
        record = on.source.record
        kinds = [type(each) for each in record if not isinstance(each, Acknowledged)]
        assert kinds == [Sent, Sent, Patched, Sent, Sent, Patched]
        assert [command.message for command in on.source.sent] == ["x1", "x2", "y1", "y2"]
        last = max(index for index, each in enumerate(record) if isinstance(each, Patched))
        assert any(2 in each.event_ids for each in record[last:] if isinstance(each, Acknowledged))
        if is_async:
            assert record[-1] == Acknowledged([1, 2])


async def test_a_handler_that_raised_has_sent_and_changed_what_it_had() -> None:
    """An error takes nothing back: sends, session and acknowledgement go out as ever."""

    def on_message(client_id: str, message: str) -> None:
        send("before")
        session["n"] = 1
        raise ValueError

    async with stage(on_message=on_message) as on:
        on.assign("a")
        await on.say("a", "x")
        assert [type(each) for each in on.source.record] == [Sent, Patched, Acknowledged]
        (handler,) = on.events.handlers
        assert (handler.handled, handler.failed) == (0, 1)


async def test_the_next_event_sees_what_the_last_one_wrote() -> None:
    """Own writes count at once, though the gateway has not answered, and whoever wrote since."""
    seen: list[dict[str, int]] = []

    async def on_message(client_id: str, message: str) -> None:
        seen.append(session.copy())
        session["n"] = session.get("n", 0) + 1

    async with stage(on_message=on_message) as on:
        on.assign("a", {"n": 5})
        await on.say("a", "1", "2")
        on.tell(on.session("a", n=6, other=1), on.message("a"))
        await on.finish()
        first, second, third = on.source.patched
        assert [each.patch.changed for each in on.source.patched] == [{"n": 6}, {"n": 7}, {"n": 8}]
        for each in (first, second, third):
            each.settled(None)
        on.tell(on.session("a", n=50), on.message("a"))
        await on.finish()
    assert seen == [{"n": 5}, {"n": 6}, {"n": 7, "other": 1}, {"n": 50}]


async def test_a_patch_that_the_gateway_refuses_is_logged_and_taken_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The next event sees the session without it."""
    seen: list[dict[str, int]] = []

    async def on_message(client_id: str, message: str) -> None:
        seen.append(session.copy())
        session["n"] = 1

    async with stage(on_message=on_message) as on:
        on.assign("a")
        await on.say("a", "1")
        on.source.patched[0].settled(Error("too_large", "the session has 9 bytes"))
        await on.say("a", "2")
    assert seen == [{}, {}]
    assert "10.0.0.1:2900 refused what a handler changed" in caplog.text
    assert "the session has 9 bytes" in caplog.text


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_session_that_cannot_be_kept_stays_as_it_was(
    is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The handler's error names the place; nothing of its changes is sent."""
    seen: list[dict[str, Any]] = []

    def work() -> None:
        seen.append(session.copy())
        session["fine"] = 1
        session["bad"] = {1, 2}

    async def asynchronous(client_id: str, message: str) -> None:
        work()

    def threaded(client_id: str, message: str) -> None:
        work()

    async with stage(on_message=asynchronous if is_async else threaded) as on:
        on.assign("a", {"kept": 1})
        await on.say("a", "1", "2")
        assert on.source.patched == []
        assert on.source.acknowledged == [1, 2]
        assert on.events.handlers[0].failed == 2
    assert seen == [{"kept": 1}, {"kept": 1}]
    assert "session['bad'] is of type set" in caplog.text


async def test_on_close_sees_the_session_and_changes_nothing() -> None:
    """The client is gone: what is written there goes nowhere."""
    seen: list[dict[str, Any]] = []

    async def on_message(client_id: str, message: str) -> None:
        session["name"] = message

    async def on_close(client_id: str, reason: CloseReason) -> None:
        seen.append(session.copy())
        session["name"] = {1, 2}

    async with stage(on_message=on_message, on_close=on_close) as on:
        on.assign("a")
        on.tell(on.message("a", "ann"), on.closed("a"))
        await on.finish()
        assert len(on.source.patched) == 1
        on.source.patched[0].settled(None)  # answered when the client is forgotten already
    assert seen == [{"name": "ann"}]


async def test_a_session_of_an_unknown_client_is_no_matter() -> None:
    """It may have been for an event that was answered by a close."""
    async with stage(on_message=print) as on:
        on.tell(on.session("nobody", n=1))
        assert on.dispatcher.clients == 0


async def test_an_event_of_an_unknown_client_is_acknowledged_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A gateway's mistake costs no credit for good."""
    async with stage(on_message=print) as on:
        on.tell(on.message("nobody"))
        await on.finish()
        assert on.source.acknowledged == [1]
    assert "sent an event of a client that it had not assigned" in caplog.text


async def test_what_has_not_begun_is_dropped_with_its_gateway() -> None:
    """A lost gateway has counted its events as lost: handlers that run end, others do not begin."""
    release, begun = asyncio.Event(), asyncio.Event()
    handled: list[str] = []

    async def on_message(client_id: str, message: str) -> None:
        handled.append(message)
        if message == "wait":
            begun.set()
            await release.wait()
        send("after")
        session["n"] = 1

    async with stage(on_message=on_message) as on:
        on.assign("a")
        on.assign("b")
        on.tell(on.message("a", "wait"), on.message("a", "never"))
        await begun.wait()
        on.tell(on.message("b", "never"))  # in the runner already, but not begun
        on.dispatcher.source_lost(on.source)
        on.dispatcher.source_lost(on.source)
        assert on.dispatcher.clients == 0
        release.set()
        await on.finish()
        assert [type(each) for each in on.source.record] == [Sent]
        dispatcher = on.dispatcher
        assert (dispatcher.received, dispatcher.finished, dispatcher.dropped) == (3, 1, 2)
        assert dispatcher.oldest_since is None
    assert handled == ["wait"]


async def test_what_waits_for_a_thread_is_dropped_too() -> None:
    """A `def` handler that has no thread yet does not begin for a gateway that is lost."""
    release, begun = threading.Event(), asyncio.Event()
    handled: list[str] = []

    def on_message(client_id: str, message: str) -> None:
        handled.append(message)
        on.mailbox.post(begun.set)
        assert release.wait(PATIENCE)

    async with stage(threads=1, on_message=on_message) as on:
        on.assign("a")
        on.assign("b")
        on.tell(on.message("a", "wait"), on.message("b", "never"))
        await begun.wait()
        on.dispatcher.source_lost(on.source)
        release.set()
        await on.finish()
        assert (on.dispatcher.finished, on.dispatcher.dropped) == (1, 1)
        assert on.source.record == []
    assert handled == ["wait"]


async def test_a_client_that_comes_back_waits_for_its_old_handler() -> None:
    """Also over a lost link the handlers of one client never run side by side."""
    release, begun = asyncio.Event(), asyncio.Event()
    order: list[str] = []

    async def on_message(client_id: str, message: str) -> None:
        order.append(message)
        if message == "old":
            begun.set()
            await release.wait()
            order.append("old ends")

    async with stage(on_message=on_message) as on:
        on.assign("a")
        on.tell(on.message("a", "old"))
        await begun.wait()
        on.dispatcher.source_lost(on.source)
        lost_again, back = RecordingSource(), RecordingSource()
        for source in (lost_again, back):
            messages = [ClientMessage(1, "a", None, "new 1"), ClientMessage(2, "a", None, "new 2")]
            on.dispatcher.receive(source, [assigned("a"), *messages])
            assert on.dispatcher.unfinished == 3
            assert on.dispatcher.oldest_since is not None
            if source is lost_again:
                on.dispatcher.source_lost(source)
        release.set()
        await on.finish()
        assert back.acknowledged == [1, 2]
        assert on.source.record == lost_again.record == []
    assert order == ["old", "old ends", "new 1", "new 2"]


async def test_a_client_that_comes_back_waits_for_what_was_not_begun_too() -> None:
    """The event that is dropped in the runner lets the new ones go on."""
    handled: list[str] = []

    async def on_message(client_id: str, message: str) -> None:
        handled.append(message)

    async with stage(on_message=on_message) as on:
        on.assign("a")
        on.tell(on.message("a", "old"))
        on.dispatcher.source_lost(on.source)
        back = RecordingSource()
        on.dispatcher.receive(back, [assigned("a"), ClientMessage(1, "a", None, "new")])
        await on.finish()
        assert back.acknowledged == [1]
    assert handled == ["new"]


async def test_once_given_up_nothing_begins() -> None:
    """Neither what waits for a thread, nor what waits for its turn on the loop."""
    begun = asyncio.Event()
    release = threading.Event()
    handled: list[str] = []

    def on_message(client_id: str, message: str) -> None:
        handled.append(client_id)
        on.mailbox.post(begun.set)
        assert release.wait(PATIENCE)

    async def on_close(client_id: str, reason: CloseReason) -> None:
        handled.append(client_id)

    async with stage(on_message=on_message, on_close=on_close, threads=1) as on:
        for client_id in "abc":
            on.assign(client_id)
        on.tell(on.message("a"), on.message("b"))
        await begun.wait()
        on.tell(on.closed("c"))
        on.dispatcher.cancel()
        release.set()
        async with asyncio.timeout(PATIENCE):
            await on.finish()
        assert on.source.acknowledged == [1]
        assert (on.dispatcher.finished, on.dispatcher.dropped) == (1, 2)
    assert handled == ["a"]


async def test_it_knows_what_is_unfinished() -> None:
    """Counts by gateway, the oldest event, and a sentence that names handlers for the stop's error."""
    release, begun = threading.Event(), asyncio.Event()

    def on_message(client_id: str, message: str) -> None:
        on.mailbox.post(begun.set)
        assert release.wait(PATIENCE)

    async with stage(threads=1, on_message=on_message) as on:
        assert on.dispatcher.oldest_since is None
        assert on.dispatcher.describe_unfinished() == ""
        on.assign("a")
        on.assign("b")
        on.tell(on.message("a"), on.message("a"), on.message("b"))
        await begun.wait()
        oldest = on.dispatcher.oldest_since
        assert oldest is not None
        on.tell(on.message("b"))
        assert on.dispatcher.oldest_since == oldest
        assert on.dispatcher.unfinished == 4
        assert repr(on.dispatcher) == ("<Dispatcher: 2 clients of 1 gateways, 4 events unfinished>")
        described = on.dispatcher.describe_unfinished()
        assert described.startswith("on_message of app for client a, running for 0.")
        assert described.endswith(" s; 3 more events unfinished")
        release.set()
        await on.finish()


async def test_a_def_handler_that_takes_long_is_found() -> None:
    """One timer looks at what runs; the warning comes while the handler still does."""
    warned = threading.Event()

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "holds one of the worker's threads" in record.getMessage():
                warned.set()

    def on_message(client_id: str, message: str) -> None:
        assert warned.wait(PATIENCE)

    watch = Watch()
    logging.getLogger("businessworker.blocking").addHandler(watch)
    try:
        async with stage(on_message=on_message, patience={"long": 0, "look_interval": 0.001}) as on:
            on.assign("a")
            await on.say("a", "1")
            assert on.events.handlers[0].handled == 1
    finally:
        logging.getLogger("businessworker.blocking").removeHandler(watch)


async def test_finish_may_be_given_up_and_asked_again() -> None:
    """A stop that waits with a deadline can wait once more after it has cancelled."""
    begun = asyncio.Event()

    async def on_message(client_id: str, message: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with stage(on_message=on_message) as on:
        on.assign("a")
        on.tell(on.message("a"))
        await begun.wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(on.finish(), 0)
        first, second = asyncio.create_task(on.finish()), asyncio.create_task(on.finish())
        on.dispatcher.cancel()
        await first
        await second
        assert on.source.acknowledged == [1]


async def test_functions_of_no_event_run_where_they_belong() -> None:
    """`async def` ones on the loop, `def` ones on a thread; what they raise is the caller's."""
    where: list[int] = []

    def on_worker_start(worker: object) -> None:
        where.append(threading.get_ident())

    async def on_worker_stop(worker: object) -> None:
        where.append(threading.get_ident())
        raise ValueError

    async with stage(on_message=print) as on:
        await on.dispatcher.run(on_worker_start, None)
        with pytest.raises(ValueError):
            await on.dispatcher.run(on_worker_stop, None)
    assert where[0] != threading.get_ident() == where[1]


async def test_handlers_of_every_kind_keep_a_clients_order() -> None:
    """A client's `def` and `async def` handlers take turns; the next begins when one has ended."""
    order: list[str] = []

    def on_connect(client_id: str) -> None:
        order.append("connect")

    async def on_message(client_id: str, message: str) -> None:
        await asyncio.to_thread(order.append, message)

    def on_close(client_id: str, reason: CloseReason) -> None:
        order.append("close")

    async with stage(on_connect=on_connect, on_message=on_message, on_close=on_close) as on:
        on.assign("a")
        on.tell(on.connected("a"), on.message("a", "1"), on.message("a", "2"), on.closed("a"))
        await on.finish()
    assert order == ["connect", "1", "2", "close"]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=1, max_size=40
    ),
    st.booleans(),
    st.integers(1, 3),
)
def test_each_clients_events_run_in_order_and_alone(
    plan: list[tuple[int, int, bool]], threaded: bool, threads: int
) -> None:
    """Whatever the handlers wait for and however events arrive: in order, never two at once."""
    asyncio.run(_play(plan, threaded=threaded, threads=threads))


class _Plan:
    """Handlers that note who runs when, and wait as the plan says."""

    def __init__(self, plan: list[tuple[int, int, bool]]) -> None:
        self.plan = plan
        self.begun: dict[str, list[int]] = {str(client): [] for client in range(4)}
        self._inside: set[str] = set()

    def enter(self, client_id: str, number: int) -> None:
        assert client_id not in self._inside
        self._inside.add(client_id)
        self.begun[client_id].append(number)
        session["seen"] = [*session.get("seen", []), number]
        send(str(number))

    def threaded(self, client_id: str, message: str) -> None:
        self.enter(client_id, int(message))
        self._inside.discard(client_id)

    async def asynchronous(self, client_id: str, message: str) -> None:
        number = int(message)
        self.enter(client_id, number)
        for _ in range(self.plan[number][1]):
            await asyncio.sleep(0)
        self._inside.discard(client_id)
        if self.plan[number][1] == 3:
            raise ValueError(message)


async def _play(steps: list[tuple[int, int, bool]], *, threaded: bool, threads: int) -> None:
    plan = _Plan(steps)
    on_message = plan.threaded if threaded else plan.asynchronous
    async with stage(threads=threads, on_message=on_message) as on:
        for client_id in plan.begun:
            on.assign(client_id)
        for number, (client, _, turn) in enumerate(steps):
            on.tell(on.message(str(client), str(number)))
            if turn:
                await asyncio.sleep(0)
        await on.finish()
        _check(on, plan.begun, steps)


def _check(on: Stage, begun: dict[str, list[int]], plan: list[tuple[int, int, bool]]) -> None:
    assert sorted(on.source.acknowledged) == [*range(1, len(plan) + 1)]
    for client_id, numbers in begun.items():
        mine = [number for number, step in enumerate(plan) if str(step[0]) == client_id]
        assert numbers == mine
        patches = [each.patch for each in on.source.patched if each.patch.client_id == client_id]
        assert [patch.changed["seen"][-1] for patch in patches] == mine
        assert not patches or patches[-1].changed["seen"] == mine
