"""The asyncio pipeline over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway_client import (
    AsyncGatewayClient,
    GatewayUnavailable,
    MessageTooLarge,
    Reached,
    ReplyTimeout,
)
from gateway_client.aio.pipeline import WINDOW
from gateway_wire import commands as wire
from tests.gateway_client.peers import FakeGateway, FakeRegister, mute


@pytest.fixture
async def aclient(register: FakeRegister) -> AsyncIterator[AsyncGatewayClient]:
    """An asynchronous client of the cluster."""
    async with AsyncGatewayClient(str(register.address), secret_key="") as client:
        yield client


async def test_results_stand_in_the_order_of_the_commands(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """Values of every kind, each at its place."""
    me = gateway.connect()
    async with aclient.pipeline() as p:
        p.bind_uid(me, 1)
        p.send_to_uid([], "nobody")
        p.send_to_uid(1, "m")
        p.is_online("c" * 32)
        p.send_to_all("m", confirm=False)
        assert "5 commands" in repr(p)
    assert p.results == [True, Reached(0), Reached(1), False, None]


async def test_more_than_the_window_goes_through_in_order(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """Answers make room for further commands."""
    big = "x" * (WINDOW // 16)
    async with aclient.pipeline() as p:
        for number in range(64):
            p.send_to_uid("u", f"{number}:{big}")
    assert p.results == [0] * 64
    sent = [str(command.message).partition(":")[0] for command in gateway.commands(wire.SendToUids)]
    assert sent == [str(number) for number in range(64)]


async def test_a_gateway_that_stops_answering_fails_its_share(
    aclient: AsyncGatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """The other gateway's share is done; the silent one is named in each result."""
    register.tell(gateway, other)
    await aclient.get_all_client_count()
    other.fault = mute
    there = other.connect()
    async with aclient.pipeline(timeout=0.3) as p:
        for _ in range(3):
            p.send_to_all("x" * (WINDOW // 2))
        p.is_online(there)
    assert p.results[0].unknown[0].node_id == other.node_id
    assert isinstance(p.results[3], ReplyTimeout | GatewayUnavailable)


async def test_without_gateways_each_command_says_so(
    aclient: AsyncGatewayClient, register: FakeRegister
) -> None:
    """Nobody to ask is the result of each command."""
    register.nodes = []
    async with aclient.pipeline() as p:
        p.send_to_all("m")
        p.get_all_client_count()
    assert [type(result) for result in p.results] == [GatewayUnavailable] * 2


async def test_a_block_that_raises_sends_nothing(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """What was queued is dropped and the exception goes on."""
    with pytest.raises(LookupError):  # noqa: PT012 - the block is what raises
        async with aclient.pipeline() as p:
            p.send_to_all("m")
            raise LookupError
    assert p.results == []
    await aclient.get_all_client_count()
    assert gateway.commands(wire.SendToAll) == []


async def test_a_command_that_cannot_be_encoded_fails_alone(aclient: AsyncGatewayClient) -> None:
    """The others are sent."""
    ids = [f"{'a' * 12}{number:020x}" for number in range(130_000)]
    async with aclient.pipeline() as p:
        p.send_to_all("m", ids)
        p.get_all_client_count()
    assert isinstance(p.results[0], MessageTooLarge)
    assert p.results[1] == 0


async def test_what_is_queued_outside_of_the_block_is_refused(aclient: AsyncGatewayClient) -> None:
    """Nothing would send it."""
    p = aclient.pipeline()
    with pytest.raises(RuntimeError, match="outside of the pipeline's with block"):
        p.send_to_all("before")
    async with p:
        p.get_all_client_count()
    with pytest.raises(RuntimeError, match="outside of the pipeline's with block"):
        p.send_to_all("after")
    assert p.results == [0]
