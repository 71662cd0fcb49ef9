"""What others call of the queues: bounds, topics that come and go, consumers, and the end."""

import logging
from functools import partial

import pytest

from gateway.connection import Connection
from gateway.queues.limits import MAX_DATA, MAX_PREFETCH, QueueLimits, TooManyTopics
from gateway_wire.errors import MessageTooLarge
from tests.gateway.queues.queued import End, Queued


def test_a_message_waits_for_a_consumer() -> None:
    """And goes to it with what its client was then."""
    core = Queued()
    ann = core.client("ann")
    ann.uid = "42"
    core.push("t", {"frame": {"data": b"\x00", "finish": True}})
    ann.uid = None
    core.now += 5
    assert core.state("t")["age"] == 5
    (message,) = core.come("w", "t").sent
    assert message.data == {"frame": {"data": b"\x00", "finish": True}}
    assert (message.connection, message.uid, message.topic, message.tries) == (ann, "42", "t", 1)
    assert message.pushed_at == 1000


def test_a_consumer_has_no_more_than_it_wants() -> None:
    """One more comes for each that it acknowledges."""
    core = Queued()
    core.push("t", *range(5))
    end = core.come("w", "t", prefetch=2)
    assert end.data == [0, 1]
    core.acknowledge("w", 1)
    assert end.data == [0, 1, 2]


def test_a_consumer_has_no_more_bytes_than_it_may() -> None:
    """One message may pass the bound, so that none is too large to be sent."""
    core = Queued()
    core.push("t", *range(5))
    end = core.come("w", "t", size=5 * 1024 * 1024)
    assert end.data == [0, 1]
    core.acknowledge("w", 0)
    assert end.data == [0, 1, 2]


def test_acknowledgements_of_others_messages_are_ignored() -> None:
    """Those of another consumer, those that were said before, and those that never were."""
    core = Queued()
    core.come("one", "t")
    core.push("t", "a")
    core.come("two", "t")
    (message_id,) = core.ids("one", "a")
    core.queues.acknowledge(core.consumers["two"], [message_id, 99])
    core.queues.reject(core.consumers["two"], [message_id, 99], tried=True)
    assert core.state("t")["unacknowledged"] == 1
    core.queues.acknowledge(core.consumers["one"], [message_id, message_id])
    assert core.state("t")["acknowledged"] == 1


def test_the_log_tells_who_comes_and_goes(caplog: pytest.LogCaptureFixture) -> None:
    """Once each, and nothing of one that never consumed."""
    core = Queued()
    with caplog.at_level(logging.INFO, "gateway"):
        core.queues.detach(core.queues.attach(End(), 1, "idle"))
        core.come("w", "t")
        core.queues.stop(core.consumers["w"])
        core.leave("w")
        core.leave("w")
    assert caplog.messages == ["consumer w takes messages of ['t']", "consumer w is gone"]


def test_a_consumer_that_stops_keeps_what_it_has() -> None:
    """What its clients send meanwhile waits, since it would come before its time elsewhere."""
    core = Queued()
    core.come("one", "t")
    core.push("t", "a0", client="ann")
    core.queues.stop(core.consumers["one"])
    other = core.come("two", "t")
    core.push("t", "a1", client="ann")
    core.push("t", "b0", client="bob")
    assert other.data == ["b0"]
    core.acknowledge("one", "a0")
    assert other.data == ["b0", "a1"]


def test_a_consumer_may_want_more_later() -> None:
    """Also after it was stopped; what it consumes already does not count twice."""
    core = Queued()
    end = core.come("w", "t")
    core.push("u", "u0")
    core.queues.consume(core.consumers["w"], ["t", "u"])
    assert (end.data, core.state("t")) == (["u0"], {"consumers": 1})
    core.queues.stop(core.consumers["w"])
    core.push("t", "t0")
    core.queues.consume(core.consumers["w"], ["t"])
    assert end.data == ["u0", "t0"]
    assert set(core.consumers["w"].topics) == {"t"}


@pytest.mark.parametrize("prefetch", [0, MAX_PREFETCH + 1])
def test_a_consumer_wants_one_message_or_more_at_a_time(prefetch: int) -> None:
    """And no more than the queues hold."""
    with pytest.raises(ValueError, match=rf"prefetch is {prefetch}: give 1 to 10,000 messages"):
        Queued().queues.attach(End(), prefetch, "w")


# Bounds.


def test_a_topic_is_full_at_its_messages() -> None:
    """Those that consumers have count; what comes nevertheless is taken."""
    core = Queued(messages=3)
    assert core.push("t", 0, 1)
    core.come("w", "t", prefetch=1)
    assert not core.push("t", 2)
    assert not core.push("t", 3)
    assert core.queues.is_full("t")
    assert not core.queues.is_full("another")
    core.acknowledge("w", 0)
    core.acknowledge("w", 1)
    assert not core.queues.is_full("t")
    assert core.state("t")["waiting"] == 1


def test_a_topic_is_full_at_its_bytes() -> None:
    """Each message counts what it is packed, and what the gateway needs for it."""
    core = Queued(size=4 * 1024)
    assert core.push("t", "x" * 1000)
    assert not core.push("t", "x" * 1042)  # a byte says that the client has no headers
    assert core.state("t")["bytes"] == 2 * (1024 + 3) + 1000 + 1042 + 1


def test_who_waits_for_room_is_told_in_turn() -> None:
    """One for each message that leaves, while there is room."""
    core = Queued(messages=3)
    core.push("t", *range(4))
    told: list[str] = []
    for name in ("first", "second", "third"):
        core.queues.call_when_room("t", partial(told.append, name))
    core.come("w", "t")
    core.acknowledge("w", 0)
    assert told == []
    core.acknowledge("w", 1)
    assert told == ["first"]
    core.acknowledge("w", 2)
    assert told == ["first", "second"]


def test_who_makes_no_use_of_a_place_passes_it_on() -> None:
    """Such as a client that is gone."""
    core = Queued(messages=2)
    core.push("t", 0, 1)
    told: list[str] = []
    core.queues.call_when_room("t", lambda: False)
    core.queues.call_when_room("t", lambda: told.append("one"))
    core.queues.call_when_room("t", lambda: told.append("two"))
    core.come("w", "t")
    core.acknowledge("w", 0)
    assert told == ["one"]


def test_who_waits_no_longer_can_say_so() -> None:
    """It is not counted any more, and keeps no topic."""
    core = Queued(messages=1)
    core.push("t", 0)
    told: list[str] = []
    callbacks = [partial(told.append, name) for name in ("one", "two")]
    for callback in callbacks:
        core.queues.call_when_room("t", callback)
    core.queues.forget_callback("t", callbacks[0])
    core.queues.forget_callback("t", callbacks[0])
    core.queues.forget_callback("another", callbacks[0])
    assert core.state("t")["paused"] == 1
    core.come("w", "t")
    core.acknowledge("w", 0)
    assert told == ["two"]


def test_all_are_told_when_nothing_is_left() -> None:
    """Nothing would leave any more for which the others could be told."""
    core = Queued(messages=1)
    core.push("t", 0)
    told: list[int] = []
    for number in range(3):
        core.queues.call_when_room("t", partial(told.append, number))
    core.come("w", "t")
    core.acknowledge("w", 0)
    assert told == [0, 1, 2]


def test_who_is_told_may_push() -> None:
    """Whoever comes next then waits on."""
    core = Queued(messages=1)
    core.push("t", 0)
    core.queues.call_when_room("t", lambda: core.push("t", 1) and None)
    told: list[str] = []
    core.queues.call_when_room("t", lambda: told.append("second"))
    core.come("w", "t")
    core.acknowledge("w", 0)
    assert (told, core.state("t")["paused"]) == ([], 1)
    core.acknowledge("w", 1)
    assert told == ["second"]


def test_where_there_is_room_nobody_waits() -> None:
    """Not for a topic that does not exist either."""
    core = Queued()
    told: list[str] = []
    core.queues.call_when_room("t", lambda: told.append("t"))
    assert told == ["t"]


def test_new_limits_count_at_once() -> None:
    """Who waited is told if there is room now."""
    core = Queued(messages=2)
    core.push("t", 0, 1)
    told: list[str] = []
    core.queues.call_when_room("t", lambda: told.append("room"))
    core.queues.limits = QueueLimits(messages=3)
    assert told == ["room"]
    assert core.queues.limits.messages == 3
    assert not core.push("t", 2)


def test_messages_that_no_frame_could_carry_are_refused() -> None:
    """Also what cannot be packed: to who pushes, not to who consumes."""
    core = Queued()
    with pytest.raises(MessageTooLarge, match="push it in parts"):
        core.push("t", b"x" * MAX_DATA)
    with pytest.raises(TypeError):
        core.push("t", object())
    with pytest.raises(ValueError, match="64 bits"):
        core.push("t", [2**64])
    assert core.queues.topics == {}


# Topics.


def test_a_topic_exists_while_there_is_anything_to_it() -> None:
    """A message, a consumer, or a route that leads there."""
    core = Queued()
    core.queues.open_topic("kept")
    core.come("w", "t")
    assert set(core.queues.topics) == {"kept", "t"}
    core.push("t", 0)
    core.queues.stop(core.consumers["w"])
    assert set(core.queues.topics) == {"kept", "t"}
    core.acknowledge("w", 0)
    assert set(core.queues.topics) == {"kept"}


def test_there_are_only_so_many_topics() -> None:
    """Who wants one more is told how many there are and which setting says so; nothing is done."""
    core = Queued(topics=2)
    core.push("one", 0)
    core.queues.check_topics(["one", "two"])
    for wants in (
        lambda: core.queues.check_topics(["two", "three"]),
        lambda: core.come("w", "two", "three"),
    ):
        with pytest.raises(TooManyTopics, match="2 at the most; raise --queue-topics"):
            wants()
    core.queues.open_topic("two")
    with pytest.raises(TooManyTopics):
        core.push("three", 0)
    assert set(core.queues.topics) == {"one", "two"}
    core.queues.limits = QueueLimits(topics=1)
    core.come("w", "one", "two")


# Consumers that are gone, and the end.


def test_what_a_lost_consumer_had_is_sent_again() -> None:
    """It may have been looked at, so that was a try; being told twice changes nothing."""
    core = Queued()
    core.come("one", "t")
    core.push("t", 0, 1)
    core.queues.stop(core.consumers["one"])
    other = core.come("two", "t")
    core.leave("one")
    core.leave("one")
    assert [(each.data, each.tries) for each in other.sent] == [(0, 2), (1, 2)]
    assert core.state("t")["redelivered"] == 2


def test_messages_of_a_client_that_is_gone_are_sent() -> None:
    """Whoever it was, it is one lane with what it sent before."""
    core = Queued()
    core.push("t", 0)
    gone: Connection = core.clients.pop("ann")
    core.push("t", 1)
    end = core.come("w", "t")
    assert [each.connection for each in end.sent] == [gone, core.client("ann")]


def test_the_end_waits_for_what_consumers_have() -> None:
    """Not for what nobody consumes."""
    core = Queued()
    told: list[str] = []
    core.push("nobody's", 0)
    core.queues.call_when_idle(lambda: told.append("at once"))
    core.come("one", "t")
    core.push("t", 0)
    core.queues.call_when_idle(lambda: told.append("acknowledged"))
    assert told == ["at once"]
    core.acknowledge("one", 0)
    core.push("t", 1)
    core.queues.call_when_idle(lambda: told.append("gone"))
    assert told == ["at once", "acknowledged"]
    core.leave("one")
    assert told == ["at once", "acknowledged", "gone"]


def test_what_is_left_at_the_end_is_dropped_and_counted() -> None:
    """What consumers still say then means nothing."""
    core = Queued()
    core.come("w", "t", prefetch=1)
    core.push("t", 0, 1, 2)
    core.push("nobody's", 3)
    assert core.queues.give_up() == 4
    assert core.state("t") == {"pushed": 3, "delivered": 1, "dropped": 3, "consumers": 1}
    core.acknowledge("w", 0)
    core.leave("w")
    assert core.queues.unacknowledged == 0
    assert core.queues.give_up() == 0


def test_the_log_says_what_it_is() -> None:
    """Each long-lived object in one line."""
    core = Queued(messages=2)
    core.come("w", "t", prefetch=1)
    core.push("t", 0, 1)
    consumer, topic = core.consumers["w"], core.queues.topics["t"]
    assert repr(core.queues) == "<Queues 1 topics, 1 unacknowledged>"
    assert repr(core.queues._dispatch) == "<Dispatch 1 topics, 1 unacknowledged>"
    assert repr(consumer) == "<Consumer w of 1 topics, has 1>"
    assert repr(topic) == "<Topic 't' 1 waiting, 1 unacknowledged>"
    assert repr(topic.lanes[core.client("ann")]) == "<Lane ann 1 unacknowledged, 1 waiting>"
    assert repr(consumer.subscriptions["t"]) == "<Subscription of w to 't'>"
    assert repr(core.ends["w"].sent[0]) == "<Delivery 1 on 't' of ann>"
