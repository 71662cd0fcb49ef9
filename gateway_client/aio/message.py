"""A message of a client, as an asyncio consumer gets it."""

from __future__ import annotations

from gateway_client.queue_message import BaseMessage
from gateway_client.reached import Reached
from gateway_wire.messages import Message as Data

__all__ = ["AsyncMessage"]


class AsyncMessage(BaseMessage):
    """A message of a client, with what can be said to it and of it; on its consumer's loop."""

    __slots__ = ()

    async def reply(self, data: Data) -> Reached:
        """Push to the client that sent the message, as `send_to_client` does.

        Args:
            data: `str` for a text message, `bytes` for a binary one, `dict` or `list` for JSON text.

        Returns:
            1 if its connection took it into its outbox, 0 if it is offline.

        Raises:
            TypeError: If the data is of another type, or JSON cannot carry it.
            MessageTooLarge: If it is above `max_message`.
            RegisterUnavailable: If no register answers and its gateway is not known.
            GatewayUnavailable: If its gateway could not be asked; nothing was sent.
            ReplyTimeout: If its gateway did not answer; it may have been sent.
        """
        reached: Reached = await self._account.facade.send_to_client(self.client_id, data)
        return reached

    async def ack(self) -> bool:
        """Say that the message is dealt with; it leaves at the end of the loop's turn.

        Returns:
            Whether it still was this consumer's. If not it was acknowledged or given back before, or
            its link was lost, and then it comes again.
        """
        return self._account.acknowledge(self)

    async def nack(self) -> bool:
        """Give the message back: it is sent again, to this consumer or another, flagged `redelivered`.

        It takes along what came behind it from the same client on the same topic, so that these stay in
        order. After too many tries the gateway moves it to the topic `dead:` and its name.

        Returns:
            Whether it still was this consumer's.
        """
        return self._account.give_back(self)
