"""What consumers say: which topics they want, what they have dealt with, and what they give back.

A consumer is a link: that is its name to the queues, and with it the consumer goes. So these commands
are given the link, and answer themselves: the answer to :class:`Consume` leaves before the first message,
that to :class:`RejectMessages` before any of these comes again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from gateway.handlers.checks import check_names
from gateway.queues.limits import TooManyTopics
from gateway_wire.commands import (
    AcknowledgeMessages,
    CommandError,
    Consume,
    ListQueues,
    QueueMessage,
    RejectMessages,
    StopConsuming,
)
from gateway_wire.errors import ErrorCode, LocalProtocolError, MessageTooLarge
from gateway_wire.frames import encode_packed, pack_field, pack_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.executor import Answer, CommandTable, LinkTable
    from gateway.queues.consumer import Consumer
    from gateway.queues.lane import Delivery
    from gateway.queues.queues import Queues
    from gateway_wire.aio.link import AioLink

__all__ = ["QueueHandlers"]

logger = logging.getLogger("gateway")

_EMPTY: Final = pack_field({})


class QueueHandlers:
    """Executes the commands of :mod:`gateway_wire.commands.queues`."""

    def __init__(self, queues: Queues, clock: Callable[[], float]) -> None:
        """Take the queues, and the loop's clock."""
        self._queues = queues
        self._clock = clock
        self._consumers: dict[AioLink, Consumer] = {}

    def __repr__(self) -> str:
        return f"<QueueHandlers of {len(self._consumers)} consumers>"

    def table(self) -> CommandTable:
        """Return the function for each command class that any backend may send."""
        return {ListQueues: self.list_queues}

    def link_table(self) -> LinkTable:
        """Return the function for each command class of consumers."""
        return {
            Consume: self.consume,
            StopConsuming: self.stop_consuming,
            AcknowledgeMessages: self.acknowledge_messages,
            RejectMessages: self.reject_messages,
        }

    def list_queues(self, _: ListQueues) -> dict[str, dict[str, int | float]]:
        """Tell how the queues are."""
        return self._queues.states(self._clock())

    def consume(self, link: AioLink, command: Consume, answer: Answer) -> None:
        """Send messages on a link, unless it is gone by now."""
        if not link.is_open:
            return
        if link in self._consumers:
            text = "this link consumes already: open another, or name all topics at once"
            raise CommandError(ErrorCode.INVALID, text)
        _check(command)
        queues = self._queues
        try:
            queues.check_topics(command.topics)
            name = command.name or link.remote
            consumer = queues.attach(_LinkSink(link), command.prefetch, name)
        except (TooManyTopics, ValueError) as error:
            raise CommandError(ErrorCode.INVALID, str(error)) from error
        self._consumers[link] = consumer
        answer(None)
        queues.consume(consumer, command.topics)

    def stop_consuming(self, link: AioLink, _: StopConsuming, answer: Answer) -> None:
        """Send no more messages on a link."""
        consumer = self._consumers.get(link)
        if consumer is not None:
            self._queues.stop(consumer)
        answer(None)

    def acknowledge_messages(
        self, link: AioLink, command: AcknowledgeMessages, answer: Answer
    ) -> None:
        """Take note that messages are dealt with."""
        consumer = self._consumers.get(link)
        if consumer is not None:
            self._queues.acknowledge(consumer, command.message_ids)
        answer(None)

    def reject_messages(self, link: AioLink, command: RejectMessages, answer: Answer) -> None:
        """Take messages back, to be sent again."""
        answer(None)
        consumer = self._consumers.get(link)
        if consumer is not None:
            self._queues.reject(consumer, command.message_ids, tried=command.tried)

    def link_lost(self, link: AioLink) -> None:
        """Forget a consumer whose link has ended, once its last words were taken."""
        consumer = self._consumers.pop(link, None)
        if consumer is not None:
            self._queues.detach(consumer)


def _check(command: Consume) -> None:
    if not command.topics:
        raise CommandError(ErrorCode.INVALID, "there is nothing to consume: name a topic")
    check_names("topic", command.topics)
    if command.name:
        check_names("name", (command.name,))


class _LinkSink:
    """Sends messages on a link (a `Sink`)."""

    __slots__ = ("_link",)

    def __init__(self, link: AioLink) -> None:
        self._link = link

    def deliver(self, message: Delivery) -> int:
        """Send a message, unless the link is closed: then its end is on its way to the queues."""
        frame = _frame(message)
        try:
            self._link.send_frame(frame)
        except LocalProtocolError:
            return 0
        return len(frame)


def _frame(message: Delivery) -> bytes:
    """Encode the :class:`QueueMessage`; its data is packed already, which is most of the work."""
    connection = message.connection
    session = pack_field(dict(connection.session)) if connection.session else _EMPTY
    before = (
        pack_fields(message.message_id, message.topic, connection.client_id),
        message.packed,
        pack_field(message.uid),
        connection.packed_headers,
    )
    tries = pack_field(message.tries)
    try:
        return encode_packed(QueueMessage, (*before, session, tries))
    except MessageTooLarge as error:
        logger.warning("a message of %s is sent without its session: %s", connection, error)
        return encode_packed(QueueMessage, (*before, _EMPTY, tries))
