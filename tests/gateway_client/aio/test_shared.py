"""The class-level `AsyncGateway`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway_client import AsyncGateway, GatewayUnavailable
from tests.gateway_client.peers import FakeGateway, FakeRegister


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
