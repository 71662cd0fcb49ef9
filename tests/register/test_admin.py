"""The register's HTTP port, asked by a real HTTP client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from gateway_process.secret import Secret
from gateway_wire.commands import Announce
from register.admin import Admin
from register.directory import Verdict
from register.server import Server
from tests.support.links import address_of, bound

GATEWAY = Announce("0123456789ab", "10.0.0.1", 2900, 0, [], "10.0.0.1:6789")


class Source:
    last_heard = 0.0


@asynccontextmanager
async def served(
    key: str = "", *, connmix: bool = False
) -> AsyncIterator[tuple[Server, aiohttp.ClientSession]]:
    """Run the HTTP port of a register and a client to it."""
    server = Server()
    admin = Admin(server, Secret(key), restarts=2, connmix=connmix)
    sock = bound()
    base = f"http://{address_of(sock)}"
    await admin.start(sock)
    try:
        async with aiohttp.ClientSession(base) as session:
            yield server, session
    finally:
        await admin.stop()


async def test_it_is_alive() -> None:
    """Health answers 200, with a key set too and without giving it."""
    async with served("s3cret") as (_, session), session.get("/healthz") as response:
        assert response.status == 200
        assert await response.json() == {"status": "ok"}


async def test_it_lists_the_nodes_in_the_shape_of_connmix() -> None:
    """Each gateway has its id and the address of its HTTP API, under both names clients read."""
    async with served() as (server, session):
        assert server.directory.announce(Source(), "a", GATEWAY) is Verdict.HELD  # type: ignore[arg-type]

        async with session.get("/v1/nodes") as response:
            assert await response.json() == {
                "nodes": [
                    {
                        "id": "0123456789ab",
                        "api_server": "10.0.0.1:6789",
                        "host": "10.0.0.1:6789",
                    }
                ]
            }


async def test_a_centre_of_connmix_tells_its_version() -> None:
    """Its clients read the first of `apis`, which must be v1."""
    async with served(connmix=True) as (_, session), session.get("/version") as response:
        assert response.status == 200
        body = await response.json()
        assert body["apis"] == ["v1"]
        assert isinstance(body["version"], str)


async def test_a_centre_of_connmix_lists_the_gateways_that_speak_it() -> None:
    """A gateway without decimal client ids, or without an API, would be dialled in vain."""
    speaking = Announce("c" * 12, "10.0.0.2", 2900, 0, ["n:" + "c" * 12, "c:9000"], "10.0.0.2:6789")
    deaf = Announce("d" * 12, "10.0.0.3", 2900, 0, ["n:" + "d" * 12, "c:9001"])
    async with served(connmix=True) as (server, session):
        for number, each in enumerate((GATEWAY, speaking, deaf)):
            server.directory.announce(Source(), str(number), each)  # type: ignore[arg-type]

        async with session.get("/v1/nodes") as response:
            assert await response.json() == {
                "nodes": [{"id": "c" * 12, "api_server": "10.0.0.2:6789", "host": "10.0.0.2:6789"}]
            }


async def test_no_centre_of_connmix_unless_told() -> None:
    """A client of CONNMIX learns at its first question which setting is missing."""
    async with served() as (_, session), session.get("/version") as response:
        assert response.status == 404
        assert "--connmix" in (await response.json())["error"]["message"]


async def test_metrics_tell_what_happened() -> None:
    """Gauges and counters are read from the server when they are asked for."""
    async with served() as (server, session):
        server.directory.announce(Source(), "a", GATEWAY)  # type: ignore[arg-type]
        server.counters.announcements = 3
        server.counters.refusals["duplicate_node"] = 2

        async with session.get("/metrics") as response:
            page = await response.text()

    assert response.headers["Content-Type"].startswith("text/plain")
    lines = page.splitlines()
    assert "gatewayworker_register_gateways 1.0" in lines
    assert "gatewayworker_register_watchers 0.0" in lines
    assert "gatewayworker_register_settling 1.0" in lines
    assert "gatewayworker_register_process_restarts_total 2.0" in lines
    assert "gatewayworker_register_announcements_total 3.0" in lines
    assert 'gatewayworker_register_refusals_total{reason="duplicate_node"} 2.0' in lines


@pytest.mark.parametrize("path", ["/v1/nodes", "/metrics"])
async def test_the_key_guards_all_but_health(path: str) -> None:
    """Without the key 401, with it 200."""
    async with served("s3cret") as (_, session):
        async with session.get(path) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"] == "Bearer"
            assert (await response.json())["error"]["code"] == "unauthorized"
        async with session.get(path, headers={"Authorization": "Bearer s3cret"}) as response:
            assert response.status == 200


async def test_without_a_key_pages_from_elsewhere_are_refused() -> None:
    """A browser's request for a foreign page gets no answer to read."""
    headers = {"Origin": "https://evil.example"}
    async with served() as (_, session), session.get("/v1/nodes", headers=headers) as response:
        assert response.status == 403
        assert (await response.json())["error"]["code"] == "forbidden"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nothing", 404, "not_found"), ("DELETE", "/v1/nodes", 405, "method_not_allowed")],
)
async def test_errors_are_json(method: str, path: str, status: int, code: str) -> None:
    """An unknown path and a wrong method answer like any other error."""
    async with served() as (_, session), session.request(method, path) as response:
        assert response.status == status
        error = (await response.json())["error"]

    assert error["code"] == code
    assert path in error["message"]
