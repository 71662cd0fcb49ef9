"""A client of CONNMIX's API for tests, and a gateway whose HTTP port speaks it."""

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from socket import SO_RCVBUF, SOL_SOCKET
from typing import Any, Final

from aiohttp import ClientSession
from websockets.asyncio.client import ClientConnection, connect

from gateway.admin.server import AdminServer
from gateway.connection import Connection
from gateway.connmix.part import ConnmixPart
from gateway.queues.limits import QueueLimits
from gateway.queues.queues import Queues
from gateway_wire.addresses import Address
from tests.gateway.admin.core import Browser, Core, gateway
from tests.gateway.edge.support import frame
from tests.support.cluster import upgrade
from tests.support.links import address_of, bound

NODE: Final = "0123456789ab"


class Talk:
    """One websocket of the API, in the short spelling unless a whole frame is sent."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._requests = 0

    async def ask(self, method: str, params: object) -> Any:
        """Send a request and give the answer without its envelope: the result, or the error's code."""
        self._requests += 1
        await self.socket.send(json.dumps({"m": method, "p": params, "i": self._requests}))
        answer = await self.next()
        assert answer["i"] == self._requests
        return answer["r"] if answer["E"] is None else answer["E"]["c"]

    async def say(self, frame: object) -> Any:
        """Send a whole frame and give what comes next."""
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))
        return await self.next()

    async def next(self) -> Any:
        """Give the next answer or event."""
        return json.loads(await self.socket.recv())


class Speaking:
    """A gateway whose HTTP port speaks CONNMIX."""

    server: AdminServer

    def __init__(self, core: Core, address: Address, session: ClientSession, **times: Any) -> None:
        self.core = core
        self.address = address
        self.session = session
        self.queues = Queues(QueueLimits(topics=3))
        self.part = ConnmixPart(queues=self.queues, node_id=lambda: NODE, **times)
        self.url = f"ws://{address}/ws/v1"

    @asynccontextmanager
    async def talk(self) -> AsyncIterator[Talk]:
        """Open a websocket of the API."""
        async with connect(self.url, compression=None) as socket:
            yield Talk(socket)

    @asynccontextmanager
    async def raw(self, *topics: str) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
        """Open a websocket and pop, and then answer to nothing but what the test answers to."""
        reader, writer = await asyncio.open_connection(*self.address)
        writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
        writer.write(upgrade("/ws/v1").replace(b"Host: gateway", b"Host: localhost"))
        writer.write(frame(0x1, json.dumps({"m": "queue.pop", "p": topics, "i": 1}).encode()))
        await reader.readuntil(b"\r\n\r\n")
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    def connection(self, browser: Browser) -> Connection:
        """Give what the gateway knows of a browser."""
        return self.core.hub.connections[browser.client_id]

    def push(self, browser: Browser, data: object, topic: str = "foo") -> None:
        """Put a message of a browser on a queue, as an entry module does."""
        self.queues.push(topic, data, self.connection(browser), 0.0)

    def state(self, topic: str = "foo") -> dict[str, int | float]:
        """Give how a queue is."""
        return self.queues.states(0.0)[topic]


@asynccontextmanager
async def speaking(**times: Any) -> AsyncIterator[Speaking]:
    """Run a gateway that speaks CONNMIX, at a register of its own, with other times if they are given."""
    async with gateway() as core:
        sock = bound()
        address = address_of(sock)
        async with ClientSession(f"http://{address}") as session:
            one = Speaking(core, address, session, **times)
            one.server = AdminServer(replace(core.sources(), connmix=one.part))
            await one.server.start(sock)
            try:
                yield one
            finally:
                await one.server.stop()
