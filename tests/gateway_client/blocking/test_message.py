"""What a blocking consumer gets, and what can be said of it."""

from __future__ import annotations

from gateway_client import GatewayClient
from gateway_wire import commands as wire
from tests.gateway_client.blocking.beside import Beside, take
from tests.gateway_client.peers import FakeGateway


def test_a_message_is_what_the_gateway_sent(gateway: FakeGateway, client: GatewayClient) -> None:
    """And the gateway is asked for the topics once, with prefetch and name."""
    pushed = Beside(lambda: gateway.push({"a": [1, b"x"]}, tries=2))
    with client.consume("chat", 7, "chat", prefetch=3, name="me") as consumer:
        [message] = take(consumer, 1)
        assert repr(consumer).startswith("<Consumer of chat, 7: <Feeds [<Feed from 127.0.0.1:")
    assert gateway.commands(wire.Consume) == [wire.Consume(["chat", "7"], 3, "me")]
    assert (message.topic, message.client_id, message.data) == ("chat", "c" * 32, {"a": [1, b"x"]})
    assert (message.uid, message.headers, message.session) == (None, {"host": "h"}, {"n": 1})
    assert (message.tries, message.redelivered) == (2, True)
    assert message.message_id == pushed.join()[0]
    assert "closed" in repr(consumer)


def test_a_message_may_be_acknowledged_before_the_loop_is_left(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """`ack` works in any mode, and says whether it came in time."""
    pushed = Beside(lambda: gateway.push("a", "b"))
    for message in client.consume("chat"):
        assert message.ack()
        assert not message.ack()
        assert not message.nack()
        break
    gateway.wait_for(lambda: gateway.acknowledged == pushed.join()[:1])
    assert not message.ack()


def test_with_manual_acknowledgement_nothing_happens_by_itself(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """What was neither acknowledged nor given back comes again when the consumer is closed."""
    pushed = Beside(lambda: gateway.push("a", "b", "c"))
    with client.consume("chat", manual_ack=True) as consumer:
        first, second, third = take(consumer, 3)
        assert third.ack()
        assert first.nack()  # and takes along what is behind it
        assert second.is_settled
        assert not second.ack()
    ids = pushed.join()
    assert (gateway.acknowledged, gateway.given_back) == (ids[2:], [(ids[:1], True)])


def test_a_reply_goes_to_the_client(gateway: FakeGateway, client: GatewayClient) -> None:
    """As `send_to_client` of the object, or the class, that consumes."""
    sender = gateway.connect(7)
    thread = Beside(lambda: gateway.push("ping", client_id=sender))
    for message in client.consume("chat"):
        assert message.reply({"pong": 1}) == 1
        break
    thread.join()
    assert gateway.commands(wire.SendToClients) == [wire.SendToClients([sender], '{"pong":1}')]
