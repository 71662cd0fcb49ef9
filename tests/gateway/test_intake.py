"""The way from clients onto a queue: over edges without I/O, and over real sockets."""

import asyncio
from types import MappingProxyType

import pytest

from gateway.connection import Connection
from gateway.edge.interface import ConnectRequest
from gateway.intake import QueueDestination
from gateway.queues.lane import Delivery
from gateway.queues.limits import QueueLimits
from gateway.queues.queues import Queues
from gateway_wire import close_codes
from gateway_wire.commands import (
    AcknowledgeMessages,
    PatchSession,
    SendToClients,
)
from tests.gateway.running import browsing, consuming, dial_consumer, text_of
from tests.gateway.support import bare, pipe_of, turns_until
from tests.support.links import Dialler

LOST = close_codes.CONNECTION_LOST.reason()
HEADERS = MappingProxyType({"host": "example.org", "cookie": "a=1"})
REQUEST = ConnectRequest("/", "", HEADERS, "127.0.0.1", 1, "public")


class Sink:
    """Takes every message and acknowledges none."""

    def __init__(self) -> None:
        self.messages: list[Delivery] = []

    def deliver(self, message: Delivery) -> int:
        self.messages.append(message)
        return 1


class Room:
    """A queue of a few messages, its destination, and clients of that."""

    def __init__(self, messages: int) -> None:
        self.queues = Queues(QueueLimits(messages=messages))
        self.destination = QueueDestination(self.queues, "chat")
        self.sink = Sink()
        self.consumer = self.queues.attach(self.sink, 1000, "test")

    def client(self, name: str) -> Connection:
        connection = bare(name)
        assert self.destination.opened(connection, REQUEST, 0.0)
        return connection

    def say(self, connection: Connection, *messages: str | bytes) -> None:
        for message in messages:
            assert self.destination.received(connection, message, 0.0)

    def acknowledge(self, count: int) -> None:
        """Let the consumer deal with so many messages."""
        self.queues.consume(self.consumer, ["chat"])
        done, self.sink.messages = self.sink.messages[:count], self.sink.messages[count:]
        self.queues.acknowledge(self.consumer, [each.message_id for each in done])


def reading(*connections: Connection) -> list[bool]:
    """Tell which clients are read from."""
    return [pipe_of(each).is_reading for each in connections]


@pytest.mark.parametrize(
    ("message", "kind"), [("hi", "text"), (b"\x00\xff", "binary"), ("", "text")]
)
def test_a_message_is_put_on_the_queue_in_connmix_s_shape(message: str | bytes, kind: str) -> None:
    """What was sent, and whether it was text; the headers stand beside it."""
    room = Room(10)
    ann = room.client("ann")
    room.say(ann, message)
    room.acknowledge(0)
    (delivery,) = room.sink.messages

    assert delivery.data == {"frame": {"type": kind, "data": message, "finish": True}}
    assert delivery.connection.headers == {"host": "example.org", "cookie": "a=1"}


def test_only_who_sends_to_a_full_queue_is_not_read_from() -> None:
    """Whoever sends the message that fills it waits, and others until they send."""
    room = Room(2)
    ann, bob, idle = (room.client(name) for name in ("ann", "bob", "idle"))
    room.say(ann, "1")

    assert reading(ann, bob, idle) == [True, True, True]

    room.say(ann, "2", "read before")

    assert reading(ann, bob, idle) == [False, True, True]

    room.say(bob, "3")

    assert reading(ann, bob, idle) == [False, False, True]
    assert [room.destination.is_paused(each) for each in (bob, idle)] == [True, False]
    assert repr(room.destination) == "<QueueDestination 'chat' 2 paused>"


def test_room_is_given_in_turn() -> None:
    """A place that gets free lets one client go on, the one that waits longest."""
    room = Room(2)
    clients = [room.client(name) for name in ("ann", "bob", "cem")]
    room.say(clients[0], "1", "2")
    room.say(clients[1], "3")
    room.say(clients[2], "4")
    read = []
    for _ in range(5):
        room.acknowledge(1)
        read.append(reading(*clients))

    assert read[:2] == [[False, False, False]] * 2
    assert read[2:] == [[True, False, False], [True, True, True], [True, True, True]]


def test_who_comes_while_the_queue_is_full_is_not_read_at_first() -> None:
    """So that nobody fills it further by coming again and again."""
    room = Room(1)
    room.say(room.client("ann"), "1")
    late = room.client("late")

    assert reading(late) == [False]

    room.acknowledge(1)

    assert reading(late) == [True]


def test_the_place_of_a_client_that_is_gone_goes_to_the_next() -> None:
    """What it sent stays on the queue."""
    room = Room(1)
    ann, bob = room.client("ann"), room.client("bob")
    room.say(ann, "1")
    room.say(bob, "2")
    room.destination.closed(ann, LOST, 0.0)
    room.acknowledge(1)
    room.acknowledge(1)

    assert reading(ann, bob) == [False, True]
    assert not room.sink.messages


def test_clients_that_come_and_go_leave_nothing_behind() -> None:
    """While a queue is full they wait and leave; those that are still there are counted as paused."""
    room = Room(1)
    room.say(room.client("ann"), "1")
    for number in range(100):
        room.destination.closed(room.client(str(number)), LOST, 0.0)

    assert room.queues.states(0.0)["chat"]["paused"] == 1


# In a whole process.


async def test_a_browser_and_a_consumer_talk() -> None:
    """The consumer is told who said what, and answers; session and headers go along."""
    async with consuming("queue:chat") as (running, consumer), browsing(running) as (ann, ann_id):
        await ann.send("hello")
        (first,) = await consumer.told(1)
        assert first.data == {"frame": {"type": "text", "data": "hello", "finish": True}}
        assert (first.topic, first.client_id, first.uid) == ("chat", ann_id, None)
        assert (first.headers["upgrade"], first.session) == ("websocket", {})
        assert "user-agent" in first.headers

        assert await consumer.ask(PatchSession(ann_id, {"user_id": 7}, [])) is True

        consumer.link.send(SendToClients([ann_id], "welcome"))
        assert await ann.recv() == "welcome"
        await ann.send(b"\x00")
        (second,) = await consumer.told(1)
        assert second.data == {"frame": {"type": "binary", "data": b"\x00", "finish": True}}
        assert second.session == {"user_id": 7}


async def test_a_full_queue_stops_its_senders_and_nobody_else() -> None:
    """Nothing is lost, all of it comes in order afterwards, and others speak meanwhile."""
    count, size = 300, 64 * 1024
    routes = ("/chat=queue:chat", "queue:rest")
    async with (
        consuming(*routes, topics=("rest",), queue_messages=10) as (running, others),
        browsing(running, "/chat") as (flooding, _),
        browsing(running, "/other") as (quiet, _),
    ):

        async def flood() -> None:
            for number in range(count):
                await flooding.send(f"{number:06}" + "x" * size)

        sending = asyncio.create_task(flood())
        queues = running.process.core.queues
        await turns_until(lambda: queues.is_full("chat"))
        await quiet.send("still here")
        assert text_of((await others.told(1))[0]) == "still here"
        assert not sending.done()
        assert queues.states(0.0)["chat"]["paused"] == 1

        async with Dialler(running.internal) as dialler:
            consumer = await dial_consumer(dialler, "chat", prefetch=5)
            got = []
            for _ in range(count):
                (message,) = await consumer.told(1)
                got.append(int(text_of(message)[:6]))
                consumer.link.send(AcknowledgeMessages([message.message_id]))
            await sending
            assert got == list(range(count))
            assert queues.states(0.0)["chat"]["waiting"] < 11


async def test_what_a_browser_sent_outlives_it() -> None:
    """A browser that has gone is still told of, by its session as it was."""
    async with consuming("queue:chat", topics=("other",)) as (running, consumer):
        async with browsing(running) as (browser, client_id):
            assert await consumer.ask(PatchSession(client_id, {"name": "Ann"}, [])) is True
            await browser.send("bye")
        await running.process.core.clients.all_gone()
        async with Dialler(running.internal) as dialler:
            late = await dial_consumer(dialler, "chat")
            (message,) = await late.told(1)
            assert (text_of(message), message.client_id) == ("bye", client_id)
            assert message.session == {"name": "Ann"}


async def test_a_consumer_that_goes_gives_back_what_it_had() -> None:
    """The next one is told again, and that it was tried."""
    async with (
        consuming("queue:chat", topics=("other",)) as (running, _),
        browsing(running) as (browser, _),
    ):
        await browser.send("once")
        async with Dialler(running.internal) as dialler:
            lost = await dial_consumer(dialler, "chat")
            (first,) = await lost.told(1)
        async with Dialler(running.internal) as dialler:
            (again,) = await (await dial_consumer(dialler, "chat")).told(1)
        assert (again.message_id, again.tries) == (first.message_id, 2)


async def test_devices_take_routes_without_a_path() -> None:
    """They ask for none, and have no headers."""
    room = Room(10)
    connection = bare("meter")
    request = ConnectRequest("", "", MappingProxyType({}), "127.0.0.1", 1, "text", websocket=False)
    room.destination.opened(connection, request, 0.0)
    room.say(connection, "21.5")
    room.acknowledge(0)

    assert [each.connection.headers for each in room.sink.messages] == [{}]
