"""What a recorder has in place of queues."""

from __future__ import annotations

from gateway_client.queue_message import BaseMessage
from gateway_client.recorded_queue import RecordedQueue
from gateway_wire.commands import QueueMessage


def _message(number: int, topic: str) -> QueueMessage:
    return QueueMessage(number, topic, "0" * 32, number, None, {}, {})


def test_messages_are_handed_out_by_topic() -> None:
    """The oldest first; each once."""
    queue = RecordedQueue(None)
    for number, topic in enumerate(("a", "b", "a", "c")):
        queue.put(_message(number, topic))
    assert repr(queue) == "<RecordedQueue of 4 messages>"
    taken = [queue.take(("a", "c"), BaseMessage) for _ in range(4)]
    assert [each and each.data for each in taken] == [0, 2, 3, None]
    rest = queue.take(("b",), BaseMessage)
    assert rest is not None
    assert rest.data == 1


def test_a_message_is_settled_once() -> None:
    """The first word on it counts, and is recorded."""
    queue = RecordedQueue(None)
    for number in range(2):
        queue.put(_message(number, "a"))
    one, two = (queue.take(("a",), BaseMessage) for _ in range(2))
    assert one is not None
    assert two is not None
    assert not one.is_settled
    assert queue.acknowledge(one)
    assert one.is_settled
    assert not queue.give_back(one)
    assert queue.give_back(two)
    assert not queue.acknowledge(two)
    assert (queue.acknowledged, queue.given_back) == ([one], [two])
