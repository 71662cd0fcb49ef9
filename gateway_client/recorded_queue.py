"""What the recorders of users' tests have in place of queues: the test puts messages, the program consumes them.

The consumers are the real ones but for their links: an iteration gives what was put, and ends where a real one would
wait. So a consumer's loop is tested as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import inf
from typing import Any, Final, TypeVar

from gateway_client.aio.consumer import AsyncConsumer
from gateway_client.aio.crew import Handler
from gateway_client.aio.message import AsyncMessage
from gateway_client.blocking.consumer import Consumer
from gateway_client.blocking.message import Message
from gateway_client.config import Config
from gateway_client.queue_message import BaseMessage
from gateway_client.subscription import Subscription
from gateway_client.troubles import OnError
from gateway_wire.addresses import Address
from gateway_wire.commands import QueueMessage

__all__ = ["AsyncRecordingConsumer", "RecordedQueue", "RecordingConsumer"]

M = TypeVar("M", bound=BaseMessage)

_NOWHERE: Final = Config((Address("nowhere.invalid", 1),))
"""Nothing is dialled."""


class RecordedQueue:
    """The messages that a test has put, and what became of them.

    Attributes:
        facade: What replies are sent with: the recorder.
        acknowledged: The messages that were acknowledged, in this order.
        given_back: Those that were given back, by `nack` or since a handler raised; they do not come again.
    """

    def __init__(self, facade: Any) -> None:
        self.facade = facade
        self.acknowledged: list[Any] = []
        self.given_back: list[Any] = []
        self._waiting: list[QueueMessage] = []
        self._held: set[BaseMessage] = set()

    def __repr__(self) -> str:
        return f"<RecordedQueue of {len(self._waiting)} messages>"

    def put(self, message: QueueMessage) -> None:
        """Put one behind the others."""
        self._waiting.append(message)

    def take(
        self, topics: Collection[str], make: Callable[[QueueMessage, RecordedQueue], M]
    ) -> M | None:
        """Hand out the oldest message of these topics, or None if there is none."""
        for place, command in enumerate(self._waiting):
            if command.topic in topics:
                del self._waiting[place]
                message = make(command, self)
                self._held.add(message)
                return message
        return None

    # What a message asks its account.

    def holds(self, message: BaseMessage) -> bool:
        """Return whether a message was handed out, and neither acknowledged nor given back."""
        return message in self._held

    def acknowledge(self, message: BaseMessage) -> bool:
        """Record that a message is dealt with; return whether nothing was said of it before."""
        return self._settle(message, self.acknowledged)

    def give_back(self, message: BaseMessage) -> bool:
        """Record that a message was given back; return whether nothing was said of it before."""
        return self._settle(message, self.given_back)

    def _settle(self, message: BaseMessage, record: list[Any]) -> bool:
        if message not in self._held:
            return False
        self._held.remove(message)
        record.append(message)
        return True


class RecordingConsumer(Consumer):
    """Gives a recorder's messages to blocking code."""

    def __init__(
        self,
        queue: RecordedQueue,
        asked: Subscription,
        *,
        manual_ack: bool,
        on_error: OnError | None,
    ) -> None:
        super().__init__(_NOWHERE, queue.facade, asked, manual_ack=manual_ack, on_error=on_error)
        self._queue = queue
        self._look_by = inf

    def _turn(self) -> None:
        message = self._queue.take(
            self.subscription.topics, lambda command, queue: Message(command, queue, self)
        )
        if message is None:
            self._is_closing = True
        else:
            self._store.waiting.append(message)


class AsyncRecordingConsumer(AsyncConsumer):
    """Gives a recorder's messages to asyncio."""

    def __init__(
        self,
        queue: RecordedQueue,
        asked: Subscription,
        *,
        manual_ack: bool,
        on_error: OnError | None,
    ) -> None:
        super().__init__(_NOWHERE, queue.facade, asked, manual_ack=manual_ack, on_error=on_error)
        self._queue = queue

    async def run(self, handler: Handler) -> None:
        """Call the handler for one message after another, in the order in which they were put."""
        async for message in self:
            try:
                await handler(message)
            except Exception as error:  # noqa: BLE001 - whatever it raises
                is_back = await message.nack()
                self.troubles.handler_failed(error, message, is_back=is_back)
            else:
                await message.ack()

    async def wait(self) -> bool:
        """Take the next message, if there is one."""
        if not self.is_closing and not self.store.waiting:
            message = self._queue.take(self.subscription.topics, AsyncMessage)
            if message is None:
                self.is_closing = True
            else:
                self.store.waiting.append(message)
        return not self.is_closing

    async def _start(self) -> None:
        """Dial nobody."""
