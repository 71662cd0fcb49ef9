"""Consuming from asyncio over real sockets: each way in which it begins, is disturbed, and ends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, TypeVar

import pytest

from gateway_client import AsyncGatewayClient
from gateway_client.aio.message import AsyncMessage
from gateway_client.errors import AuthenticationFailed
from gateway_wire import commands as wire
from gateway_wire.aio.link import AioLink
from gateway_wire.commands import Command
from gateway_wire.errors import ErrorCode
from tests.gateway_client.conftest import MakeGateway
from tests.gateway_client.peers import FakeGateway, FakeRegister, PeerLoop, refuse

T = TypeVar("T")


@pytest.fixture
async def aclient(register: FakeRegister) -> AsyncIterator[AsyncGatewayClient]:
    """An asynchronous client of the cluster."""
    async with AsyncGatewayClient(str(register.address), secret_key="") as client:
        yield client


class Told:
    """Keeps what `on_error` is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._news = asyncio.Event()

    def __call__(self, error: Exception) -> None:
        self.texts.append(str(error))
        self._news.set()

    async def until(self, phrase: str) -> None:
        """Wait until something with these words was told."""
        while not any(phrase in text for text in self.texts):
            self._news.clear()
            await self._news.wait()


@pytest.fixture
async def told() -> Told:
    """One who listens."""
    return Told()


async def away(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call what waits for a peer, in a thread."""
    return await asyncio.to_thread(function, *args, **kwargs)


async def acknowledged(gateway: FakeGateway, ids: list[int]) -> None:
    """Wait until a gateway has heard of these acknowledgements and no others."""
    await away(gateway.wait_for, lambda: len(gateway.acknowledged) >= len(ids))
    assert gateway.acknowledged == ids


async def closed(gateway: FakeGateway) -> None:
    """Wait until nobody has a link to a gateway."""
    await away(gateway.wait_for, lambda: not gateway.listener.links)


async def test_a_message_is_acknowledged_when_the_next_is_asked_for(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """It has what the gateway knows; the topics, the prefetch and the name were asked for."""
    async with aclient.consume("chat", 7, prefetch=3, name="me") as consumer:
        messages = aiter(consumer)
        first = asyncio.ensure_future(anext(messages))
        me = gateway.connect(uid="42")
        ids = await away(gateway.push, {"n": 1}, "two", client_id=me, tries=2)
        message = await first
        assert gateway.commands(wire.Consume) == [wire.Consume(["chat", "7"], 3, "me")]
        assert (message.client_id, message.topic, message.data) == (me, "chat", {"n": 1})
        assert (message.uid, message.headers, message.session) == ("42", {"host": "h"}, {"n": 1})
        assert (message.tries, message.redelivered) == (2, True)
        assert gateway.acknowledged == []
        assert (await anext(messages)).data == "two"
        await acknowledged(gateway, ids[:1])


async def test_whoever_leaves_the_loop_gives_back_what_nobody_has_seen(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """What is in hand is not acknowledged, what was before is, and the links end."""
    pushing = asyncio.ensure_future(away(gateway.push, *"abcd"))
    async for message in aclient.consume("chat"):
        if message.data == "b":
            break
    ids = await pushing
    await closed(gateway)

    assert gateway.acknowledged == ids[:1]
    assert gateway.given_back == [(ids[2:], False)]


async def test_a_message_can_be_acknowledged_before_a_break(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """Once is enough, whoever asks for the next one."""
    pushing = asyncio.ensure_future(away(gateway.push, *"ab"))
    async for message in aclient.consume("chat"):
        assert await message.ack()
        assert not await message.ack()
        if message.data == "b":
            break
    await closed(gateway)

    assert gateway.acknowledged == await pushing
    assert gateway.given_back == []


async def test_an_exception_and_a_cancellation_leave_the_message_unacknowledged(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """Whoever it goes to next sees a second try."""

    async def fail() -> None:
        async for _ in aclient.consume("chat"):
            raise KeyError("user")

    failing = asyncio.ensure_future(fail())
    await away(gateway.push, "a")
    with pytest.raises(KeyError):
        await failing
    await closed(gateway)
    begun = asyncio.Event()

    async def hang() -> None:
        async for _ in aclient.consume("chat"):
            begun.set()
            await asyncio.Event().wait()

    hanging = asyncio.ensure_future(hang())
    await away(gateway.push, "b")
    await begun.wait()
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    await closed(gateway)

    assert (gateway.acknowledged, gateway.given_back) == ([], [])


async def test_one_that_waits_can_be_cancelled(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """Its links are closed before it ends."""

    async def consume() -> None:
        async for _ in aclient.consume("chat"):
            pass

    waiting = asyncio.ensure_future(consume())
    await away(gateway.wait_for, lambda: gateway.commands(wire.Consume))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await closed(gateway)

    assert gateway.commands(wire.StopConsuming) == [wire.StopConsuming()]


async def test_with_manual_acknowledgement_nothing_is_said_unasked(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """In any order; a block may iterate again after a break, and what is in hand stays there."""
    async with aclient.consume("chat", manual_ack=True) as consumer:
        ids = await away(gateway.push, *"abc")
        taken: list[AsyncMessage] = []
        for _ in range(2):
            async for message in consumer:
                taken.append(message)
                if message.data in "bc":
                    break
        assert await taken[2].ack()
        assert await taken[0].nack()
        assert (await taken[0].ack(), await taken[1].ack(), await taken[2].nack()) == (False,) * 3
        await away(gateway.wait_for, lambda: gateway.given_back)
    await closed(gateway)

    assert (gateway.acknowledged, gateway.given_back) == (ids[2:], [(ids[:1], True)])


async def test_a_lost_link_is_dialled_again(
    aclient: AsyncGatewayClient, gateway: FakeGateway, told: Told
) -> None:
    """What it gave is settled, since it comes again; what went wrong is told once."""
    async with aclient.consume("chat", manual_ack=True, on_error=told) as consumer:
        messages = aiter(consumer)
        await away(gateway.push, *"ab")
        lost = await anext(messages)
        await away(gateway.cut_links)
        await told.until("is lost")
        assert not await lost.ack()
        await away(gateway.push, "a")
        again = await anext(messages)
        assert (again.data, await again.ack()) == ("a", True)
    assert len(told.texts) == 1


async def test_gateways_come_and_go(
    aclient: AsyncGatewayClient,
    register: FakeRegister,
    gateway: FakeGateway,
    other: FakeGateway,
    told: Told,
) -> None:
    """A new one is consumed from at once; one that has gone, and no register knows, is forgotten."""
    async with aclient.consume("chat", on_error=told) as consumer:
        messages = aiter(consumer)
        await away(gateway.push, "here")
        assert (await anext(messages)).data == "here"
        await away(register.tell, gateway, other)
        await away(other.push, "there")
        assert (await anext(messages)).data == "there"
        await away(gateway.say_goodbye)
        await told.until("has stopped")
        await away(register.tell, other)
        await away(other.push, "still there")
        assert (await anext(messages)).data == "still there"
        assert repr(consumer) == "<AsyncConsumer of chat: 1 gateways, 0 messages in store>"
    assert told.texts == [f"gateway {gateway.address} has stopped"]


async def test_it_waits_for_a_register_and_a_gateway(
    register: FakeRegister, gateway: FakeGateway, told: Told
) -> None:
    """Each is reported once, however often it is tried; then messages come."""
    await away(register.stop)
    register.nodes = []
    async with AsyncGatewayClient(str(register.address), secret_key="") as client:
        consumer = client.consume("chat", on_error=told)
        first = asyncio.ensure_future(anext(aiter(consumer)))
        await told.until("refuses connections. Start it with: register start")
        await away(register.start)
        await told.until("no gateway is announced")
        await away(register.tell, gateway)
        await away(gateway.push, "a")
        assert (await first).data == "a"
    assert len(told.texts) == 2


async def test_a_gateway_that_knows_no_queues_is_named(
    aclient: AsyncGatewayClient, gateway: FakeGateway, told: Told
) -> None:
    """It is told once; when it was updated its messages come."""
    gateway.fault = refuse(ErrorCode.UNSUPPORTED)
    async with aclient.consume("chat", on_error=told) as consumer:
        await told.until(f"gateway {gateway.address} sends this consumer no messages: it knows no")
        gateway.fault = None
        await away(gateway.cut_links)
        await away(gateway.push, "a")
        assert (await anext(aiter(consumer))).data == "a"
    assert len(told.texts) == 1


@pytest.mark.parametrize("where", ["register", "gateway"])
async def test_a_wrong_secret_key_ends_it(
    peers: PeerLoop, make_gateway: MakeGateway, where: str
) -> None:
    """No retry mends it; the error names who refused."""
    keys = {"register": "ours", "gateway": "ours", where: "another"}
    gateway = await away(make_gateway, "aaaaaaaaaaaa", keys["gateway"])
    register = await away(FakeRegister, peers, gateway, secret_key=keys["register"])
    refusing = register if where == "register" else gateway
    async with AsyncGatewayClient(str(register.address), secret_key="ours") as client:
        with pytest.raises(AuthenticationFailed, match=str(refusing.address)):
            async for _ in client.consume("chat", on_error=lambda _: None):
                pass
    await away(register.stop)


async def test_the_loop_gets_a_turn_however_fast_messages_are_handled(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """So acknowledgements leave while messages are in store, and other tasks go on."""
    async with aclient.consume("chat", manual_ack=False) as consumer:
        ids = await away(gateway.push, *range(100))
        await consumer.wait()
        async for message in consumer:
            if message.data == 99:
                await message.ack()
                break
        await acknowledged(gateway, ids)
    assert len(gateway.commands(wire.AcknowledgeMessages)) >= 4


async def test_close_ends_a_wait_and_lets_the_message_in_hand_be_acknowledged(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """A signal handler of the loop may call it."""
    consumer = aclient.consume("chat")
    seen: list[object] = []

    async def consume() -> None:
        async for message in consumer:
            seen.append(message.data)
            if message.data == "b":
                consumer.close()

    consuming = asyncio.ensure_future(consume())
    ids = await away(gateway.push, *"abc")
    await consuming
    await closed(gateway)
    assert (seen, gateway.acknowledged, gateway.given_back) == (
        ["a", "b"],
        ids[:2],
        [(ids[2:], False)],
    )
    waiting = aclient.consume("chat")
    asyncio.get_running_loop().call_soon(waiting.close)
    assert [message async for message in waiting] == []
    assert repr(waiting) == "<AsyncConsumer of chat: closed, 0 messages in store>"


async def test_a_link_that_opens_while_it_closes_brings_nothing(
    aclient: AsyncGatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """Nothing is asked for there, and what such a gateway says all the same is passed over."""
    failures: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: failures.append(what))
    async with aclient.consume("chat") as consumer:
        await away(gateway.wait_for, lambda: gateway.commands(wire.Consume))
        consumer.close()
        await away(register.tell, gateway, other)
        await away(other.wait_for, lambda: other.openings == 1)
        other.consumers.extend(other.listener.links)
        await away(other.push, "a")
        assert await aclient.is_online(other.connect())  # what was said before it has been read
        assert "0 messages in store" in repr(consumer)
    assert (other.commands(wire.Consume), failures) == ([], [])


def test_it_may_be_closed_when_its_loop_has_ended(register: FakeRegister) -> None:
    """Nothing is left to be done, whoever closed the links."""
    register.nodes = []
    client = AsyncGatewayClient(str(register.address), secret_key="")
    consumer = client.consume("chat")
    asyncio.run(consumer.__aenter__())
    consumer.close()
    assert "closed" in repr(consumer)


async def test_a_client_that_closes_ends_what_it_consumes(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """A wait ends as if it were through; nothing stays behind."""

    async def consume() -> int:
        return len([message async for message in aclient.consume("chat")])

    consuming = asyncio.ensure_future(consume())
    await away(gateway.wait_for, lambda: gateway.commands(wire.Consume))
    await aclient.aclose()

    assert await consuming == 0
    await closed(gateway)


async def test_a_gateway_that_does_not_answer_does_not_hold_up_the_end(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """Closing is bounded in time."""

    def mute_stops(link: AioLink, command: Command, request_id: int) -> None:
        if not isinstance(command, wire.StopConsuming):
            link.send(wire.Reply(None), request_id)

    async with aclient.consume("chat"):
        await away(gateway.wait_for, lambda: gateway.commands(wire.Consume))
        gateway.fault = mute_stops
    await closed(gateway)


async def test_one_task_at_a_time_waits_for_a_message(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """Two would each get half; the error says what to do."""
    async with aclient.consume("chat") as consumer:
        first = asyncio.ensure_future(anext(aiter(consumer)))
        await away(gateway.wait_for, lambda: gateway.commands(wire.Consume))
        with pytest.raises(RuntimeError, match="is iterated by another task"):
            await anext(aiter(consumer))
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first


async def test_a_message_is_replied_to_through_the_client(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """As `send_to_client` does, and it says so."""
    me = gateway.connect()
    async with aclient.consume("chat") as consumer:
        await away(gateway.push, "a", client_id=me)
        message = await anext(aiter(consumer))
        assert await message.reply({"ok": True}) == 1
    assert gateway.commands(wire.SendToClients) == [wire.SendToClients([me], '{"ok":true}')]


@pytest.mark.parametrize("ending", ["break", "return in the midst", "task"])
def test_the_end_of_a_loop_closes_its_links(
    register: FakeRegister, gateway: FakeGateway, ending: str
) -> None:
    """Whether or not anybody closed the consumer; in order, so that what nobody saw is given back."""
    client = AsyncGatewayClient(str(register.address), secret_key="")
    kept: list[object] = []

    async def main() -> None:
        consumer = client.consume("chat")
        if ending == "task":
            kept.append(asyncio.ensure_future(anext(aiter(consumer))))
            await away(gateway.wait_for, lambda: gateway.commands(wire.Consume))
            return
        messages = aiter(consumer)
        pushing = asyncio.ensure_future(away(gateway.push, *"ab"))
        assert (await anext(messages)).data == "a"
        await pushing
        if ending == "return in the midst":
            kept.append(messages)

    asyncio.run(main())
    gateway.wait_for(lambda: not gateway.listener.links)
    register.wait_for(lambda: not register.listener.links)
    assert gateway.given_back == ([] if ending == "task" else [([2], False)])


async def test_a_forked_child_lets_go(aclient: AsyncGatewayClient, gateway: FakeGateway) -> None:
    """The gateway sees the parent's end although the child lives; in the child the iteration ends."""
    async with aclient.consume("chat") as consumer:
        await away(gateway.push, "a")
        assert (await anext(aiter(consumer))).data == "a"
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(writing)
            os.read(reading, 1)
            os._exit("closed" not in repr(consumer))
        os.close(reading)
    await closed(gateway)
    os.close(writing)
    assert (await away(os.waitpid, child, 0))[1] == 0


async def _coroutine(_: Exception) -> None:
    """Do nothing."""


def test_what_is_wrong_is_said_at_the_call(register: FakeRegister) -> None:
    """Before anything is dialled; no loop is needed to make a consumer."""
    client = AsyncGatewayClient(str(register.address), secret_key="")
    with pytest.raises(ValueError, match="names no topic"):
        client.consume()
    with pytest.raises(TypeError, match="on_error is async def"):
        client.consume("chat", on_error=_coroutine)
    assert repr(client.consume("chat", "orders")) == (
        "<AsyncConsumer of chat, orders: 0 gateways, 0 messages in store>"
    )
