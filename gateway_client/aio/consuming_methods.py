"""`consume` and `consume_with` of the asyncio clients, and of the recorder of users' tests.

They check what they are given; a facade makes the consumer, in `_make_consumer`.
"""

from __future__ import annotations

from typing import Any

from gateway_client.aio.consumer import AsyncConsumer
from gateway_client.aio.crew import Handler
from gateway_client.facade import Method
from gateway_client.functions import check_handler
from gateway_client.subscription import DEFAULT_PREFETCH, subscription
from gateway_client.troubles import OnError
from gateway_wire.names import Name

__all__ = ["AsyncConsuming"]


class AsyncConsuming:
    """The methods that consume."""

    __slots__ = ()

    @Method
    def consume(
        self: Any,
        *topics: Name,
        prefetch: int = DEFAULT_PREFETCH,
        manual_ack: bool = False,
        on_error: OnError | None = None,
        name: str = "",
    ) -> AsyncConsumer:
        """Consume what clients send to topics: `async for message in client.consume("chat")`.

        Each message goes to one consumer of its topic; those of one client come in order. A message is acknowledged
        when the next one is asked for; what was not acknowledged when this process ends, or leaves the loop, is
        sent again, flagged `redelivered`. So each comes at least once.

        Args:
            *topics: At least one.
            prefetch: How many unacknowledged messages each gateway may send ahead, 1 to 10,000.
            manual_ack: Acknowledge by `await message.ack()` alone, as when other tasks handle messages.
            on_error: Is told what goes wrong between messages, once at each change; a line in the log if None.
            name: How the gateways' status and logs name this consumer.

        Returns:
            The consumer, to be iterated, also in an `async with`. It connects when iteration begins, waits as long as
            there is no gateway or register, and goes on until it is closed.

        Raises:
            TypeError: If something is of the wrong type.
            ValueError: If no topic is given, one is empty, or `prefetch` is out of range.
        """
        asked = subscription(topics, prefetch, name)
        made: AsyncConsumer = self._make_consumer(asked, manual_ack=manual_ack, on_error=on_error)
        return made

    @Method
    async def consume_with(
        self: Any,
        handler: Handler,
        *topics: Name,
        prefetch: int = DEFAULT_PREFETCH,
        on_error: OnError | None = None,
        name: str = "",
    ) -> None:
        """Call an `async def` function for each message that clients send to topics.

        The messages of one client are handled one after another, clients side by side, at most `prefetch` at once. A
        message is acknowledged when the function returns. When it raises, the message is given back, to be sent again, and
        `on_error` is told; after too many tries the gateway sets it aside on the topic `dead:` and its name.

        It runs until it is cancelled, or the client is closed. Handlers that are waiting then are cancelled, and
        their messages come again.

        Args:
            handler: Takes a message.
            *topics: At least one.
            prefetch: How many unacknowledged messages each gateway may send ahead, 1 to 10,000; and how many are
                handled at once.
            on_error: Is told what goes wrong, in the handler or between messages; a line in the log if None.
            name: How the gateways' status and logs name this consumer.

        Raises:
            TypeError: If something is of the wrong type, or the handler is not `async def`.
            ValueError: If no topic is given, one is empty, or `prefetch` is out of range.
            AuthenticationFailed: If no gateway, or else no register, takes the secret key.
        """
        check_handler(handler, awaited=True)
        asked = subscription(topics, prefetch, name)
        consumer: AsyncConsumer = self._make_consumer(asked, manual_ack=True, on_error=on_error)
        async with consumer:
            await consumer.run(handler)
