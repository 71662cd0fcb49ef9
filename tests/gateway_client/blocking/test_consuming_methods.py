"""`consume` and `consume_with` of the blocking clients."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from gateway_client import Gateway, GatewayClient, config, inside
from gateway_client.blocking.message import Message
from gateway_wire import commands as wire
from tests.gateway_client.blocking.beside import Beside
from tests.gateway_client.peers import FakeGateway, FakeRegister
from tests.gateway_client.test_inside import Worker


def test_a_handler_is_called_for_one_message_after_another(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """What it returns from is acknowledged; what it raises on is given back, and told."""
    told: list[Exception] = []

    def handle(message: Message) -> None:
        if message.data == "bad":
            raise LookupError("no such order")
        if message.data == "last":
            client.close()

    pushed = Beside(lambda: gateway.push("good"))
    later = Beside(
        pushed.join,
        lambda: gateway.push("bad", client_id="d" * 32),
        lambda: gateway.push("last", client_id="e" * 32),
    )
    client.consume_with(handle, "chat", prefetch=5, on_error=told.append, name="x")
    later.join()
    first, bad, last = pushed.join()[0], pushed.join()[0] + 1, pushed.join()[0] + 2
    assert gateway.acknowledged == [first, last]
    assert gateway.given_back == [([bad], True)]
    assert [str(error) for error in told] == ["no such order"]
    assert gateway.commands(wire.Consume) == [wire.Consume(["chat"], 5, "x")]


async def _handle(_: Message) -> None:
    """Be of the wrong kind."""


def test_what_a_caller_gets_wrong_is_told_at_the_call(client: GatewayClient) -> None:
    """Before anything is dialled."""
    with pytest.raises(TypeError, match=r"async def: use AsyncGateway\.consume_with"):
        client.consume_with(_handle, "chat")
    with pytest.raises(TypeError, match="give a function that takes a message"):
        client.consume_with("chat")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="names no topic"):
        client.consume()
    with pytest.raises(TypeError, match="a topic is a str, int or UUID, not None"):
        client.consume(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="prefetch is 0"):
        client.consume("chat", prefetch=0)
    with pytest.raises(TypeError, match="on_error"):
        client.consume("chat", on_error=7)  # type: ignore[arg-type]


def test_the_class_level_client_consumes(register: FakeRegister, gateway: FakeGateway) -> None:
    """And replies by the class."""

    class Ours(Gateway):
        register_address = str(register.address)
        secret_key = ""

    sender = gateway.connect(3)
    pusher = Beside(lambda: gateway.push("a", client_id=sender))
    for message in Ours.consume("chat"):
        assert message.reply("b") == 1
        Ours.close()
    pusher.join()
    assert gateway.acknowledged == [1]


def test_new_settings_end_what_is_consumed_with_the_old_ones(
    register: FakeRegister, gateway: FakeGateway
) -> None:
    """As they end the other links; the message in hand is acknowledged."""

    class Ours(Gateway):
        register_address = str(register.address)
        secret_key = ""

    pushed = Beside(lambda: gateway.push("a", "b"))
    for message in Ours.consume("chat"):
        assert message.data == "a"
        pushed.join()
        Ours.secret_key = "another"
        Ours.pipeline()
    gateway.wait_for(lambda: not gateway.listener.links)
    assert gateway.acknowledged == [1]
    Ours.close()


async def test_on_a_running_loop_it_warns_once(client: GatewayClient) -> None:
    """As every other blocking call does there."""
    with pytest.warns(RuntimeWarning, match="use AsyncGateway"):
        client.consume("chat")
    client.consume("chat")


@pytest.fixture
def worker(register: FakeRegister) -> Iterator[Worker]:
    """A worker that this process is, of the cluster of the register."""

    class Patient(Worker):
        def refuse_on_loop(self, name: str) -> None:
            """Be on another thread."""

    worker = Patient()
    inside.install(worker)
    config.set_defaults([register.address], "")
    yield worker
    Gateway.close()
    config.forget_defaults()
    inside.uninstall()


def test_inside_a_worker_it_consumes_on_links_of_its_own(
    worker: Worker, gateway: FakeGateway
) -> None:
    """From the worker's cluster; replies leave on the links of the worker, and close() ends it."""
    with Beside(lambda: gateway.push("a")):
        for message in Gateway.consume("chat"):
            message.reply("b")
            Gateway.close()
    assert worker.calls == [("run", "send_to_client")]
    assert gateway.acknowledged == [1]


async def test_inside_a_worker_its_loop_is_not_blocked(register: FakeRegister) -> None:
    """There the class refuses at once, as its other methods do; its subclasses are outside."""

    class Ours(Gateway):
        register_address = str(register.address)
        secret_key = ""

    inside.install(Worker())
    try:
        with pytest.raises(RuntimeError, match="consume on the loop"):
            Gateway.consume("chat")
        with pytest.warns(RuntimeWarning, match="use AsyncGateway"):
            Ours.consume("chat")
    finally:
        inside.uninstall()


def test_help_shows_the_methods() -> None:
    """With their parameters, on the class and on an instance."""
    for owner in (Gateway, GatewayClient("127.0.0.1:1", secret_key="")):
        assert str(inspect.signature(owner.consume)).startswith("(*topics: 'Name', prefetch: 'int'")
        assert (inspect.getdoc(owner.consume_with) or "").startswith("Call a function for each")
