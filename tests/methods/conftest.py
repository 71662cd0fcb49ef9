"""Every method, against every kind of cluster, through every door.

A test of this folder takes `ask` (call a method by name) and `connect` (a browser), and is run
against one gateway, against two gateways of two processes with two registers, and with a secret key,
through the async client, the blocking client, and HTTP. The daemons are real and live as long
as the session; the cluster is empty when a test begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final, Protocol

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket

from gateway_client import METHODS, AsyncGatewayClient, GatewayClient
from tests.support.daemons import Daemon
from tests.support.waiting import PATIENCE, eventually

KEY: Final = "a secret key of the tests"
API_KEY: Final = "an API key of the tests"
ANY_PORT: Final = "127.0.0.1:0"


class Cluster:
    """Registers and gateways that run."""

    def __init__(self, registers: list[Daemon], gateways: list[Daemon], secret_key: str) -> None:
        self.secret_key = secret_key
        self.registers = [daemon.ready.listen for daemon in registers]
        self.websockets = [daemon.ready.ws for daemon in gateways]
        self.http = [each for daemon in gateways for each in daemon.ready.http.split(",")]
        self.processes = sum(len(daemon.ready.internal.split(",")) for daemon in gateways)
        self.client = GatewayClient(self.registers, secret_key=secret_key)


class Ask(Protocol):
    """Calls a method of the library by name."""

    async def __call__(self, method: str, *args: Any, **kwargs: Any) -> Any: ...


class Browser:
    """A browser's websocket, with the messages that came after the init message."""

    _markers = itertools.count()

    def __init__(self, websocket: ClientConnection, client_id: str, ask: Ask) -> None:
        self.websocket = websocket
        self.client_id = client_id
        self._ask = ask

    async def received(self) -> list[str | bytes]:
        """Give every message that came so far: those before a marker that is sent now.

        A client's messages come in the order of the calls, so nothing can be on its way any more.
        """
        marker = f"marker {next(self._markers)}"
        assert await self._ask("send_to_client", self.client_id, marker) == 1
        messages: list[str | bytes] = []
        while (message := await self.next()) != marker:
            messages.append(message)
        return messages

    async def next(self) -> str | bytes:
        """Wait for the next message."""
        return await asyncio.wait_for(self.websocket.recv(), PATIENCE)

    async def closed(self) -> tuple[int, str]:
        """Wait for the end of the connection; give its code and reason."""
        await asyncio.wait_for(self.websocket.wait_closed(), PATIENCE)
        return self.websocket.close_code or 0, self.websocket.close_reason or ""


Connect = Callable[[], Awaitable[Browser]]


@contextlib.contextmanager
def _running(*, gateways: int, processes: int, registers: int, secret: bool) -> Iterator[Cluster]:
    key = KEY if secret else ""
    environment = {"GATEWAYWORKER_SECRET_KEY": KEY, "GATEWAYWORKER_API_KEY": API_KEY}
    with contextlib.ExitStack() as stack:
        directory = [
            stack.enter_context(
                Daemon(
                    "register",
                    "start",
                    f"--listen={ANY_PORT}",
                    f"--http={ANY_PORT}",
                    environment=environment if secret else {},
                )
            )
            for _ in range(registers)
        ]
        running = [
            stack.enter_context(
                Daemon(
                    "gateway",
                    "start",
                    f"--listen=ws://{ANY_PORT}",
                    "--start-port=0",
                    f"--http={ANY_PORT}",
                    f"--processes={processes}",
                    f"--register={','.join(each.ready.listen for each in directory)}",
                    environment=environment if secret else {},
                )
            )
            for _ in range(gateways)
        ]
        cluster = Cluster(directory, running, key)
        with cluster.client:
            yield cluster


CLUSTERS: Final[dict[str, dict[str, Any]]] = {
    "one gateway": {"gateways": 1, "processes": 1, "registers": 1, "secret": False},
    "two by two": {"gateways": 2, "processes": 2, "registers": 2, "secret": False},
    "secret key": {"gateways": 1, "processes": 1, "registers": 1, "secret": True},
}


@pytest.fixture(scope="session", params=CLUSTERS)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster of each kind."""
    with _running(**CLUSTERS[request.param]) as running:
        yield running


@pytest.fixture(params=["async client", "blocking client", "http"])
async def ask(request: pytest.FixtureRequest, cluster: Cluster) -> AsyncIterator[Ask]:
    """A door to the methods."""
    doors = {"async client": _async_door, "blocking client": _blocking_door, "http": _http_door}
    async with doors[request.param](cluster) as door:
        yield door


@contextlib.asynccontextmanager
async def _async_door(cluster: Cluster) -> AsyncIterator[Ask]:
    async with AsyncGatewayClient(cluster.registers, secret_key=cluster.secret_key) as client:

        async def ask(method: str, *args: Any, **kwargs: Any) -> Any:
            return await getattr(client, method)(*args, **kwargs)

        yield ask


@contextlib.asynccontextmanager
async def _blocking_door(cluster: Cluster) -> AsyncIterator[Ask]:
    async def ask(method: str, *args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(getattr(cluster.client, method), *args, **kwargs)

    yield ask


class HttpRefused(Exception):
    """The HTTP API answered with an error: the argument is its code."""


@contextlib.asynccontextmanager
async def _http_door(cluster: Cluster) -> AsyncIterator[Ask]:
    headers = {"Content-Type": "application/json"}
    if cluster.secret_key:
        headers["Authorization"] = f"Bearer {API_KEY}"
    async with aiohttp.ClientSession(f"http://{cluster.http[0]}", headers=headers) as session:

        async def ask(method: str, *args: Any, **kwargs: Any) -> Any:
            arguments = inspect.signature(METHODS[method]).bind(*args, **kwargs).arguments
            body = io.BytesIO(json.dumps(arguments).encode())
            async with session.post(f"/api/v1/{method}", data=body) as response:
                answer = await response.json()
            if "error" in answer:
                raise HttpRefused(answer["error"]["code"], answer["error"]["message"])
            return answer["result"]

        yield ask


@pytest.fixture
async def connect(cluster: Cluster, ask: Ask) -> AsyncIterator[Connect]:
    """Opens browsers, on the gateways in turn, until the test ends."""
    addresses = itertools.cycle(cluster.websockets)
    async with contextlib.AsyncExitStack() as stack:

        async def open_one() -> Browser:
            websocket = await stack.enter_async_context(open_websocket(next(addresses)))
            init = json.loads(await websocket.recv())
            assert set(init) == {"type", "client_id"}
            assert re.fullmatch("[0-9a-f]{32}", init["client_id"])
            return Browser(websocket, init["client_id"], ask)

        yield open_one
    await asyncio.to_thread(eventually, lambda: cluster.client.get_all_client_count() == 0)
