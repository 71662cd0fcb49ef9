"""The way out to a gateway whose link stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway_client.aio.kept_outlet import KeptOutlet
from gateway_client.cluster import Cluster
from gateway_client.config import Config
from gateway_client.directory import Node
from gateway_wire.aio.link import AioLink
from gateway_wire.commands import Role
from gateway_wire.errors import GatewayError
from gateway_wire.hello import Party, new_instance
from tests.gateway_client.peers import FakeGateway


class Watched(KeptOutlet):
    """One that tells what happens to it."""

    def __init__(self, gateway: FakeGateway) -> None:
        self.told: asyncio.Queue[str] = asyncio.Queue()
        node = Node(gateway.node_id, gateway.address, 1, ("n:" + gateway.node_id,))
        cluster, party = Cluster(Config((gateway.address,))), Party(Role.CLIENT, new_instance())
        super().__init__(node, cluster, party, "the test is over")

    def dial_failed(self, why_not: str, _: Exception) -> None:
        self.told.put_nowait(why_not)

    def link_opened(self, link: AioLink) -> None:
        super().link_opened(link)
        self.told.put_nowait("opened")

    def link_closed(self, link: AioLink, reason: GatewayError) -> None:
        super().link_closed(link, reason)
        self.told.put_nowait("closed")


@pytest.fixture
async def outlet(gateway: FakeGateway) -> AsyncIterator[Watched]:
    """The way to `gateway`."""
    outlet = Watched(gateway)
    assert await outlet.told.get() == "opened"
    yield outlet
    await outlet.close()


async def test_a_link_that_ends_is_dialled_again(outlet: Watched, gateway: FakeGateway) -> None:
    """Without being asked; its end is told once, and is no failure to dial."""
    await asyncio.to_thread(gateway.cut_links)

    assert [await outlet.told.get() for _ in range(2)] == ["closed", "opened"]
    assert outlet.why_not_wait() is None


async def test_it_says_why_there_is_no_use_in_waiting(
    outlet: Watched, gateway: FakeGateway
) -> None:
    """As long as the last attempt has failed; each failed one is told."""
    await asyncio.to_thread(gateway.stop)
    assert await outlet.told.get() == "closed"
    reason = await outlet.told.get()

    assert "could not be reached: Connect call failed" in reason
    assert outlet.why_not_wait() == reason
    await asyncio.to_thread(gateway.start)
    while await outlet.told.get() != "opened":
        pass
    assert outlet.why_not_wait() is None


async def test_one_that_is_gone_is_dialled_no_more(outlet: Watched, gateway: FakeGateway) -> None:
    """It says goodbye, and that is all."""
    outlet.forget()

    assert await outlet.told.get() == "closed"
    await asyncio.to_thread(gateway.wait_for, lambda: not gateway.listener.links)
    assert gateway.openings == 1
