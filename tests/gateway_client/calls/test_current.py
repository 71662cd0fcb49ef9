"""What is said to the current client, as a value."""

from __future__ import annotations

import pytest

from gateway_client import METHODS
from gateway_client.calls.current import (
    CURRENT,
    close_current_client,
    destroy_current_client,
    send_to_current_client,
)
from gateway_wire.commands import CloseClient, DestroyClient, SendToClients


def test_each_makes_its_command_for_the_client_that_is_current() -> None:
    """The client is named when the call is made, and no answer is awaited."""
    send, close = send_to_current_client(["é"]), close_current_client("bye")
    assert send.command_to("c") == SendToClients(["c"], '["é"]')
    assert close.command_to("c") == CloseClient("c", "bye")
    assert close_current_client().command_to("c") == CloseClient("c")
    assert destroy_current_client().command_to("c") == DestroyClient("c")
    assert (send.size, close.size, send.confirm) == (6, 3, False)


def test_messages_are_those_of_every_send() -> None:
    """What cannot be sent is told at once."""
    with pytest.raises(TypeError, match="a message is"):
        close_current_client(7)  # type: ignore[arg-type]


def test_they_are_no_methods_of_the_http_api() -> None:
    """An HTTP request is inside no event."""
    assert list(CURRENT) == [
        "send_to_current_client",
        "close_current_client",
        "destroy_current_client",
    ]
    assert not set(CURRENT) & set(METHODS)
