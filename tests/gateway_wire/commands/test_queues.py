"""Who may say what of queues; the bytes of every command are in tests/gateway_wire/golden.json."""

import pytest

from gateway_wire.commands import (
    AcknowledgeMessages,
    Command,
    Consume,
    ListQueues,
    QueueMessage,
    RejectMessages,
    Role,
    StopConsuming,
)
from gateway_wire.frames import decode_body, encode_frame
from gateway_wire.state import may_travel

CONSUMERS = (Consume, StopConsuming, AcknowledgeMessages, RejectMessages)


@pytest.mark.parametrize("command", CONSUMERS)
def test_a_consumer_is_a_client(command: type[Command]) -> None:
    """A worker's link has events; a gateway takes what is said of queues and does not say it."""
    assert may_travel(command, Role.CLIENT, Role.GATEWAY)
    assert not may_travel(command, Role.WORKER, Role.GATEWAY)
    assert not may_travel(command, Role.GATEWAY, Role.CLIENT)


def test_messages_come_from_gateways_to_clients() -> None:
    """And go nowhere else."""
    assert may_travel(QueueMessage, Role.GATEWAY, Role.CLIENT)
    assert not may_travel(QueueMessage, Role.GATEWAY, Role.WORKER)
    assert not may_travel(QueueMessage, Role.CLIENT, Role.GATEWAY)


def test_whoever_pushes_may_look_at_the_queues() -> None:
    """A worker too."""
    assert may_travel(ListQueues, Role.CLIENT, Role.GATEWAY)
    assert may_travel(ListQueues, Role.WORKER, Role.GATEWAY)


def test_what_may_be_left_out_has_the_usual_meaning() -> None:
    """No name, given back after a try, sent for the first time."""
    assert Consume.from_fields([["chat"], 10]) == Consume(["chat"], 10, "")
    assert RejectMessages.from_fields([[1]]) == RejectMessages([1], tried=True)
    fields = [1, "chat", "c", "data", None, {}, {}]
    assert QueueMessage.from_fields(fields) == QueueMessage(1, "chat", "c", "data", None, {}, {}, 1)


@pytest.mark.parametrize("data", ["text", b"\xff", None, 1.5, [1, {"a": [True]}], {"frame": {}}])
def test_data_travels_unchanged(data: object) -> None:
    """Whatever msgpack carries."""
    message = QueueMessage(1, "chat", "c", data, "42", {"host": "a"}, {"user_id": 1})
    assert decode_body(encode_frame(message)[4:]).command == message
