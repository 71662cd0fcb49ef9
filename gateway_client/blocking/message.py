"""A message of a client, as a blocking consumer gets it."""

from __future__ import annotations

from threading import RLock
from typing import Protocol

from gateway_client.queue_message import Account, BaseMessage
from gateway_client.reached import Reached
from gateway_wire.commands import QueueMessage
from gateway_wire.messages import Message as Data

__all__ = ["Guarded", "Message"]


class Guarded(Protocol):
    """Whose messages they are: the consumer.

    Attributes:
        lock: Guards what is known of them; it is looked up each time, as a forked child has a new one.
    """

    lock: RLock


class Message(BaseMessage):
    """A message of a client, with what can be said to it and of it.

    Any thread may answer and acknowledge it, not only the one that iterates.
    """

    __slots__ = ("_owner",)

    def __init__(self, command: QueueMessage, account: Account, owner: Guarded) -> None:
        super().__init__(command, account)
        self._owner = owner

    def reply(self, data: Data) -> Reached:
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
        reached: Reached = self._account.facade.send_to_client(self.client_id, data)
        return reached

    def ack(self) -> bool:
        """Say that the message is dealt with; it leaves when the next one is asked for, or before.

        Returns:
            Whether it still was this consumer's. If not it was acknowledged or given back before, or
            its link was lost, and then it comes again.
        """
        with self._owner.lock:
            return self._account.acknowledge(self)

    def nack(self) -> bool:
        """Give the message back: it is sent again, to this consumer or another, flagged `redelivered`.

        It takes along what came behind it from the same client on the same topic, so that these stay in
        order. After too many tries the gateway moves it to the topic `dead:` and its name.

        Returns:
            Whether it still was this consumer's.
        """
        with self._owner.lock:
            return self._account.give_back(self)
