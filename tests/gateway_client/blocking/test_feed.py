"""The link of a blocking consumer to one gateway."""

from __future__ import annotations

from threading import RLock

from gateway_client import GatewayClient
from gateway_client.blocking.consumer import Consumer
from gateway_client.blocking.feed import Feed
from gateway_client.blocking.message import Message
from gateway_client.config import ASK_AGAIN_PAUSE, CONNECT_TIMEOUT
from gateway_client.consuming import Store
from gateway_client.directory import Node
from gateway_client.subscription import subscription
from gateway_client.troubles import Troubles
from gateway_wire import commands as wire
from gateway_wire.addresses import Address
from gateway_wire.commands import Role
from gateway_wire.errors import ErrorCode
from gateway_wire.hello import Party, new_instance
from gateway_wire.redial import REDIAL_MAX, REDIAL_MIN
from tests.gateway_client.blocking.beside import Beside
from tests.gateway_client.conftest import MakeGateway
from tests.gateway_client.peers import FakeGateway, FakeRegister, refuse
from tests.support.waiting import eventually


class _Owner:
    """Whose messages they are."""

    lock = RLock()


def _store() -> Store[Message]:
    """Make the store of a consumer."""
    return Store(
        subscription(["chat"]),
        lambda command, intake: Message(command, intake, _Owner()),
        None,
        lambda: None,
    )


def _feed(address: Address, told: list[Exception], store: Store[Message] | None = None) -> Feed:
    """Make the feed from a gateway that nobody announced."""
    store = store or _store()
    party = Party(Role.CLIENT, new_instance())
    return Feed(Node("aaaaaaaaaaaa", address, 0, ()), store, Troubles(told.append), party, "")


def test_a_gateway_that_does_not_answer_is_given_up(deaf: FakeGateway) -> None:
    """After the time for connecting; soon it is dialled again, and later after ever longer pauses."""
    told: list[Exception] = []
    feed = _feed(deaf.address, told)
    now = 100.0
    feed.tend(now)
    for _ in range(20):
        assert feed.due == now + CONNECT_TIMEOUT
        feed.tend(now + CONNECT_TIMEOUT)
        assert now + CONNECT_TIMEOUT <= feed.due <= now + CONNECT_TIMEOUT + REDIAL_MAX
        now = feed.due
        feed.tend(now)
    feed.close()
    assert [str(error) for error in told] == [
        f"gateway {deaf.address} could not be reached: it accepted no link within 3 s"
    ]


def test_an_unknown_host_is_told_of_and_tried_again() -> None:
    """As the kernel says it."""
    told: list[Exception] = []
    feed = _feed(Address("nowhere.invalid", 1), told)
    feed.tend(0.0)
    assert feed.line is None
    assert 0.0 <= feed.due <= REDIAL_MIN
    assert "gateway nowhere.invalid:1 could not be reached: " in str(told[0])
    assert "dialling" in repr(feed)


def test_a_gateway_that_is_lost_is_dialled_again(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """What it had sent comes again, if at all, from itself; `on_error` is told once."""
    told: list[Exception] = []
    pushed = Beside(lambda: gateway.push("a", "b"))
    with client.consume("chat", on_error=told.append) as consumer:
        messages = iter(consumer)
        message = next(messages)
        pushed.join()
        gateway.cut_links()
        again = Beside(lambda: gateway.push("a again"))
        seen = [next(messages).data]
        while seen[-1] != "a again":  # b may have been handed out before the loss was seen
            seen.append(next(messages).data)
        again.join()
    assert not message.ack()
    assert [str(error).partition(": ")[0] for error in told] == [
        f"gateway {gateway.address} is lost"
    ]
    assert len(gateway.commands(wire.Consume)) == 2


def test_a_gateway_that_refuses_is_told_of(
    register: FakeRegister, gateway: FakeGateway, make_gateway: MakeGateway, client: GatewayClient
) -> None:
    """An older one, say; the others go on."""
    told: list[Exception] = []
    old = make_gateway("cccccccccccc")
    old.fault = refuse(ErrorCode.UNSUPPORTED)
    register.tell(gateway, old)

    def push() -> None:
        eventually(lambda: bool(told))
        gateway.push("a")

    with Beside(push):
        assert next(iter(client.consume("chat", on_error=told.append))).data == "a"
    assert "older than this client" in str(told[0])
    assert str(old.address) in str(told[0])


def test_a_gateway_that_refuses_is_not_asked_again_at_once(gateway: FakeGateway) -> None:
    """It is what it is, until it is replaced."""
    gateway.fault = refuse(ErrorCode.INVALID, "too many topics")
    store, told = _store(), list[Exception]()
    feed = _feed(gateway.address, told, store)
    feed.tend(5.0)
    while feed.line is not None:
        feed.line.wait(1_000)
        feed.progress(5.0)
        store.flush()
    assert feed.due == 5.0 + ASK_AGAIN_PAUSE
    assert [str(error) for error in told] == [
        f"gateway {gateway.address} sends this consumer no messages: too many topics"
    ]


def test_a_gateway_that_breaks_the_protocol_is_cut(
    gateway: FakeGateway, consumer: Consumer
) -> None:
    """An answer to nothing; then it is dialled again."""

    def answer_twice(link: object, command: object, request_id: int) -> None:
        gateway.fault = None
        gateway.execute(link, command, request_id)  # type: ignore[arg-type]
        link.send(wire.Reply(None), 99)  # type: ignore[attr-defined]

    gateway.fault = answer_twice
    again = Beside(lambda: gateway.wait_for(lambda: len(gateway.consumers) == 2))
    with Beside(again.join, lambda: gateway.push("a")):
        assert next(iter(consumer)).data == "a"
