"""What bounds the queues of one gateway process, each with its reason; the settings begin with these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway_wire.limits import EVENT_CREDIT_BYTES, MAX_FRAME, MAX_PREFETCH

__all__ = [
    "CONSUMER_CREDIT_BYTES",
    "MAX_DATA",
    "MAX_PREFETCH",
    "MESSAGE_OVERHEAD",
    "OVERFULL",
    "QueueLimits",
    "TooManyTopics",
]

MESSAGE_OVERHEAD: Final = 1024
"""Bytes that a message counts beside its data, so that a flood of empty messages is bounded too: about what
Python keeps for one that waits. That is 1.2 KB where it is the only one of its client, 1.7 KB if the client
has gone, and 250 bytes where a client has many. The headers of the client count beside it, once."""

OVERFULL: Final = 2
"""Times its bounds that a topic may hold before what clients have left behind is refused: these cannot be
made to wait, and come again at once. Until then there is room for the last word of everybody."""

CONSUMER_CREDIT_BYTES: Final = EVENT_CREDIT_BYTES
"""Bytes that a consumer may have been sent and not have acknowledged; one message may pass it. Half of what
may be unsent on a link, so that a consumer that does not read is never cut for what it was sent, and
`prefetch` large messages, each with headers and a session, do not wait there without bound."""

MAX_DATA: Final = MAX_FRAME - 48 * 1024
"""Bytes of one message's data: in a frame it must fit beside names and the headers of a handshake. Those
are 16 KiB at the most, and twice that in UTF-8; the largest message of a browser fits, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLimits:
    """How much the queues of a process hold, and how often they try.

    Attributes:
        messages: Messages of a topic, those at consumers included; some seconds of work for one
            consumer, and a quarter of an hour for one that needs 0.1 s for each.
        size: Their bytes, with `MESSAGE_OVERHEAD` for each; beside 10,000 small messages there is room for
            some large ones.
        topics: Topics of a process, those of dead messages included: each has labels in the metrics.
        tries: Times that a message is given to a consumer before it counts as dead.
    """

    messages: int = 10_000
    size: int = 16 * 1024 * 1024
    topics: int = 100
    tries: int = 5


class TooManyTopics(Exception):
    """There are as many topics as there may be.

    Attributes:
        topic: The one that there is no room for.
        limit: How many there may be.
    """

    def __init__(self, topic: str, limit: int) -> None:
        super().__init__(topic, limit)
        self.topic = topic
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"there is no room for the topic {self.topic!r:.40}: a gateway has {self.limit} at the most;"
            " raise --queue-topics, or use fewer"
        )
