"""The account of a consumer: what is in store, what is out, and what is said to the gateways."""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_client.consuming import Intake, IntakeState, Request, Store
from gateway_client.queue_message import BaseMessage
from gateway_client.subscription import subscription
from gateway_wire.commands import (
    AcknowledgeMessages,
    Command,
    Consume,
    Error,
    Pong,
    QueueMessage,
    RejectMessages,
    Reply,
    StopConsuming,
)
from gateway_wire.errors import RemoteProtocolError
from gateway_wire.frames import Envelope

Account: TypeAlias = Intake[BaseMessage]


class Consumer:
    """A store, and what its links were given to send."""

    def __init__(self, prefetch: int = 100) -> None:
        self.sent: list[Request] = []
        self.wakes = 0
        asked = subscription(["chat", "orders"], prefetch, "me")
        self.store: Store[BaseMessage] = Store(asked, BaseMessage, None, self._wake)

    def _wake(self) -> None:
        self.wakes += 1

    def link(self) -> Account:
        """Open a link; the gateway lets it consume."""
        account = self.open()
        self.flush()
        answer(account, 1)
        return account

    def open(self) -> Account:
        """Open a link."""
        return self.store.opened(self.sent.extend)

    def flush(self) -> list[Command]:
        """Send what is to be sent, and return it."""
        before = len(self.sent)
        self.store.flush()
        return [command for command, _ in self.sent[before:]]

    def take(self) -> BaseMessage:
        """Hand out a message that is there."""
        message = self.store.take()
        assert message is not None
        return message


def sent(message_id: int, client: str = "c", topic: str = "chat") -> QueueMessage:
    """Return a message that a gateway sends."""
    return QueueMessage(message_id, topic, client, message_id, None, {}, {})


def give(account: Account, *commands: Command) -> None:
    """Let a link bring commands."""
    account.receive([Envelope(command, 0, None) for command in commands])


def answer(account: Account, request_id: int, answer: Command | None = None) -> None:
    """Let a link bring an answer."""
    account.receive([Envelope(answer or Reply(None), request_id, None)])


@pytest.fixture
def consumer() -> Consumer:
    """A consumer without links."""
    return Consumer()


def test_a_link_that_opens_asks_for_messages(consumer: Consumer) -> None:
    """The first that a gateway hears is what is consumed; it answers before it sends."""
    account = consumer.open()

    assert consumer.flush() == [Consume(["chat", "orders"], 100, "me")]
    assert repr(account) == "<Intake asking, 0 messages>"
    answer(account, 1)
    assert repr(account) == "<Intake consuming, 0 messages>"


def test_a_refusal_is_kept(consumer: Consumer) -> None:
    """Whoever asks why nothing comes finds what the gateway said."""
    account = consumer.open()
    refusal = Error("unsupported", "command 144 is unknown here")
    answer(account, 1, refusal)

    assert (account.state, account.refusal) == (IntakeState.REFUSED, refusal)
    assert account.is_finished


def test_messages_come_out_in_the_order_in_which_they_came(consumer: Consumer) -> None:
    """The links of all gateways fill one store."""
    one, other = consumer.link(), consumer.link()
    give(one, sent(1), sent(2))
    give(other, sent(1, "d"))
    give(one, sent(3))

    taken = [consumer.take() for _ in range(4)]
    assert [(t.client_id, t.data) for t in taken] == [("c", 1), ("c", 2), ("d", 1), ("c", 3)]
    assert consumer.store.take() is None
    assert repr(consumer.store) == "<Store of chat, orders: 0 messages>"


def test_acknowledgements_leave_in_batches(consumer: Consumer) -> None:
    """One command says all that was finished since the last, and whoever sends is woken once."""
    account = consumer.link()
    give(account, sent(1), sent(2), sent(3))
    wakes = consumer.wakes
    assert all(account.acknowledge(consumer.take()) for _ in range(3))

    assert consumer.wakes == wakes + 1
    assert consumer.flush() == [AcknowledgeMessages([1, 2, 3])]
    assert consumer.flush() == []


def test_what_is_settled_is_settled_once(consumer: Consumer) -> None:
    """A second word on a message says nothing, and says so."""
    account = consumer.link()
    give(account, sent(1), sent(2))
    done, back = consumer.take(), consumer.take()
    assert account.acknowledge(done)
    assert account.give_back(back)
    consumer.flush()

    second = (account.acknowledge(done), account.give_back(done))
    assert second == (False, False)
    assert (account.acknowledge(back), account.give_back(back)) == (False, False)
    assert done.is_settled
    assert back.is_settled
    assert consumer.flush() == []


def test_what_is_given_back_takes_along_its_lane_behind_it(consumer: Consumer) -> None:
    """Later messages of that client and topic are forgotten, in store or out; others stay."""
    account = consumer.link()
    give(account, sent(1), sent(2), sent(3), sent(4, "d"), sent(5, topic="orders"), sent(6))
    first, second, third = consumer.take(), consumer.take(), consumer.take()
    assert account.acknowledge(third)
    assert account.give_back(second)

    assert consumer.flush() == [AcknowledgeMessages([3]), RejectMessages([2])]
    assert [each.message_id for each in consumer.store.waiting] == [4, 5]
    assert account.acknowledge(first)
    assert consumer.flush() == [AcknowledgeMessages([1])]


def test_what_was_on_its_way_when_a_lane_was_given_back_is_dropped(consumer: Consumer) -> None:
    """Until the gateway answers, what it sends of the lane was sent before; then it comes again."""
    account = consumer.link()
    give(account, sent(1), sent(2))
    out, also_out = consumer.take(), consumer.take()
    assert account.give_back(out)
    consumer.flush()
    give(account, sent(3), sent(4, "d"))
    assert [each.message_id for each in consumer.store.waiting] == [4]
    answer(account, 2)
    give(account, sent(1), sent(2))

    assert [each.message_id for each in consumer.store.waiting] == [4, 1, 2]
    assert not account.acknowledge(also_out)


def test_a_lost_link_takes_its_messages_along(consumer: Consumer) -> None:
    """They come again: what is in store is dropped, what is out is settled; other links stay."""
    lost, other = consumer.link(), consumer.link()
    give(lost, sent(1), sent(2))
    give(other, sent(1, "d"))
    out = consumer.take()
    lost.lose()

    assert out.is_settled
    assert not lost.acknowledge(out)
    assert [each.client_id for each in consumer.store.waiting] == ["d"]
    assert consumer.flush() == []


def test_what_was_to_be_said_on_a_lost_link_is_not_said(consumer: Consumer) -> None:
    """It would mean something else on the next one."""
    account = consumer.link()
    give(account, sent(1))
    assert account.acknowledge(consumer.take())
    account.lose()

    assert consumer.flush() == []


def test_stopping_gives_back_what_nobody_has_looked_at(consumer: Consumer) -> None:
    """Also what was on its way; what is out may be acknowledged, or comes again as a second try."""
    account = consumer.link()
    give(account, sent(1), sent(2), sent(3))
    done, out = consumer.take(), consumer.take()
    account.stop()
    assert account.acknowledge(done)
    untried = RejectMessages([3], tried=False)
    assert consumer.flush() == [StopConsuming(), untried, AcknowledgeMessages([1])]
    give(account, sent(4))
    answer(account, 2)

    assert consumer.flush() == [RejectMessages([4], tried=False)]
    assert (account.is_finished, out.is_settled) == (True, False)
    assert not consumer.store.waiting


def test_stopping_needs_no_give_back_when_nothing_is_in_store(consumer: Consumer) -> None:
    """A second stop, and one of a link that is lost, are harmless."""
    account, lost = consumer.link(), consumer.link()
    lost.lose()
    for each in (account, lost, account):
        each.stop()

    assert consumer.flush() == [StopConsuming()]
    answer(account, 2)
    assert consumer.flush() == []


def test_messages_that_were_not_looked_at_are_put_back(consumer: Consumer) -> None:
    """Whoever took them ahead returns them, in their order; those that are settled are left out."""
    account = consumer.link()
    give(account, sent(1), sent(2), sent(3), sent(4))
    taken = [consumer.take() for _ in range(3)]
    assert account.acknowledge(taken[1])
    consumer.store.put_back(taken)

    assert [each.message_id for each in consumer.store.waiting] == [1, 3, 4]


@pytest.mark.parametrize(
    ("command", "request_id", "text"),
    [
        (Reply(None), 9, "it answered 9, which is not open"),
        (Pong(), 0, "was sent to a consumer"),
    ],
)
def test_what_a_gateway_may_not_say_is_an_error(
    consumer: Consumer, command: Command, request_id: int, text: str
) -> None:
    """The link is to be cut."""
    with pytest.raises(RemoteProtocolError, match=text):
        answer(consumer.link(), request_id, command)


@pytest.mark.parametrize("ids", [(1, 2, 3), (1, 1)])
def test_a_gateway_that_sends_too_much_is_cut(ids: tuple[int, ...]) -> None:
    """So a store never holds more than was asked for of each gateway."""
    consumer = Consumer(prefetch=2)
    account = consumer.link()
    with pytest.raises(RemoteProtocolError, match="it sent more than 2, or one twice"):
        give(account, *map(sent, ids))
    assert len(consumer.store.waiting) == len(set(ids[:2]))


class Queue:
    """A gateway's queue with one consumer: a naive model, and the two ways between them."""

    def __init__(self, lanes: list[str], prefetch: int) -> None:
        self.consumer = Consumer(prefetch)
        self.account = self.consumer.link()
        self.prefetch = prefetch
        self.waiting = [sent(number, client) for number, client in enumerate(lanes)]
        self.unacknowledged: dict[int, QueueMessage] = {}
        self.acknowledged: list[QueueMessage] = []
        self.on_the_way: deque[Envelope] = deque()
        self.finished: list[int] = []
        self.lanes = lanes
        self.consumer.sent.clear()

    def lane(self, client: str) -> list[int]:
        """Return the ids of what a client sent, in order."""
        return [number for number, each in enumerate(self.lanes) if each == client]

    def send(self) -> None:
        """Send all that the consumer may have."""
        while self.waiting and len(self.unacknowledged) < self.prefetch:
            message = self.waiting.pop(0)
            self.unacknowledged[message.message_id] = message
            self.on_the_way.append(Envelope(message, 0, None))

    def hear(self) -> None:
        """Execute the oldest command of the consumer."""
        if not self.consumer.sent:
            return
        command, request_id = self.consumer.sent.pop(0)
        if isinstance(command, AcknowledgeMessages):
            for each in command.message_ids:
                if each in self.unacknowledged:
                    self.acknowledged.append(self.unacknowledged.pop(each))
        else:
            assert isinstance(command, RejectMessages)
            self.on_the_way.append(Envelope(Reply(None), request_id, None))
            self._take_back(command.message_ids[0])

    def _take_back(self, message_id: int) -> None:
        given = self.unacknowledged.get(message_id)
        if given is not None:
            lane = [
                each
                for each in self.unacknowledged.values()
                if each.client_id == given.client_id and each.message_id >= message_id
            ]
            for each in lane:
                del self.unacknowledged[each.message_id]
            self.waiting = sorted([*lane, *self.waiting], key=lambda each: each.message_id)

    def deliver(self) -> None:
        """Let the oldest that is on the way reach the consumer."""
        if self.on_the_way:
            self.account.receive([self.on_the_way.popleft()])

    def flush(self) -> None:
        """Let the consumer send what it has to say."""
        self.consumer.flush()

    def done(self) -> bool:
        """Let the consumer finish a message; return whether there was one."""
        message = self._take()
        if message is not None:
            assert self.account.acknowledge(message)
            self.finished.append(message.message_id)
        return message is not None

    def back(self) -> None:
        """Let the consumer give a message back."""
        message = self._take()
        if message is not None:
            assert self.account.give_back(message)

    def _take(self) -> BaseMessage | None:
        message = self.consumer.store.take()
        if message is not None:
            lane = self.lane(message.client_id)
            before = lane[: lane.index(message.message_id)]
            assert [each for each in self.finished if each in lane] == before
        return message

    def settle(self) -> None:
        """Let all that is on its way arrive."""
        self.send()
        while self.on_the_way or self.consumer.sent or self.consumer.flush():
            self.hear()
            self.send()
            self.deliver()


STEPS = st.lists(
    st.sampled_from(["send", "hear", "deliver", "flush", "done", "done", "back"]),
    min_size=10,
    max_size=80,
)


@given(
    lanes=st.lists(st.sampled_from("abc"), min_size=1, max_size=12),
    prefetch=st.integers(1, 6),
    steps=STEPS,
)
def test_each_message_is_acknowledged_once_and_in_its_lanes_order(
    lanes: list[str], prefetch: int, steps: list[str]
) -> None:
    """However late either side hears of the other, and whatever is given back on the way."""
    queue = Queue(lanes, prefetch)
    for step in steps:
        getattr(queue, step)()
    for _ in lanes:
        queue.settle()
        while queue.done():
            pass
    queue.settle()

    for client in "abc":
        ids = [each.message_id for each in queue.acknowledged if each.client_id == client]
        assert ids == queue.lane(client)
