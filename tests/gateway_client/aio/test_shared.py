"""The class-level `AsyncGateway`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway_client import AsyncGateway
from tests.gateway_client.peers import FakeRegister


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
