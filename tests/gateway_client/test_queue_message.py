"""A message as its consumer gets it."""

from __future__ import annotations

from gateway_client.queue_message import BaseMessage
from gateway_wire.commands import QueueMessage


class _Nobody:
    """An account that holds nothing."""

    facade = None

    def holds(self, _: BaseMessage) -> bool:
        return False

    def acknowledge(self, _: BaseMessage) -> bool:
        return False

    def give_back(self, _: BaseMessage) -> bool:
        return False


def _message(tries: int = 1) -> BaseMessage:
    command = QueueMessage(7, "chat", "c1", {"n": 1}, "42", {"host": "h"}, {"s": 2}, tries)
    return BaseMessage(command, _Nobody())


def test_it_has_what_the_gateway_said() -> None:
    """All that the gateway knows of the message and its sender stands in it."""
    message = _message()

    said = (message.client_id, message.topic, message.data, message.uid)
    assert said == ("c1", "chat", {"n": 1}, "42")
    assert (message.headers, message.session) == ({"host": "h"}, {"s": 2})
    assert repr(message) == "<BaseMessage chat of c1, try 1>"


def test_a_second_try_is_a_redelivery() -> None:
    """Whoever must not do a thing twice sees that it may have been done."""
    assert [_message(tries).redelivered for tries in (1, 2)] == [False, True]


def test_its_account_knows_whether_it_is_settled() -> None:
    """A message keeps no state of its own."""
    assert _message().is_settled
