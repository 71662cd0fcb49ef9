"""Watching registers on a loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway_client import AsyncGatewayClient, RegisterUnavailable
from gateway_client.aio.registers import LOOKUP_TIMEOUT
from tests.gateway_client.peers import FakeGateway, FakeRegister, PeerLoop


@pytest.fixture
async def aclient(register: FakeRegister) -> AsyncIterator[AsyncGatewayClient]:
    """An asynchronous client of the cluster."""
    async with AsyncGatewayClient(str(register.address), secret_key="") as client:
        yield client


async def test_the_first_call_waits_for_every_register(
    peers: PeerLoop, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """The union is complete from the first call on, for every task that comes early."""
    second = FakeRegister(peers, other)
    gateway.connect(1)
    other.connect(2)
    addresses = [str(register.address), str(second.address)]
    async with AsyncGatewayClient(addresses, secret_key="") as client:
        counts = await asyncio.gather(*(client.get_all_client_count() for _ in range(8)))
    assert counts == [2] * 8
    assert (register.openings, second.openings) == (1, 1)
    second.stop()


async def test_a_mute_register_costs_the_first_caller_a_share_of_its_time(
    peers: PeerLoop, register: FakeRegister, gateway: FakeGateway
) -> None:
    """The gateways that the other register named are asked in time."""
    silent = FakeRegister(peers)
    silent.is_mute = True
    gateway.connect()
    addresses = [str(register.address), str(silent.address)]
    async with AsyncGatewayClient(addresses, secret_key="") as client:
        assert await client.get_all_client_count(timeout=0.5) == 1
        assert await client.get_all_client_count() == 1
    silent.stop()


async def test_a_register_that_comes_back_is_watched_again(
    aclient: AsyncGatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """It is dialled again by itself, and what it says is known."""
    await aclient.get_all_client_count()
    register.stop()
    register.nodes.append(other.entry)
    other.connect()
    register.start()
    async with asyncio.timeout(20):
        while await aclient.get_all_client_count() != 1:  # noqa: ASYNC110 - it is the question
            await asyncio.sleep(0)


async def test_a_register_that_does_not_answer_a_lookup_counts_as_lost(
    aclient: AsyncGatewayClient, register: FakeRegister
) -> None:
    """One caller waits for it, no longer than a second."""
    await aclient.get_all_client_count()
    register.is_mute = True
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with pytest.raises(RegisterUnavailable, match="did not answer in time"):
        await aclient.is_online("c" * 32)
    assert loop.time() - begun >= LOOKUP_TIMEOUT * 0.9


NOT_A_REGISTER = r"it is a gateway, not a register\)\. .* register_address right\?$"
"""Where something listens, nothing is to be started."""


async def test_a_gateway_in_a_registers_place_is_told(gateway: FakeGateway) -> None:
    """The address of a gateway's internal port is a likely mistake; nobody waits for an answer."""
    async with AsyncGatewayClient(str(gateway.address), secret_key="") as client:
        with pytest.raises(RegisterUnavailable, match=NOT_A_REGISTER):
            await client.get_all_client_count()
