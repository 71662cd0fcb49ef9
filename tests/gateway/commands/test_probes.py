"""Checks of how others are asked, each with a peer that answers in its own way."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from gateway.commands.findings import Level
from gateway.commands.probes import (
    Node,
    ask_gateway,
    ask_http,
    ask_php,
    ask_register,
    ask_websocket,
)
from gateway_process.addresses import ListenUrl
from gateway_wire.addresses import Address
from gateway_wire.commands import Nodes, Role
from tests.gateway.php.programs import serving_php
from tests.support.links import serving

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

NODE = {"node_id": "0123456789ab", "host": "10.0.0.7", "port": 2900}


@asynccontextmanager
async def http(answer: Answer) -> AsyncIterator[Address]:
    """Serve HTTP that answers so, whatever is asked."""
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Address(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def silent() -> AsyncIterator[Address]:
    """Listen, and close whatever connects."""

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        yield Address(*server.sockets[0].getsockname()[:2])


def json_of(body: object, status: int = 200) -> Answer:
    """Answer with this."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=json.dumps(body), content_type="application/json", status=status)

    return answer


async def asked(nodes: Nodes, secret_key: str = "") -> tuple[Level, str, list[Node]]:
    """Ask a register that answers so."""
    async with serving(Role.REGISTER) as (address, owner):
        asking = asyncio.create_task(ask_register(address, secret_key))
        link = await asyncio.wait_for(owner.links.get(), 5)
        await owner.envelopes.get()
        link.send(nodes)
        finding, known = await asking
        return finding.level, finding.text, list(known)


async def test_a_register_tells_its_gateways() -> None:
    """What it lists is counted, and given to be asked next."""
    known = Node("0123456789ab", Address("10.0.0.7", 2900))
    assert await asked(Nodes(False, [NODE])) == (Level.OK, "answers, and knows 1", [known])


@pytest.mark.parametrize(
    ("settling", "text"),
    [
        (True, "answers, and knows no gateway yet; it has just started"),
        (False, "answers, and knows no gateway; run `gateway start`"),
    ],
)
async def test_a_register_without_gateways_is_a_warning(settling: bool, text: str) -> None:
    """Nothing can be pushed, but it may be meant so."""
    assert await asked(Nodes(settling, [])) == (Level.WARNING, text, [])


async def test_a_key_on_one_side_is_told() -> None:
    """Who has no key is named, with the remedy."""
    async with serving(Role.REGISTER) as (address, _):
        finding, _ = await ask_register(address, "secret")
    assert finding.level is Level.PROBLEM
    assert finding.text.endswith("; give all processes the same --secret-key-file")


async def test_something_else_of_ours_is_told() -> None:
    """A gateway's address given for a register's is recognized."""
    async with serving(Role.GATEWAY) as (address, _):
        finding, _ = await ask_register(address, "")
        assert finding.text == "is a gateway, not a register; check the address"
        assert (await ask_gateway("it", address, "")).level is Level.OK


async def test_a_stranger_is_told() -> None:
    """What answers, but in no language of ours, is named so."""
    async with http(json_of({})) as address:
        finding, _ = await ask_register(address, "")
    assert finding.level is Level.PROBLEM
    assert "check --register" in finding.text


async def test_what_cannot_be_reached_is_told() -> None:
    """A closed port and a name that does not resolve each have their remedy."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        closed = Address("127.0.0.1", sock.getsockname()[1])
    finding = await ask_gateway("it", closed, "")
    assert finding.text == (
        "connection refused; start it with `gateway start`, or check --advertise"
    )
    finding, _ = await ask_register(Address("no-such-host.invalid", 1), "")
    assert finding.text.endswith("; check the name in --register")


@pytest.mark.parametrize(
    ("body", "status", "level", "text"),
    [
        ({"status": "ready", "workers": 0}, 200, Level.OK, "answers, ready"),
        ({"reason": "draining", "workers": 2}, 503, Level.WARNING, "answers, not ready: draining"),
        ({}, 404, Level.PROBLEM, "HELD; it does not answer as a gateway (status 404)"),
        ([], 200, Level.PROBLEM, "HELD; it does not answer as a gateway ("),
    ],
)
async def test_an_http_port_is_ready_or_not(
    body: object, status: int, level: Level, text: str
) -> None:
    """Its readiness is told; what answers otherwise is not a gateway."""
    async with http(json_of(body, status)) as address:
        finding = await ask_http("http", address, "HELD")
    assert finding.level is level
    assert finding.text.startswith(text)


async def test_a_port_that_hangs_up_is_no_gateway() -> None:
    """Neither HTTP nor a websocket: who holds the port is told."""
    async with silent() as address:
        found = [
            await ask_http("http", address, "HELD"),
            await ask_websocket("listen", ListenUrl.parse(f"ws://{address}"), "HELD"),
        ]
    for finding in found:
        assert finding.level is Level.PROBLEM
        assert finding.text.startswith("HELD; it does not answer as a gateway (")


async def test_a_websocket_is_recognized() -> None:
    """A handshake that succeeds is enough."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        await response.close()
        return response

    async with http(answer) as address:
        finding = await ask_websocket("listen", ListenUrl.parse(f"ws://{address}"), "HELD")
    assert (finding.level, finding.text) == (Level.OK, "answers websockets")


@pytest.mark.parametrize(
    ("key", "level", "told"),
    [
        ("of the cluster", Level.OK, "answers PHP programs"),
        ("", Level.PROBLEM, "held; it does not answer PHP programs, or not with this key"),
        ("another", Level.PROBLEM, "held; it does not answer PHP programs, or not with this key"),
    ],
)
async def test_the_listener_for_php_is_asked_with_the_key(
    key: str, level: Level, told: str
) -> None:
    """A gateway with another key is as good as none."""
    async with serving_php("of the cluster") as running:
        finding = await ask_php("it", running.php, key, "held")

    assert (finding.level, finding.subject, finding.text) == (level, "it", told)


async def test_what_does_not_speak_php_is_a_problem() -> None:
    """Who hangs up, and a port that was closed meanwhile."""
    async with silent() as address:
        assert (await ask_php("it", address, "", "held")).level is Level.PROBLEM
    assert (await ask_php("it", address, "", "held")).level is Level.PROBLEM
