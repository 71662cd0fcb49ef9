"""The links of a blocking consumer, and what it hears from registers."""

from __future__ import annotations

from gateway_client import GatewayClient, GatewayError
from gateway_client.blocking.consumer import Consumer
from gateway_client.blocking.message import Message
from gateway_wire.limits import NODE_SILENCE
from tests.gateway_client.blocking.beside import Beside
from tests.gateway_client.peers import FakeGateway, FakeRegister
from tests.support.waiting import eventually


def test_gateways_come_and_go(
    gateway: FakeGateway, other: FakeGateway, register: FakeRegister, consumer: Consumer
) -> None:
    """One that is announced is consumed from; one that is gone and dropped is forgotten."""
    pushed = Beside(lambda: gateway.push("a"))
    messages = iter(consumer)
    assert next(messages).data == "a"
    pushed.join()
    register.tell(gateway, other)
    pushed = Beside(lambda: other.push("b"))
    assert next(messages).data == "b"
    pushed.join()
    register.tell(other)
    gateway.stop()
    for data in ("c", "d"):
        pushed = Beside(lambda data=data: other.push(data))  # type: ignore[misc]
        assert next(messages).data == data
        pushed.join()
    assert str(other.address) in repr(consumer)
    assert str(gateway.address) not in repr(consumer)


def test_it_waits_until_there_is_a_register_and_a_gateway(
    register: FakeRegister, gateway: FakeGateway
) -> None:
    """Told of once, not at each attempt."""
    register.stop()
    told: list[Exception] = []
    with GatewayClient(str(register.address), secret_key="") as client:
        consumer = client.consume("chat", on_error=told.append)

        def begin() -> None:
            eventually(lambda: bool(told))
            register.nodes = []
            register.start()
            eventually(lambda: len(told) == 2)
            register.tell(gateway)
            gateway.push("a")

        starter = Beside(begin)
        assert next(iter(consumer)).data == "a"
        starter.join()
    assert "refuses connections. Start it with: register start" in str(told[0])
    assert "no gateway is announced" in str(told[1])
    assert len(told) == 2
    assert all(isinstance(error, GatewayError) for error in told)


def test_that_the_last_gateway_is_gone_is_told_at_once(
    register: FakeRegister, gateway: FakeGateway
) -> None:
    """Not when a register is heard for the next time."""
    told: list[str] = []
    with (
        GatewayClient(str(register.address), secret_key="") as client,
        client.consume("chat", on_error=lambda error: told.append(str(error))) as consumer,
    ):
        messages = iter(consumer)
        pushed = Beside(lambda: gateway.push("a"))
        assert next(messages).data == "a"
        pushed.join()

        def lose() -> None:
            try:
                gateway.stop()
                eventually(lambda: bool(told))
                register.tell()
                eventually(lambda: "no gateway is announced" in told[-1], NODE_SILENCE / 2)
            finally:
                consumer.close()

        with Beside(lose):
            assert next(messages, None) is None


def test_other_threads_acknowledge_while_one_waits(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """A thread that waits for messages writes what the others say, at once."""
    pushed = Beside(lambda: gateway.push("a", "b"))

    def settle(message: Message) -> None:
        first, second = pushed.join()
        gateway.wait_for(lambda: gateway.acknowledged == [first])  # it leaves as the wait begins
        assert message.ack()
        gateway.wait_for(lambda: gateway.acknowledged == [first, second])
        gateway.push("last")

    with client.consume("chat", manual_ack=True) as consumer:
        messages = iter(consumer)
        one, other = next(messages), next(messages)
        assert one.ack()
        with Beside(lambda: settle(other)):
            assert next(messages).data == "last"
