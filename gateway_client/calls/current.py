"""What is said to the current client: the one whose event a handler of a business worker handles.

Nobody is asked and nothing is answered. The command leaves on the link that the event came on, in order
with everything else that the handler sends, so these have no options and no result. They exist on
`Gateway` and `AsyncGateway` alone: no other client, and no HTTP request, is inside an event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway_client.calls.base import Call
from gateway_wire.commands import CloseClient, Command, DestroyClient, SendToClients
from gateway_wire.messages import Message, message_size, payload_of

__all__ = [
    "CURRENT",
    "CurrentCall",
    "close_current_client",
    "destroy_current_client",
    "send_to_current_client",
]


@dataclass(slots=True)
class CurrentCall(Call[None]):
    """A call to the current client, whoever that is when it is made.

    Attributes:
        instead: The method that does the same with a client id.
        command_to: Makes the command for a client id.
    """

    instead: str
    command_to: Callable[[str], Command]


def send_to_current_client(message: Message) -> CurrentCall:
    """Push to the client whose event is being handled; for handlers of a business worker alone.

    Args:
        message: str or bytes, or a dict or list, which is sent as JSON.

    Raises:
        TypeError: If the message is of another type.
        RuntimeError: If no event is being handled.
        MessageTooLarge: If the message is above `max_message`.

    Cost: one command on the link that the event came on, without waiting for an answer.
    """
    payload = payload_of(message)

    def command_to(client_id: str) -> Command:
        return SendToClients([client_id], payload)

    return _call("send_to_current_client", "send_to_client", command_to, size=message_size(payload))


def close_current_client(message: Message | None = None) -> CurrentCall:
    """Close the client whose event is being handled, with code 1000; for handlers alone.

    Args:
        message: Sent before closing, unless None.

    Raises:
        TypeError: If the message is of another type.
        RuntimeError: If no event is being handled.
        MessageTooLarge: If the message is above `max_message`.

    Cost: one command on the link that the event came on, without waiting for an answer.
    """
    payload = None if message is None else payload_of(message)
    size = 0 if payload is None else message_size(payload)

    def command_to(client_id: str) -> Command:
        return CloseClient(client_id, payload)

    return _call("close_current_client", "close_client", command_to, size=size)


def destroy_current_client() -> CurrentCall:
    """Cut the client whose event is being handled at once; what waits for it is lost.

    Raises:
        RuntimeError: If no event is being handled.

    Cost: one command on the link that the event came on, without waiting for an answer.
    """
    return _call("destroy_current_client", "destroy_client", DestroyClient)


def _call(
    name: str, instead: str, command_to: Callable[[str], Command], *, size: int = 0
) -> CurrentCall:
    return CurrentCall(name, None, instead, command_to, confirm=False, size=size)


CURRENT: Final[dict[str, Callable[..., CurrentCall]]] = {
    build.__name__: build
    for build in (send_to_current_client, close_current_client, destroy_current_client)
}
"""The methods by name."""
