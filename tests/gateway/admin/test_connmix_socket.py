"""The websocket of CONNMIX's API, spoken to by another implementation of websocket."""

import asyncio
import json
import logging

import pytest
from websockets.exceptions import ConnectionClosed

from gateway.admin.api import MAX_BODY
from gateway.admin.connmix_socket import ConnmixSocket
from gateway.intake import QueueDestination
from tests.gateway.admin.talking import NODE, speaking
from tests.gateway.edge.support import frame
from tests.gateway.support import turns_until

GONE = "7"
LARGE_PING = frame(0x1, json.dumps({"m": "server.ping", "i": "x" * (MAX_BODY - 100)}).encode())
"""A request whose answer no socket takes at once: its id comes back."""
FRAME = {"frame": {"type": "text", "data": "hi", "finish": True}}


async def test_it_answers_pings() -> None:
    """The text that browsers send, and the method."""
    async with speaking() as gateway, gateway.talk() as talk:
        await talk.socket.send("ping")
        assert await talk.socket.recv() == "pong"
        assert await talk.ask("server.ping", []) == {"s": "server.pong"}
        await (await talk.socket.ping())


async def test_it_sends_to_a_client() -> None:
    """Text and binary; a client that is gone is error 401."""
    async with speaking() as gateway, gateway.talk() as talk:
        browser = await gateway.core.browser()

        text = await talk.ask("mesh.send", {"c": browser.client_id, "d": "hi"})
        binary = await talk.ask("mesh.send", {"c": browser.client_id, "d": "AP8=", "t": "binary"})

        assert text == binary == {"s": True, "f": 0, "t": 1}
        assert [await browser.next(), await browser.next()] == ["hi", b"\x00\xff"]
        assert await talk.ask("mesh.send", {"c": GONE, "d": "hi"}) == 401


async def test_it_publishes_to_a_channel() -> None:
    """With the method of its own, and with the one that clients use for it by mistake."""
    async with speaking() as gateway, gateway.talk() as talk:
        browsers = [await gateway.core.browser() for _ in range(2)]
        for each in browsers:
            called = {"c": each.client_id, "f": "subscribe", "a": ["news"]}
            assert await talk.ask("conn.call", called) == {"s": True}

        reached = [
            await talk.ask("mesh.publish", {"c": "news", "d": "a"}),
            await talk.ask("mesh.send", {"c": "news", "d": "b"}),
            await talk.ask("mesh.publish", {"c": "nobody", "d": "c"}),
        ]

        assert reached == [{"s": 2, "f": 0, "t": 2}] * 2 + [{"s": 0, "f": 0, "t": 0}]
        for each in browsers:
            assert [await each.next(), await each.next()] == ["a", "b"]


async def test_it_calls_a_connection() -> None:
    """All four functions change what everybody else sees as session and groups."""
    async with speaking() as gateway, gateway.talk() as talk:
        browser = await gateway.core.browser()
        connection = gateway.connection(browser)

        async def call(function: str, *args: object) -> object:
            return await talk.ask("conn.call", {"c": browser.client_id, "f": function, "a": args})

        assert await call("set_context", {"a": 1, "b": {"c": 2}}) == {"s": True}
        assert await call("set_context_value", "b", {"d": 3}) == {"s": True}
        assert connection.session == {"a": 1, "b": {"d": 3}}
        assert await call("set_context", {}) == {"s": True}
        assert connection.session == {}
        assert await call("subscribe", "news", "sport") == {"s": True}
        assert await call("unsubscribe", "news") == {"s": True}
        assert connection.groups == {"sport"}


async def test_a_call_of_a_client_that_is_gone_is_an_error() -> None:
    """Code 301, whichever function."""
    async with speaking() as gateway, gateway.talk() as talk:
        called = {"c": GONE, "f": "subscribe", "a": ["news"]}
        assert await talk.ask("conn.call", called) == 301


async def test_the_long_spelling_is_answered_in_kind() -> None:
    """Client 1.0.1: ids stay numbers, publishes come as mesh.send."""
    async with speaking() as gateway, gateway.talk() as talk:
        browser = await gateway.core.browser()
        called = {"client_id": browser.client_id, "method": "subscribe", "params": ["news"]}

        answers = [
            await talk.say({"method": "conn.call", "params": called, "id": 1}),
            await talk.say(
                {"method": "mesh.send", "params": {"channel": "news", "data": "hi"}, "id": 2}
            ),
            await talk.say({"method": "mesh.send", "params": [], "id": 3}),
        ]

        assert answers[0] == {"error": None, "result": {"success": True}, "id": 1}
        sent = {"success": True, "fail": 0, "total": 1}
        assert answers[1] == {"error": None, "result": sent, "id": 2}
        assert answers[2]["error"]["code"] == 101
        assert answers[2]["id"] == 3
        assert await browser.next() == "hi"


@pytest.mark.parametrize(
    ("frame", "request_id", "told"),
    [
        ("hello", None, "no JSON"),
        (b"\x00", None, "no JSON"),
        ({"m": "queue.push", "p": {}, "i": 1}, 1, "no method 'queue.push'"),
        ({"m": "mesh.send", "p": {}, "i": 2}, 2, "lack the client id"),
    ],
)
async def test_a_bad_request_costs_one_answer(
    frame: object, request_id: int | None, told: str
) -> None:
    """Error 101 with what would be right; the connection goes on."""
    async with speaking() as gateway, gateway.talk() as talk:
        answer = await talk.say(frame)

        assert (answer["E"]["c"], answer["i"]) == (101, request_id)
        assert told in answer["E"]["m"]
        assert await talk.ask("server.ping", []) == {"s": "server.pong"}


async def test_answers_come_in_the_order_of_requests() -> None:
    """Clients match the next answer to their request, without looking at its id."""
    async with speaking() as gateway, gateway.talk() as talk:
        browser = await gateway.core.browser()
        for number in range(50):
            sent = {"c": browser.client_id, "d": str(number)}
            method, params = ("mesh.send", sent) if number % 2 else ("server.ping", {})
            await talk.socket.send(json.dumps({"m": method, "p": params, "i": number}))

        assert [(await talk.next())["i"] for _ in range(50)] == [*range(50)]
        assert [await browser.next() for _ in range(25)] == [*map(str, range(1, 50, 2))]


async def test_a_pop_is_answered_before_its_first_event() -> None:
    """What waited already comes as events, acknowledged when it is written."""
    async with speaking() as gateway, gateway.talk() as talk:
        browser = await gateway.core.browser()
        gateway.push(browser, FRAME)

        answer = await talk.say({"m": "queue.pop", "p": ["foo"], "i": 1})

        assert answer == {"E": None, "r": {"s": True}, "i": 1}
        told = {"n": NODE, "c": browser.client_id, "t": "foo", "d": FRAME}
        assert await talk.next() == {"e": "queue.pop", "p": told, "id": None}
        await turns_until(lambda: gateway.state()["acknowledged"] == 1)
        assert gateway.part.events == 1


async def test_what_a_route_pushed_has_uid_and_headers() -> None:
    """Those of the client when it sent, beside the frame."""
    async with speaking() as gateway, gateway.talk() as talk:
        browser = await gateway.core.browser()
        connection = gateway.connection(browser)
        connection.destination = QueueDestination(gateway.queues, "foo")
        connection.headers = {"host": "a.example"}
        gateway.core.hub.bind(connection, "42")
        await browser.send("hi")
        await talk.ask("queue.pop", {"t": ["foo"]})

        data = (await talk.next())["p"]["d"]

        assert data == {**FRAME, "uid": "42", "headers": {"host": "a.example"}}


async def test_events_come_in_the_dialect_of_their_pop() -> None:
    """A connection may mix them, as no client does."""
    async with speaking() as gateway, gateway.talk() as talk:
        browser = await gateway.core.browser()
        await talk.say({"method": "queue.consume", "params": ["old"], "id": 1})
        await talk.ask("queue.pop", ["foo"])

        gateway.push(browser, FRAME, "old")
        told = {"client_id": browser.client_id, "queue": "old", "data": FRAME}
        assert await talk.next() == {"event": "queue.consume", "result": told, "id": None}
        gateway.push(browser, FRAME)
        assert (await talk.next())["e"] == "queue.pop"


async def test_pops_that_cannot_be_are_refused_by_number() -> None:
    """202 for a topic that is popped here, 201 for too many, 203 for an unpop of nothing."""
    async with speaking() as gateway, gateway.talk() as talk:
        assert await talk.ask("queue.unpop", []) == 203
        assert await talk.ask("queue.pop", ["foo"]) == {"s": True}
        assert await talk.ask("queue.pop", ["bar", "foo"]) == 202
        assert await talk.ask("queue.pop", ["a", "b", "c"]) == 201
        assert await talk.ask("queue.pop", ["bar"]) == {"s": True}
        assert gateway.part.errors == {"203": 1, "202": 1, "201": 1}
        assert gateway.part.requests == {"queue.unpop": 1, "queue.pop": 4}


async def test_unpop_ends_all_topics() -> None:
    """What comes then waits for others; the connection may pop again."""
    async with speaking() as gateway, gateway.talk() as talk:
        browser = await gateway.core.browser()
        await talk.ask("queue.pop", ["foo", "bar"])
        assert await talk.ask("queue.unpop", {}) == {"s": True}

        gateway.push(browser, FRAME)
        gateway.push(browser, FRAME, "bar")
        assert await talk.ask("server.ping", []) == {"s": "server.pong"}
        assert (gateway.state()["waiting"], gateway.state("bar")["waiting"]) == (1, 1)

        assert await talk.ask("queue.pop", ["bar"]) == {"s": True}
        assert (await talk.next())["p"]["t"] == "bar"


async def test_a_message_is_for_one_connection() -> None:
    """Those of one browser stay with it, in order, while it has any of them."""
    async with speaking() as gateway, gateway.talk() as one, gateway.talk() as other:
        browsers = [await gateway.core.browser() for _ in range(2)]
        for talk in (one, other):
            await talk.ask("queue.pop", ["foo"])

        for each in browsers:
            gateway.push(each, FRAME)

        events = await asyncio.gather(one.next(), other.next())
        assert {event["p"]["c"] for event in events} == {each.client_id for each in browsers}


async def test_what_was_not_written_goes_to_another_connection() -> None:
    """A consumer that reads nothing is given what its socket takes; the rest is not lost with it."""
    async with speaking() as gateway:
        browser = await gateway.core.browser()
        count = 200
        async with gateway.raw("foo"):
            for number in range(count):
                gateway.push(browser, {"number": number, "big": "x" * min(number, 1) * 100_000})
            await turns_until(lambda: gateway.part.events)
        await turns_until(lambda: not gateway.state()["unacknowledged"])
        taken = gateway.part.events

        async with gateway.talk() as talk:
            await talk.ask("queue.pop", ["foo"])
            numbers = [(await talk.next())["p"]["d"]["number"] for _ in range(count - taken)]

        assert taken < count
        assert numbers == [*range(taken, count)]


async def test_a_consumer_that_takes_nothing_is_cut() -> None:
    """What was meant for it does not wait for ever, whatever its kernel answers."""
    async with speaking(write_timeout=0.02) as gateway, gateway.raw("foo"):
        browser = await gateway.core.browser()
        for _ in range(50):
            gateway.push(browser, "x" * 1_000_000)

        await turns_until(lambda: not gateway.part.connections)
        assert gateway.state()["unacknowledged"] == 0


@pytest.mark.parametrize("topics", [("foo",), ()])
async def test_a_client_that_does_not_read_its_answers_is_cut(topics: tuple[str, ...]) -> None:
    """Whether it pops or not: what is meant for it goes to others, and it holds nothing for ever."""
    async with (
        speaking(write_timeout=0.05) as gateway,
        gateway.raw(*topics) as (_, writer),
    ):
        writer.write(LARGE_PING)
        await turns_until(lambda: gateway.part.requests["server.ping"])
        gateway.push(await gateway.core.browser(), FRAME)
        await turns_until(lambda: not gateway.part.connections)
        assert gateway.state()["waiting"] == 1


async def test_a_flood_of_requests_leaves_turns_to_others() -> None:
    """What is answered at once is answered one a turn, however many have come."""
    async with speaking() as gateway, gateway.raw() as (reader, writer):
        count = 1000
        writer.write(frame(0x1, b'{"m":"server.ping"}') * count)
        await turns_until(lambda: gateway.part.requests["server.ping"])
        assert gateway.part.requests["server.ping"] < count / 10
        while gateway.part.requests["server.ping"] < count:
            await reader.read(1000)


async def test_a_client_that_does_not_read_holds_up_no_stop() -> None:
    """It does not answer the goodbye, which may not even have left."""
    async with speaking() as gateway, gateway.raw("foo") as (_, writer):
        writer.write(LARGE_PING)
        await turns_until(lambda: gateway.part.requests["server.ping"])
        await gateway.server.stop()
        assert not gateway.part.connections


async def test_a_consumer_is_pinged_and_cut_when_it_does_not_answer() -> None:
    """It stays for as long as it does."""
    async with speaking(heartbeat=0.2) as gateway, gateway.raw("foo") as (reader, writer):
        await reader.readuntil(b'"i":1}')
        for _ in range(2):
            assert await reader.readexactly(2) == b"\x89\x00"
            writer.write(frame(0xA, b""))
        assert await reader.readexactly(2) == b"\x89\x00"

        assert await reader.read() == b""
        await turns_until(lambda: not gateway.part.connections)


async def test_a_ping_of_the_protocol_is_answered() -> None:
    """The pong brings its data back."""
    async with speaking() as gateway, gateway.raw("foo") as (reader, writer):
        await reader.readuntil(b'"i":1}')
        writer.write(frame(0x9, b"life"))
        assert await reader.readexactly(6) == b"\x8a\x04life"


async def test_a_stop_says_goodbye() -> None:
    """With a code that the PHP clients' library knows; they connect anew a second later."""
    async with speaking() as gateway, gateway.talk() as talk:
        await talk.ask("queue.pop", ["foo"])
        await gateway.server.stop()
        with pytest.raises(ConnectionClosed) as closed:
            await talk.next()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, gateway.part.connections) == (1001, 0)


async def test_a_message_that_json_cannot_carry_is_dropped_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It would come again for ever; those behind it go on. The log has one line for a topic, all are counted."""
    async with speaking() as gateway, gateway.talk() as talk:
        browser = await gateway.core.browser()
        await talk.ask("queue.pop", ["foo"])
        with caplog.at_level(logging.ERROR, "gateway"):
            for _ in range(3):
                gateway.push(browser, {"value": float("nan")})
            gateway.push(browser, FRAME)
            assert (await talk.next())["p"]["d"] == FRAME

        assert gateway.part.unwritable == 3
        assert caplog.text.count("JSON cannot carry a message of") == 1


async def test_a_frame_that_is_too_large_ends_the_connection() -> None:
    """Nothing may make a gateway hold more than a request may be."""
    async with speaking() as gateway, gateway.talk() as talk:
        with pytest.raises(ConnectionClosed) as closed:
            await talk.say(b" " * (MAX_BODY + 1))
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_connections_are_counted_while_they_last() -> None:
    """The gauge of the metrics."""
    async with speaking() as gateway:
        async with gateway.talk() as talk:
            await talk.ask("server.ping", [])
            assert gateway.part.connections == 1
        await turns_until(lambda: not gateway.part.connections)


async def test_it_says_whose_it_is() -> None:
    """The repr of one that nobody has opened yet."""
    async with speaking() as gateway:
        one = ConnmixSocket(gateway.part, gateway.core.client)
        assert repr(one) == "<ConnmixSocket of nobody yet, pops nothing>"
