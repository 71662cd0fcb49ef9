"""What bounds the queues."""

from gateway.queues.limits import (
    CONSUMER_CREDIT_BYTES,
    MAX_DATA,
    MAX_PREFETCH,
    QueueLimits,
    TooManyTopics,
)
from gateway.settings import GatewaySettings
from gateway_wire.limits import MAX_FRAME, MAX_MESSAGE_CEILING, MAX_UNSENT


def test_the_settings_begin_with_these() -> None:
    """Who makes queues without settings has the same ones."""
    settings = GatewaySettings()
    assert QueueLimits() == QueueLimits(
        messages=settings.queue_messages,
        size=settings.queue_bytes,
        topics=settings.queue_topics,
        tries=settings.queue_tries,
    )


def test_the_bounds_fit_each_other() -> None:
    """A consumer is never cut for what it was sent, and the largest message of a browser has its place."""
    assert CONSUMER_CREDIT_BYTES + MAX_FRAME < MAX_UNSENT
    assert MAX_MESSAGE_CEILING + 100 < MAX_DATA < MAX_FRAME
    assert QueueLimits().messages >= MAX_PREFETCH


def test_no_room_for_a_topic_names_the_setting() -> None:
    """And the topic, cut if it is long."""
    error = TooManyTopics("chat", 100)
    assert str(error) == (
        "there is no room for the topic 'chat': a gateway has 100 at the most; raise --queue-topics, or"
        " use fewer"
    )
    assert len(str(TooManyTopics("x" * 1000, 100))) < 200
