"""Whatever happens to messages, in any order: a random walk beside a naive account of it."""

import logging
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.connection import Connection
from gateway.queues.consumer import Consumer
from gateway.queues.lane import Delivery
from gateway.queues.limits import QueueLimits
from gateway.queues.queues import Queues
from gateway.queues.topic import DEAD
from tests.gateway.queues.queued import Queued
from tests.gateway.support import bare

LIMITS = QueueLimits(messages=8, tries=2, topics=8)
TOPICS = ["kept", "other"]
ALL_TOPICS = [*TOPICS, *(DEAD + each for each in TOPICS)]


@dataclass(eq=False)
class Message:
    """A message that nobody has dealt with, as it should be."""

    data: int
    client: Connection
    topic: str
    tries: int = 1
    message_id: int = 0
    at: "Watched | None" = None
    term: int = 0


@dataclass
class Account:
    """What should have become of a topic's messages."""

    messages: list[Message] = field(default_factory=list)
    pushed: int = 0
    acknowledged: int = 0
    dead: int = 0
    dropped: int = 0
    waiting_clients: list[Connection] = field(default_factory=list)

    def drop(self, message: Message) -> None:
        """Give a message up."""
        self.messages.remove(message)
        self.dropped += 1


class Watched:
    """A consumer that checks each message against what should come next."""

    def __init__(self, world: "World", prefetch: int) -> None:
        self.consumer: Consumer = world.queues.attach(self, prefetch, "watched")
        self.topics: set[str] = set()
        # How often it was stopped: what it has from before keeps further messages of a lane waiting.
        self.term = 0
        self.held: dict[int, Message] = {}
        self._world = world

    def deliver(self, got: Delivery) -> int:
        """Check that this is the next message of its lane, and that the lane is nobody else's."""
        assert got.topic in self.topics
        account = self._world.accounts[got.topic]
        lane = [each for each in account.messages if each.client is got.connection]
        while got.topic.startswith(DEAD) and lane[0].at is None and lane[0].data != got.data:
            account.drop(lane.pop(0))  # for want of room, meanwhile
        before = [each for each in lane if each.at is not None]
        assert all(each.at is self for each in before)
        due = lane[len(before)]
        assert (got.data, got.tries) == (due.data, due.tries)
        due.at, due.term, due.message_id = self, self.term, got.message_id
        assert got.message_id not in self.held
        self.held[got.message_id] = due
        assert len(self.held) <= self.consumer.prefetch
        return 1

    @property
    def has_room(self) -> bool:
        """Whether it should be given one more."""
        return len(self.held) < self.consumer.prefetch


class World(RuleBasedStateMachine):
    """Clients, consumers and what they say in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.queues = Queues(LIMITS)
        self.queues.open_topic("kept")
        self.clients = [bare(f"client{number}") for number in range(3)]
        self.consumers: list[Watched] = []
        self.accounts = {topic: Account() for topic in ALL_TOPICS}
        self._pushed = 0

    # What clients do.

    @rule(topic=st.sampled_from(TOPICS), number=st.integers(0, 2), count=st.sampled_from([1, 2, 5]))
    def push(self, topic: str, number: int, count: int) -> None:
        """A client sends some messages, unless it is not read from; then it waits for room."""
        account, client = self.accounts[topic], self.clients[number]
        if client in account.waiting_clients:
            return
        for _ in range(count):  # read already, so they are taken even where there is no room
            self._pushed += 1
            account.messages.append(Message(self._pushed, client, topic))
            account.pushed += 1
            has_room = self.queues.push(topic, self._pushed, client, 0.0)
            assert has_room is (len(account.messages) < LIMITS.messages)
        if self.queues.is_full(topic):
            account.waiting_clients.append(client)
            self.queues.call_when_room(topic, lambda: self._resume(account, client))

    def _resume(self, account: Account, client: Connection) -> None:
        assert len(account.messages) < LIMITS.messages
        assert account.waiting_clients.pop(0) is client

    # What consumers do.

    @precondition(lambda self: len(self.consumers) < 4)
    @rule(
        topics=st.sets(st.sampled_from(ALL_TOPICS), min_size=1), prefetch=st.sampled_from([1, 2, 9])
    )
    def come(self, topics: set[str], prefetch: int) -> None:
        """A consumer comes."""
        self.consumers.append(Watched(self, prefetch))
        self._consume(self.consumers[-1], topics)

    @precondition(lambda self: self.consumers)
    @rule(data=st.data(), topic=st.sampled_from(ALL_TOPICS))
    def consume_more(self, data: st.DataObject, topic: str) -> None:
        """A consumer wants one more topic; also one that was stopped."""
        self._consume(data.draw(st.sampled_from(self.consumers)), {topic})

    def _consume(self, watched: Watched, topics: set[str]) -> None:
        watched.topics |= topics
        self.queues.consume(watched.consumer, sorted(topics))

    @precondition(lambda self: any(each.held for each in self.consumers))
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        """A consumer deals with some of its messages, in any order, and says some twice."""
        watched = data.draw(st.sampled_from([each for each in self.consumers if each.held]))
        ids = data.draw(st.lists(st.sampled_from(list(watched.held)), min_size=1))
        for message_id in dict.fromkeys(ids):
            message = watched.held.pop(message_id)
            account = self.accounts[message.topic]
            account.messages.remove(message)
            account.acknowledged += 1
        self.queues.acknowledge(watched.consumer, ids)

    @precondition(lambda self: any(each.held for each in self.consumers))
    @rule(data=st.data(), tried=st.booleans())
    def reject(self, data: st.DataObject, tried: bool) -> None:
        """A consumer gives some of its messages back."""
        watched = data.draw(st.sampled_from([each for each in self.consumers if each.held]))
        ids = data.draw(st.lists(st.sampled_from(list(watched.held)), min_size=1))
        self._give_back(watched, set(ids), tried=tried)
        self.queues.reject(watched.consumer, ids, tried=tried)

    @precondition(lambda self: self.consumers)
    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        """A consumer wants nothing more."""
        watched = data.draw(st.sampled_from(self.consumers))
        watched.topics.clear()
        watched.term += 1
        self.queues.stop(watched.consumer)

    @precondition(lambda self: self.consumers)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """A consumer is gone, and what is told of it later means nothing."""
        watched = data.draw(st.sampled_from(self.consumers))
        self.consumers.remove(watched)
        watched.topics.clear()
        self._forget_unused()
        ids = list(watched.held)
        self._give_back(watched, set(ids), tried=True)
        self.queues.detach(watched.consumer)
        self.queues.acknowledge(watched.consumer, ids)
        self.queues.detach(watched.consumer)

    def _give_back(self, watched: Watched, ids: set[int], *, tried: bool) -> None:
        given = [watched.held[each] for each in ids]
        back = {
            message_id: message
            for message_id, message in watched.held.items()
            if any(
                message.client is each.client
                and message.topic == each.topic
                and message_id >= each.message_id
                for each in given
            )
        }
        for message_id, message in sorted(back.items()):
            del watched.held[message_id]
            message.at = None
            message.tries += tried and message_id in ids
            if message.tries > LIMITS.tries and not message.topic.startswith(DEAD):
                self._bury(message)

    def _bury(self, message: Message) -> None:
        self.accounts[message.topic].messages.remove(message)
        self.accounts[message.topic].dead += 1
        account = self.accounts[DEAD + message.topic]
        account.messages.append(Message(message.data, message.client, DEAD + message.topic))
        account.pushed += 1

    # What holds at any time.

    def _count(self, name: str) -> int:
        return sum(name in each.topics for each in self.consumers)

    def _exists(self, name: str) -> bool:
        dead = self.accounts.get(DEAD + name)
        left = self.accounts[name].messages or (dead is not None and dead.messages)
        return bool(left or self._count(name) or name == "kept")

    def _forget_unused(self) -> None:
        for name in ALL_TOPICS:
            if not self._exists(name):
                self.accounts[name] = Account()

    @invariant()
    def every_message_is_accounted_for(self) -> None:
        """Each that was pushed was acknowledged, moved, dropped, waits, or is at one consumer."""
        self._forget_unused()
        states = self.queues.states(0.0)
        for name, account in self.accounts.items():
            waiting = [each for each in account.messages if each.at is None]
            while name.startswith(DEAD) and len(account.messages) > LIMITS.messages and waiting:
                account.drop(waiting.pop(0))
            assert (name in states) is self._exists(name)
            if name not in states:
                continue
            state = states[name]
            assert state["waiting"] == len(waiting)
            assert state["unacknowledged"] == len(account.messages) - len(waiting)
            assert state["consumers"] == self._count(name)
            assert state["paused"] == len(account.waiting_clients)
            for counter in ("pushed", "acknowledged", "dead", "dropped"):
                assert state[counter] == getattr(account, counter)
            ended = account.acknowledged + account.dead + account.dropped
            assert account.pushed == ended + len(account.messages)

    @invariant()
    def nobody_with_room_waits(self) -> None:
        """No consumer has room while something is there that it may have."""
        for watched in self.consumers:
            for name in watched.topics if watched.has_room else ():
                messages = self.accounts[name].messages
                for client in self.clients:
                    lane = [each for each in messages if each.client is client]
                    out = [each for each in lane if each.at is not None]
                    is_for_us = not out or (out[0].at is watched and out[0].term == watched.term)
                    assert len(out) == len(lane) or not is_for_us

    @invariant()
    def who_waits_for_room_is_told(self) -> None:
        """Nobody waits for room on a topic that nothing is in."""
        assert not any(
            each.waiting_clients and not each.messages for each in self.accounts.values()
        )

    @invariant()
    def it_is_idle_when_no_consumer_has_anything(self) -> None:
        """The end of the process waits for that."""
        told: list[bool] = []
        self.queues.call_when_idle(lambda: told.append(True))
        assert bool(told) is not any(each.held for each in self.consumers)


World.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, print_blob=True
)
TestWorld = World.TestCase


def test_lanes_take_turns() -> None:
    """A client that has sent much does not keep others waiting."""
    core = Queued()
    core.push("t", *(f"much {number}" for number in range(5)), client="ann")
    core.push("t", "one", client="bob")
    core.push("t", "uno", client="cid")
    end = core.come("w", "t", prefetch=3)
    assert end.data == ["much 0", "one", "uno"]
    core.acknowledge("w", "much 0", "one")
    assert end.data[3:] == ["much 1", "much 2"]


def test_a_lane_at_a_consumer_takes_its_turn_among_those_of_nobody() -> None:
    """The two lines that a consumer looks at are served in the order in which lanes came."""
    core = Queued()
    end = core.come("w", "t", prefetch=2)
    core.push("t", "a0", "a1", client="ann")
    core.push("t", "a2", client="ann")
    core.push("t", "b0", client="bob")
    core.push("t", "c0", client="cid")
    for data in ("a0", "a1", "b0"):
        core.acknowledge("w", data)
    assert end.data == ["a0", "a1", "a2", "b0", "c0"]


def test_consumers_with_room_take_turns() -> None:
    """Messages of different clients go round."""
    core = Queued()
    ends = [core.come(name, "t") for name in "xyz"]
    for number in range(6):
        core.push("t", number, client=str(number))
    assert [end.data for end in ends] == [[0, 3], [1, 4], [2, 5]]


def test_topics_of_a_consumer_take_turns() -> None:
    """A topic that much waits on does not keep the other waiting."""
    core = Queued()
    for number in range(4):
        core.push("much", f"m{number}", client=str(number))
    core.push("little", "l0", "l1")
    end = core.come("w", "much", "little", prefetch=4)
    assert end.data == ["m0", "l0", "m1", "l1"]


def test_what_comes_back_comes_first() -> None:
    """Before what waits already, of its own client and of others, in its order."""
    core = Queued()
    core.come("first", "t", prefetch=3)
    core.push("t", "a0", client="ann")
    core.push("t", "b0", "b1", "b2", client="bob")
    core.push("t", "c0", client="cid")
    core.leave("first")
    end = core.come("second", "t")
    assert [(each.data, each.tries) for each in end.sent] == [
        ("a0", 2),
        ("b0", 2),
        ("c0", 1),
        ("b1", 2),
        ("b2", 1),
    ]


def test_what_is_given_back_takes_along_what_is_behind_it() -> None:
    """That was no try for these; what is before it, and other clients', stays."""
    core = Queued()
    end = core.come("w", "t")
    core.push("t", "a0", "a1", "a2", client="ann")
    core.push("t", "b0", client="bob")
    core.reject("w", "a1")
    assert [(each.data, each.tries) for each in end.sent[4:]] == [("a1", 2), ("a2", 1)]
    assert core.state("t")["unacknowledged"] == 4


def test_messages_that_nobody_looked_at_were_not_tried() -> None:
    """However often they are given back."""
    core = Queued(tries=1)
    end = core.come("w", "t")
    core.push("t", "a0", "a1")
    for _ in range(3):
        core.reject("w", "a0", tried=False)
    assert {each.tries for each in end.sent} == {1}
    assert core.state("t")["redelivered"] == 6


def test_a_message_that_was_tried_often_enough_is_dead() -> None:
    """It is a new message of its client on the topic of the dead; those behind it go on."""
    core = Queued(tries=2)
    end = core.come("w", "t")
    core.push("t", "bad", "good")
    core.reject("w", "bad")
    core.reject("w", "bad")
    assert end.data == ["bad", "good", "bad", "good", "good"]
    dead = core.come("undertaker", "dead:t")
    assert [(each.data, each.tries, each.topic) for each in dead.sent] == [("bad", 1, "dead:t")]
    assert dead.sent[0].connection is core.client("ann")
    for _ in range(5):
        core.reject("undertaker", "bad")
    assert core.state("dead:t")["unacknowledged"] == 1


def test_a_topic_stays_as_long_as_its_dead() -> None:
    """It says how many died, also when nobody else has anything to do with it."""
    core = Queued(tries=1)
    core.come("w", "t")
    core.push("t", "bad")
    core.reject("w", "bad")
    core.leave("w")
    assert core.state("t") == {"pushed": 1, "delivered": 1, "dead": 1}
    core.come("undertaker", "dead:t")
    core.acknowledge("undertaker", "bad")
    assert core.queues.topics.keys() == {"dead:t"}
    core.leave("undertaker")
    assert not core.queues.topics


def test_the_dead_keep_their_order() -> None:
    """In whatever order they are given back."""
    core = Queued(tries=1)
    core.come("w", "t")
    core.push("t", 0, 1, 2)
    core.reject("w", 2, 0, 1)
    assert core.come("undertaker", "dead:t").data == [0, 1, 2]


def test_the_oldest_dead_make_room() -> None:
    """They are counted; those that a consumer has stay."""
    core = Queued(tries=1, messages=2)
    core.come("w", "t")
    core.push("t", 0)
    core.reject("w", 0)
    core.come("undertaker", "dead:t", prefetch=1)
    core.push("t", 1, 2, 3)
    core.reject("w", 1, 2, 3)
    state = core.state("dead:t")
    assert (state["pushed"], state["dropped"], state["unacknowledged"]) == (4, 2, 1)
    core.acknowledge("undertaker", 0)
    assert core.ends["undertaker"].data == [0, 3]


def test_the_log_tells_the_first_of_each_kind(caplog: pytest.LogCaptureFixture) -> None:
    """A consumer that rejects all it gets shall not fill the disk."""
    caplog.set_level(logging.WARNING, "gateway")
    core = Queued(tries=1, messages=1)
    core.come("w", "t")
    for number in range(4):
        core.push("t", number)
        core.reject("w", number)
    assert [record.getMessage() for record in caplog.records] == [
        "a message on 't' was tried 1 times and not acknowledged; such go to 'dead:t'",
        "'dead:t' is full: its oldest messages are dropped",
    ]


def test_without_room_for_the_topic_of_the_dead_they_are_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """That counts where they were, and the log tells the first."""
    caplog.set_level(logging.WARNING, "gateway")
    core = Queued(tries=1, topics=1)
    core.queues.open_topic("t")
    core.come("w", "t")
    core.push("t", 0, 1)
    core.reject("w", 0)
    core.reject("w", 1)
    assert core.state("t") == {
        "pushed": 2, "delivered": 3, "redelivered": 1, "dropped": 2, "consumers": 1,
    }  # fmt: skip
    (told,) = caplog.messages
    assert told.startswith(
        "a message on 't' was tried too often, and such are dropped: there is no"
    )
