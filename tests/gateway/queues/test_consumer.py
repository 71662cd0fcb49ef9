"""A consumer, and where its subscriptions stand."""

import pytest

from gateway.queues.consumer import Consumer, Subscription
from gateway.queues.lane import Lane
from gateway.queues.limits import CONSUMER_CREDIT_BYTES, QueueLimits
from gateway.queues.topic import Topic
from tests.gateway.queues.queued import End
from tests.gateway.support import bare


@pytest.fixture
def topic() -> Topic:
    """Give a topic that nothing is in."""
    return Topic("t", QueueLimits())


@pytest.fixture
def consumer() -> Consumer:
    """Give a consumer."""
    return Consumer(End(), 2, "w")


def test_a_subscription_is_in_one_place(topic: Topic, consumer: Consumer) -> None:
    """Due at its consumer, or idle in its topic, until it ends."""
    subscription = Subscription(consumer, topic)
    assert (list(consumer.due), list(topic.idle)) == ([subscription], [])
    subscription.be_idle()
    assert (list(consumer.due), list(topic.idle)) == ([], [subscription])
    subscription.line_up(Lane(topic, bare("ann")))
    assert (list(consumer.due), list(topic.idle)) == ([subscription], [])
    subscription.end()
    subscription.line_up(Lane(topic, bare("bob")))
    assert (list(consumer.due), list(topic.idle), topic.consumers) == ([], [], 0)


def test_the_lane_that_came_first_is_next(topic: Topic, consumer: Consumer) -> None:
    """Whether it is this consumer's or nobody's."""
    subscription = Subscription(consumer, topic)
    lanes = [Lane(topic, bare(f"client{number}")) for number in range(4)]
    for lane, line_up in zip(
        lanes,
        (topic.line_up, subscription.line_up, subscription.line_up, topic.line_up),
        strict=True,
    ):
        line_up(lane)
    assert [subscription.next_lane() for _ in range(5)] == [*lanes, None]


def test_room_is_bounded_in_messages_and_bytes(topic: Topic, consumer: Consumer) -> None:
    """Whichever is reached first."""
    lane = Lane(topic, bare("ann"))
    assert consumer.has_room
    consumer.unacknowledged.update({1: lane, 2: lane})
    assert not consumer.has_room
    del consumer.unacknowledged[2]
    consumer.unacknowledged_size = CONSUMER_CREDIT_BYTES
    assert not consumer.has_room
    consumer.forget_all()
    assert consumer.has_room


def test_a_consumer_is_called_by_its_name(consumer: Consumer) -> None:
    """Or by having none."""
    assert str(consumer) == "w"
    assert str(Consumer(End(), 1, "")) == "without a name"
