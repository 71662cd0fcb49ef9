"""The class-level `AsyncGateway`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway_client import AsyncGateway, AsyncMessage, GatewayUnavailable, inside
from gateway_client.config import forget_defaults, set_defaults
from gateway_wire import commands as wire
from tests.gateway_client.peers import FakeGateway, FakeRegister
from tests.gateway_client.test_inside import Worker


@pytest.fixture(autouse=True)
async def settings() -> AsyncIterator[None]:
    """The shared client's settings are put back after each test."""
    before = AsyncGateway.register_address, AsyncGateway.secret_key
    yield
    await AsyncGateway.aclose()
    AsyncGateway.register_address, AsyncGateway.secret_key = before


@pytest.mark.parametrize("turn", [1, 2])
async def test_it_serves_one_loop_after_another(register: FakeRegister, turn: int) -> None:
    """Assigned attributes take effect with the next call, on whichever loop it is made."""
    AsyncGateway.register_address, AsyncGateway.secret_key = str(register.address), ""
    assert await AsyncGateway.get_all_client_count() == 0
    async with AsyncGateway.pipeline() as p:
        p.get_all_client_count()
    assert p.results == [0]


async def test_a_changed_setting_closes_the_old_links(register: FakeRegister) -> None:
    """The client that is replaced leaves nothing behind."""
    AsyncGateway.register_address, AsyncGateway.secret_key = str(register.address), ""
    await AsyncGateway.get_all_client_count()
    AsyncGateway.register_address = [str(register.address)]
    await AsyncGateway.get_all_client_count()
    register.wait_for(lambda: len(register.listener.links) == 1)


def test_what_is_lost_unconfirmed_is_counted_over_all_loops(
    register: FakeRegister, gateway: FakeGateway
) -> None:
    """It is read from the class, and outside of a loop: a loop's end does not end the count."""

    class Mine(AsyncGateway):
        """A client of its own."""

        register_address = str(register.address)
        secret_key = ""

    assert Mine.lost == 0
    gateway.stop()
    for _ in range(2):
        with pytest.raises(GatewayUnavailable):
            asyncio.run(Mine.send_to_all("m", confirm=False))
    assert (Mine.lost, AsyncGateway.lost) == (2, 0)


async def test_it_consumes_and_replies_with_the_shared_client(
    register: FakeRegister, gateway: FakeGateway
) -> None:
    """`aclose` ends what is consumed on the loop, too."""
    AsyncGateway.register_address, AsyncGateway.secret_key = str(register.address), ""
    told = asyncio.Event()

    async def consume() -> None:
        async for message in AsyncGateway.consume("chat"):
            assert await message.reply("b") == 1
            told.set()

    consuming = asyncio.ensure_future(consume())
    await asyncio.to_thread(gateway.push, "a", client_id=gateway.connect())
    await told.wait()
    await AsyncGateway.aclose()
    await consuming
    await asyncio.to_thread(gateway.wait_for, lambda: not gateway.listener.links)


async def test_new_settings_end_what_is_consumed_with_the_old_ones(
    register: FakeRegister, gateway: FakeGateway
) -> None:
    """As they end the other links; the message in hand is acknowledged."""
    AsyncGateway.register_address, AsyncGateway.secret_key = str(register.address), ""
    pushing = asyncio.ensure_future(asyncio.to_thread(gateway.push, "a", "b"))
    async for message in AsyncGateway.consume("chat"):
        assert message.data == "a"
        await pushing
        AsyncGateway.secret_key = "another"
        AsyncGateway.pipeline()
        await asyncio.sleep(0)
    await asyncio.to_thread(gateway.wait_for, lambda: not gateway.listener.links)
    assert gateway.acknowledged == [1]


async def test_inside_a_worker_it_consumes_on_links_of_its_own(
    register: FakeRegister, gateway: FakeGateway
) -> None:
    """Where the worker's registers are; replies go the worker's way."""
    worker = Worker()
    inside.install(worker)
    set_defaults([register.address], "")
    try:
        async with AsyncGateway.consume("chat") as consumer:
            await asyncio.to_thread(gateway.push, "a", client_id=gateway.connect())
            message = await anext(aiter(consumer))
            assert isinstance(message, AsyncMessage)
            await message.reply("b")
    finally:
        inside.uninstall()
        forget_defaults()
    assert worker.calls == [("run_async", "send_to_client")]
    assert gateway.commands(wire.SendToClients) == []
