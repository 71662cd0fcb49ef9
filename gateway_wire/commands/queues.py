"""Commands between a gateway and those who consume what its clients send, from queues by topic.

A consumer dials every gateway, on a link of its own for each, and says :class:`Consume`. From then on the
gateway sends it :class:`QueueMessage`, at most ``prefetch`` that are not acknowledged yet. What a consumer
has not acknowledged when its link ends, or gives back (:class:`RejectMessages`), goes to another one
with ``tries`` one higher; after too many tries it moves to the topic ``dead:`` and its old name.

The messages of one client on one topic are with one consumer at a time, in the order in which they came. So
a message that is given back takes along those of its client and topic behind it that the same consumer has:
they come again, and their acknowledgements, if they are on the way, count for nothing.
"""

from __future__ import annotations

from typing import Any, Final

from gateway_wire.commands.base import BACKENDS, Command, Role, command
from gateway_wire.commands.replies import NOTHING, QUEUES

__all__ = [
    "AcknowledgeMessages",
    "Consume",
    "ListQueues",
    "QueueMessage",
    "RejectMessages",
    "StopConsuming",
]

_GATEWAY: Final = frozenset({Role.GATEWAY})
_CLIENT: Final = frozenset({Role.CLIENT})


@command(144, senders=_CLIENT, receivers=_GATEWAY, reply=NOTHING)
class Consume(Command):
    """Send messages of these topics on this link from now on, once per link.

    ``prefetch`` is how many may be unacknowledged, at least 1; ``name`` says in status and logs who it
    is. Answered before the first message.
    """

    topics: list[str]
    prefetch: int
    name: str = ""


@command(145, senders=_CLIENT, receivers=_GATEWAY, reply=NOTHING)
class StopConsuming(Command):
    """Send no more messages on this link; what is unacknowledged stays with the consumer."""


@command(146, senders=_CLIENT, receivers=_GATEWAY, reply=NOTHING)
class AcknowledgeMessages(Command):
    """These messages are dealt with; ids that are not with this consumer are ignored."""

    message_ids: list[int]


@command(147, senders=_CLIENT, receivers=_GATEWAY, reply=NOTHING)
class RejectMessages(Command):
    """Give these messages back, to be sent again; each takes along those of its client behind it.

    ``tried`` is false for messages that nobody has looked at, such as those that a consumer has in store
    when it ends: that is no try. Answered before any of them is sent again on this link: what comes of
    that client and topic before the answer was sent before, and is taken along.
    """

    message_ids: list[int]
    tried: bool = True


@command(148, senders=_GATEWAY, receivers=_CLIENT, reply=NOTHING)
class QueueMessage(Command):
    """A message for this consumer.

    ``message_id`` is unique in the gateway process. ``data`` is what was put on the queue. ``uid`` is
    what the client was bound to when it sent, ``headers`` are those of its handshake, in lower case,
    ``session`` is its session now, or as it was at its end. ``tries`` is 1 the first time it is sent.
    """

    message_id: int
    topic: str
    client_id: str
    data: Any
    uid: str | None
    headers: dict[Any, Any]
    session: dict[Any, Any]
    tries: int = 1


@command(149, senders=BACKENDS, receivers=_GATEWAY, reply=QUEUES)
class ListQueues(Command):
    """How the queues of this gateway are, by topic.

    Each is a map: ``waiting`` and ``unacknowledged`` messages, ``bytes`` of both, ``age`` of the oldest in
    seconds, ``consumers``, ``paused`` clients that are not read from until there is room, and what was
    counted since the topic was opened: ``pushed``, ``delivered``, ``redelivered``, ``acknowledged``,
    ``dead``, ``dropped``.
    """
