"""What consumers say, on real links."""

import pytest

from gateway.connection import Connection
from gateway.edge.upgrade import MAX_HEAD
from gateway.queues.limits import CONSUMER_CREDIT_BYTES, MAX_DATA, MAX_PREFETCH, QueueLimits
from gateway_wire.commands import (
    AcknowledgeMessages,
    Command,
    Consume,
    Error,
    ListQueues,
    QueueMessage,
    RejectMessages,
    Reply,
    StopConsuming,
)
from gateway_wire.errors import ErrorCode
from gateway_wire.limits import MAX_FRAME, MAX_ID_LENGTH, MAX_SESSION
from tests.gateway.handlers.linked import Linked, linked
from tests.gateway.handlers.support import Gateway
from tests.gateway.running import WorkerLink
from tests.gateway.support import turns_until


def push(core: Linked, client: Connection, *messages: object, topic: str = "chat") -> None:
    """Put messages of a client on a topic."""
    for each in messages:
        core.queues.push(topic, each, client, core.now)


async def data_of(consumer: WorkerLink, count: int) -> list[object]:
    """Give the data of the next messages."""
    return [message.data for message in await consumer.told(count)]


async def test_a_consumer_gets_all_that_is_known_of_a_message() -> None:
    """The session is that of the moment at which it leaves, or of the client's end; uid that of its coming."""
    async with linked() as core:
        ann = core.connect(uid="42")
        ann.headers = {"host": "example.org"}
        push(core, ann, {"frame": {"type": "binary", "data": b"\xff", "finish": True}})
        core.hub.bind(ann, "43")
        core.hub.store_session(ann, {"user_id": 1000})
        core.hub.remove(ann)
        consumer = await core.consumer("chat", "orders")

        assert (await consumer.next()) == (
            0,
            QueueMessage(
                message_id=1,
                topic="chat",
                client_id=ann.client_id,
                data={"frame": {"type": "binary", "data": b"\xff", "finish": True}},
                uid="42",
                headers={"host": "example.org"},
                session={"user_id": 1000},
                tries=1,
            ),
        )


async def test_acknowledgements_make_room() -> None:
    """A consumer has no more than it wants, in order; they need no answer."""
    async with linked() as core:
        push(core, core.connect(), *range(6))
        consumer = await core.consumer("chat", prefetch=2)
        assert await data_of(consumer, 2) == [0, 1]
        consumer.link.send(AcknowledgeMessages([1]))
        assert await data_of(consumer, 1) == [2]
        consumer.link.send(AcknowledgeMessages([2, 3]), 99)
        assert sorted([type(each).__name__ for each in await consumer.told(3)]) == [
            "QueueMessage",
            "QueueMessage",
            "Reply",
        ]


async def test_what_is_given_back_comes_behind_the_answer() -> None:
    """So that its old acknowledgements and its new coming cannot be mixed up."""
    async with linked() as core:
        push(core, core.connect(), "a", "b")
        consumer = await core.consumer("chat")
        await consumer.told(2)
        consumer.link.send(RejectMessages([1]), 9)
        answer, again, behind = [await consumer.next() for _ in range(3)]

        assert answer == (9, Reply(None))
        assert [(each.data, each.tries) for _, each in (again, behind)] == [("a", 2), ("b", 1)]


async def test_messages_that_nobody_looked_at_go_to_others_untried() -> None:
    """A consumer that ends stops first, and gives back what it has in store."""
    async with linked() as core:
        push(core, core.connect(), "a", "b")
        one = await core.consumer("chat")
        await one.told(2)
        assert await one.ask(StopConsuming()) is None
        other = await core.consumer("chat")
        assert await one.ask(RejectMessages([1, 2], tried=False)) is None

        assert [(each.data, each.tries) for each in await other.told(2)] == [("a", 1), ("b", 1)]


async def test_what_a_lost_consumer_had_goes_to_others() -> None:
    """Its last words count."""
    async with linked() as core:
        push(core, core.connect(), "a", "b")
        one, other = await core.consumer("chat"), await core.consumer("chat")
        await one.told(2)
        one.link.send(AcknowledgeMessages([1]))
        one.link.close(ErrorCode.STOPPING, "gone")

        assert [(each.data, each.tries) for each in await other.told(1)] == [("b", 2)]
        assert core.queues.states(core.now)["chat"]["consumers"] == 1
        assert repr(core.of_queues) == "<QueueHandlers of 1 consumers>"


async def test_a_message_for_a_link_that_is_closed_waits_for_its_end() -> None:
    """Nothing is lost between the end of a link and the moment at which the queues are told."""
    async with linked() as core:
        consumer = await core.consumer("chat")
        link = next(iter(core.of_queues._consumers))
        link.close(ErrorCode.STOPPING, "closed by this side")
        push(core, core.connect(), "a")
        await consumer.owner.ended.wait()
        await turns_until(lambda: not core.of_queues._consumers)

        assert core.queues.states(core.now)["chat"]["waiting"] == 1


async def test_a_link_consumes_once() -> None:
    """The second time is refused, and the first goes on."""
    async with linked() as core:
        consumer = await core.consumer("chat")
        refusal = await consumer.ask(Consume(["orders"], 10))
        assert isinstance(refusal, Error)
        assert "open another, or name all topics at once" in refusal.text
        push(core, core.connect(), "a")
        assert await data_of(consumer, 1) == ["a"]


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (Consume([], 1), "invalid", "name a topic"),
        (Consume(["chat", ""], 1), "invalid", "a topic must not be empty"),
        (Consume(["x" * (MAX_ID_LENGTH + 1)], 1), "too_large", "longer than 1024 bytes"),
        (Consume(["chat"], 1, "x" * (MAX_ID_LENGTH + 1)), "too_large", "the name xxxx"),
        (Consume(["chat"], 0), "invalid", "prefetch is 0: give 1 to 10,000 messages"),
        (Consume(["chat"], MAX_PREFETCH + 1), "invalid", "prefetch is 10001: give 1 to 10,000"),
        (Consume(["a", "b"], 1), "invalid", "raise --queue-topics, or use fewer"),
    ],
)
async def test_what_cannot_be_consumed_is_told(command: Command, code: str, told: str) -> None:
    """With the remedy; the link may try again."""
    async with linked() as core:
        core.queues.limits = QueueLimits(topics=1)
        consumer = await core.consumer()
        refusal = await consumer.ask(command)

        assert isinstance(refusal, Error)
        assert refusal.error == code
        assert told in refusal.text
        assert await consumer.ask(Consume(["chat"], 1)) is None


async def test_words_of_a_link_that_does_not_consume_mean_nothing() -> None:
    """They may have crossed with its end."""
    async with linked() as core:
        push(core, core.connect(), "a")
        await core.consumer("chat")
        other = await core.consumer()
        for command in (StopConsuming(), AcknowledgeMessages([1]), RejectMessages([1])):
            assert await other.ask(command) is None
        assert core.queues.states(core.now)["chat"]["unacknowledged"] == 1


async def test_a_link_that_ended_before_it_was_heard_consumes_nothing() -> None:
    """It would be a consumer that nobody ever takes away."""
    async with linked() as core:
        consumer = await core.consumer()
        consumer.link.send(Consume(["chat"], 1))
        consumer.link.close(ErrorCode.STOPPING, "gone")
        await consumer.owner.ended.wait()
        await core.consumer("orders")

        assert [*core.queues.topics] == ["orders"]


async def test_a_session_that_fits_no_frame_stays_out() -> None:
    """Beside the largest data; the message itself is whole."""
    async with linked() as core:
        ann = core.connect()
        core.hub.store_session(ann, {"large": "x" * (MAX_SESSION - 100)})
        data = b"x" * (MAX_DATA - 5)
        push(core, ann, data)
        consumer = await core.consumer("chat")
        (message,) = await consumer.told(1)

        assert len(data) + MAX_SESSION > MAX_FRAME
        assert (message.data, message.session) == (data, {})


async def test_a_consumer_that_does_not_read_is_sent_so_much_and_no_more() -> None:
    """However many messages it wants; it stays, and gets the rest in order when it reads again."""
    async with linked() as core:
        consumer = await core.consumer("chat", prefetch=MAX_PREFETCH)
        consumer.link.pause_reading()
        size, count = 1 << 20, 40
        push(core, core.connect(), *(bytes([number]) + bytes(size) for number in range(count)))
        state = core.queues.states(core.now)["chat"]
        assert state["unacknowledged"] == CONSUMER_CREDIT_BYTES // size

        consumer.link.resume_reading()
        for number in range(count):
            (message,) = await consumer.told(1)
            assert message.data[0] == number
            consumer.link.send(AcknowledgeMessages([message.message_id]))


async def test_the_largest_data_fits_beside_the_largest_headers() -> None:
    """And the longest names: a head of 16 KiB may be twice that in UTF-8."""
    async with linked() as core:
        ann = core.connect(uid="u" * MAX_ID_LENGTH)
        ann.headers = {"cookie": "\xff" * MAX_HEAD}
        data = b"x" * (MAX_DATA - 5)
        push(core, ann, data, topic="t" * MAX_ID_LENGTH)
        consumer = await core.consumer("t" * MAX_ID_LENGTH)
        (message,) = await consumer.told(1)

        assert (message.data, message.headers) == (data, ann.headers)


def test_queues_are_listed_by_topic() -> None:
    """As the command's documentation says."""
    core = Gateway()
    core.queues.push("chat", "a", core.connect(), core.now)
    core.now += 1.5
    assert core.execute(ListQueues()) == {
        "chat": {
            "waiting": 1,
            "unacknowledged": 0,
            "bytes": 1027,
            "age": 1.5,
            "consumers": 0,
            "paused": 0,
            "pushed": 1,
            "delivered": 0,
            "redelivered": 0,
            "acknowledged": 0,
            "dead": 0,
            "dropped": 0,
        }
    }
