"""One topic, and the line of its lanes."""

import pytest

from gateway.queues.lane import Delivery, Lane
from gateway.queues.limits import MESSAGE_OVERHEAD, QueueLimits
from gateway.queues.topic import Topic
from gateway_wire.frames import pack_field
from tests.gateway.support import bare


def entered(topic: Topic, message_id: int, client: str = "ann") -> Lane | None:
    """Put a message on a topic."""
    clients = {lane.connection.client_id: lane.connection for lane in topic.lanes.values()}
    connection = clients.get(client) or bare(client)
    lane = topic.add(Delivery(message_id, topic.name, connection, pack_field(None), message_id))
    if lane is not None:
        topic.line_up(lane)
    return lane


def test_only_the_first_message_lets_a_lane_line_up() -> None:
    """Behind it the others of the client wait."""
    topic = Topic("t", QueueLimits())
    first = entered(topic, 1)
    assert first is not None
    assert entered(topic, 2) is None
    assert list(topic.line) == [first]


@pytest.mark.parametrize(
    ("messages", "size", "count"), [(3, 1 << 20, 3), (100, 2 * MESSAGE_OVERHEAD, 2)]
)
def test_a_topic_is_full_before_it_has_too_much(messages: int, size: int, count: int) -> None:
    """By number, or by size; what is beyond it is in excess."""
    topic = Topic("t", QueueLimits(messages=messages, size=size + 3))
    for number in range(count):
        assert not topic.is_full
        entered(topic, number)
    assert topic.is_full
    assert not topic.has_excess
    entered(topic, count)
    assert topic.has_excess
    assert not topic.is_overfull
    for number in range(count + 1, 2 * count + 1):
        entered(topic, number)
    assert topic.is_overfull


def test_lanes_line_up_behind_others_or_before_all() -> None:
    """Those that come first together keep their order, and tickets rise along the line."""
    topic = Topic("t", QueueLimits())
    lanes = [entered(topic, number, f"client{number}") for number in range(5)]
    present = [lane for lane in lanes if lane is not None]
    for lane in present[2:]:
        topic.leave_line(lane)
    topic.line_up_first(present[2:4])
    topic.line_up_first(present[4:])
    assert list(topic.line) == [present[4], present[2], present[3], present[0], present[1]]
    tickets = [lane.ticket for lane in topic.line]
    assert tickets == sorted(tickets)


def test_the_oldest_that_waits_can_be_given_up() -> None:
    """With its lane if nothing else is in it; not what a consumer has."""
    topic = Topic("t", QueueLimits(messages=2))
    for number, client in enumerate(["ann", "bob", "ann", "cem"]):
        entered(topic, number, client)
    out = topic.lanes[next(iter(topic.lanes))]
    out.unacknowledged[0] = out.next()
    assert topic.drop_excess() == 2
    assert [lane.connection.client_id for lane in topic.lanes.values()] == ["ann", "cem"]
    assert [lane.connection.client_id for lane in topic.line] == ["cem"]
    assert topic.drop_excess() == 0
    topic.limits = QueueLimits(messages=0)
    assert topic.drop_excess() == 1
    assert (topic.counters.dropped, topic.is_empty, list(topic.line)) == (3, False, [])


def test_headers_of_a_client_count_while_it_has_something() -> None:
    """Once, however much that is: a client that has gone is remembered with them."""
    topic = Topic("t", QueueLimits())
    ann = bare("ann")
    ann.headers = {"cookie": "x" * 10_000}
    messages = [Delivery(number, "t", ann, pack_field(None), 0.0) for number in (1, 2)]
    for message in messages:
        topic.add(message)
    lane = topic.lanes[ann]
    assert topic.size == 2 * (MESSAGE_OVERHEAD + 1) + len(ann.packed_headers)
    for message in messages:
        lane.next()
        topic.remove(message)
    topic.leave_line(lane)
    assert topic.size == 0


def test_age_is_that_of_what_is_there_longest() -> None:
    """Zero for nothing, and never below it."""
    topic = Topic("t", QueueLimits())
    assert topic.age(100.0) == 0
    entered(topic, 10)
    entered(topic, 20)
    assert (topic.age(100.0), topic.age(5.0)) == (90, 0)
