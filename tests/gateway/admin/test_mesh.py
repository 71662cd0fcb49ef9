"""The entry module's way to all gateways."""

from gateway.admin.mesh import ClusterMesh
from tests.gateway.admin.core import gateway


async def test_a_message_reaches_one_client() -> None:
    """And it is said whether that was there."""
    async with gateway() as core:
        mesh = ClusterMesh(core.client)
        browser = await core.browser()
        assert await mesh.send(browser.client_id, {"a": 1}) is True
        assert await browser.next() == '{"a":1}'
        gone = browser.client_id[:-1] + ("0" if browser.client_id[-1] != "0" else "1")
        assert await mesh.send(gone, "x") is False
        assert repr(mesh).startswith("<ClusterMesh by <AsyncGatewayClient")


async def test_a_message_is_published_to_a_channel() -> None:
    """Which is a group; it is counted who took it."""
    async with gateway() as core:
        mesh = ClusterMesh(core.client)
        browser = await core.browser()
        await core.client.join_group(browser.client_id, "news")
        published = await mesh.publish("news", "hello")
        assert (published.success, published.fail) == (1, 0)
        assert await browser.next() == "hello"
