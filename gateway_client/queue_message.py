"""A message of a client, as its consumer gets it; what both kinds of consumer share.

Pure. What can be said of a message goes to the account of the link that brought it (`Account`), which knows whether it is
still ours. There is one object for each message, so it has slots and nothing is computed before it is asked for.
"""

from __future__ import annotations

from typing import Any, Protocol

from gateway_wire.commands import QueueMessage

__all__ = ["Account", "BaseMessage"]


class Account(Protocol):
    """Who knows whether a message is still ours."""

    @property
    def facade(self) -> Any:
        """What replies are sent with."""

    def holds(self, message: BaseMessage) -> bool:
        """Return whether a message is in store or out."""

    def acknowledge(self, message: BaseMessage) -> bool:
        """Say that a message is dealt with; return whether it was ours."""

    def give_back(self, message: BaseMessage) -> bool:
        """Say that a message is to be sent again; return whether it was ours."""


class BaseMessage:
    """A message of a client, as its consumer gets it.

    Attributes:
        message_id: Its number in the gateway process that it came from.
        client_id: The client that sent it.
        topic: The topic it was put on.
        data: What was put there: by default
            `{"frame": {"type": "text" or "binary", "data": ..., "finish": True}}`.
        headers: The headers of the client's handshake, names in lower case.
        uid: What the client was bound to when it sent the message, or None.
        session: The client's session when the message left the gateway.
        tries: How often it was sent to a consumer, this time included.
    """

    __slots__ = (
        "_account",
        "client_id",
        "data",
        "headers",
        "message_id",
        "session",
        "topic",
        "tries",
        "uid",
    )

    def __init__(self, command: QueueMessage, account: Account) -> None:
        self._account = account
        self.message_id = command.message_id
        self.client_id = command.client_id
        self.topic = command.topic
        self.data: Any = command.data
        self.headers: dict[str, str] = command.headers
        self.uid = command.uid
        self.session: dict[Any, Any] = command.session
        self.tries = command.tries

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.topic} of {self.client_id}, try {self.tries}>"

    @property
    def redelivered(self) -> bool:
        """Whether it was sent to a consumer before, which may have handled it."""
        return self.tries > 1

    @property
    def is_settled(self) -> bool:
        """Whether nothing can be said of it any more.

        It was acknowledged or given back, or the gateway has taken it back: its link was lost, or an earlier message
        of its client and topic was given back. What was not acknowledged comes again, to this consumer or another.
        """
        return not self._account.holds(self)
