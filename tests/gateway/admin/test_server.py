"""The whole HTTP port, from start to stop."""

import asyncio

import pytest

from gateway.admin.server import AdminServer
from tests.gateway.admin.core import gateway
from tests.gateway.admin.ports import administered
from tests.support.links import address_of, bound


async def test_health_metrics_and_api_are_served() -> None:
    """One port has all three."""
    async with gateway() as core, administered(core.sources()) as session:
        for path in ("/healthz", "/readyz", "/metrics"):
            async with session.get(path) as answer:
                assert answer.status == 200
        async with session.post("/api/v1/get_all_client_count", json={}) as answer:
            assert await answer.json() == {"result": 0}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
async def test_the_key_guards_metrics_and_api_but_not_health(headers: dict[str, str]) -> None:
    """Without the key a stranger learns that the process lives, and nothing else."""
    async with gateway() as core, administered(core.sources(api_key="right")) as session:
        for path in ("/healthz", "/readyz"):
            async with session.get(path, headers=headers) as answer:
                assert answer.status == 200
        async with session.get("/metrics", headers=headers) as answer:
            assert answer.status == 401
        async with session.post("/api/v1/nonsense", json={}, headers=headers) as answer:
            assert answer.status == 401
        headers = {"Authorization": "Bearer right"}
        async with session.post("/api/v1/get_all_uid_count", json={}, headers=headers) as answer:
            assert (answer.status, await answer.json()) == (200, {"result": 0})


async def test_without_a_key_foreign_pages_are_refused_with_the_remedy() -> None:
    """A page from elsewhere, in a browser of this machine, cannot push."""
    headers = {"Origin": "https://elsewhere.example"}
    async with (
        gateway() as core,
        administered(core.sources()) as session,
        session.post("/api/v1/send_to_all", json={}, headers=headers) as answer,
    ):
        body = await answer.json()
    assert (answer.status, body["error"]["code"]) == (403, "forbidden")
    assert "--api-key-file" in body["error"]["message"]


async def test_a_stop_ends_the_links_to_the_cluster() -> None:
    """The API's own client goes with the port."""
    async with gateway() as core:
        async with administered(core.sources()) as session:
            async with session.post("/api/v1/get_all_client_count", json={}) as answer:
                assert answer.status == 200
            assert core.backend.links == 1
        await core.backend.wait_closed()
        assert core.backend.links == 0


async def test_a_port_that_never_opened_stops() -> None:
    """Stopping is harmless at any time."""
    async with gateway() as core:
        server = AdminServer(core.sources())
        await server.stop()
        assert repr(server) == "<AdminServer <HttpServer closed>>"


async def test_the_loops_lag_is_measured_while_the_port_is_open() -> None:
    """The timer lives from start to stop, so that nothing is left on the loop."""
    async with gateway() as core:
        sources = core.sources()
        server = AdminServer(sources)
        sock = bound()
        address = address_of(sock)
        await server.start(sock)
        assert str(address.port) in repr(server)
        await server.stop()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)
