"""A small cluster in this process: a real register, and the parts of gateways over real sockets.

`Core` is wired as a gateway process wires its parts, without the process around it. Browsers connect to
it with another implementation of websocket.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect

from gateway.admin.server import cluster_client
from gateway.admin.sources import AdminSources
from gateway.announcer import Announcer
from gateway.backend import Backend
from gateway.clients import Clients
from gateway.connection import Connection
from gateway.edge.options import EdgeOptions
from gateway.edge.server import EdgeServer
from gateway.executor import Executor
from gateway.flusher import Flusher
from gateway.handlers import QueueHandlers, command_table, link_table
from gateway.hub import Hub
from gateway.outbox import Outbox
from gateway.queues.queues import Queues
from gateway.router import Router
from gateway.workers import Routing
from gateway_process.secret import Secret
from gateway_wire.addresses import Address
from gateway_wire.aio.link import AioLink
from gateway_wire.aio.listener import LinkListener
from gateway_wire.commands import Announce, Role
from gateway_wire.errors import ErrorCode
from gateway_wire.ids import NativeIds, new_node_id, node_key_of
from gateway_wire.limits import DEFAULT_MAX_MESSAGE
from register.server import Server
from tests.support.links import address_of, bound, party

MIB = 1024 * 1024


class Browser:
    """A browser that is connected and was told its client id."""

    def __init__(self, socket: ClientConnection, client_id: str) -> None:
        self.client_id = client_id
        self._socket = socket

    async def next(self) -> str | bytes:
        """Give the next message."""
        return await self._socket.recv()

    async def send(self, message: str | bytes) -> None:
        """Send a message."""
        await self._socket.send(message)

    async def closed(self) -> tuple[int | None, str | None]:
        """Wait for the end and give its code and reason."""
        await self._socket.wait_closed()
        return self._socket.close_code, self._socket.close_reason


class Core:
    """The parts of one gateway process; a context manager that starts and stops them."""

    def __init__(
        self, registers: Sequence[Address], secret_key: str = "", *, max_connections: int = 0
    ) -> None:
        self.reason = ""
        self._ids = NativeIds(new_node_id())
        us = party(Role.GATEWAY)
        self.hub = Hub()
        loop = asyncio.get_running_loop()
        flusher = Flusher(loop, 0)
        self.outbox = Outbox(2 * MIB, 256 * MIB, on_dirty=flusher.soon, cut=self._cut)
        flusher.outbox = self.outbox
        self.router = Router(Routing.LEAST_CONNECTIONS)
        self.clients = Clients(
            self.hub,
            self.outbox,
            self.router,
            self._ids.next,
            init_message=True,
            require_worker=False,
            clock=loop.time,
        )
        self.queues = Queues()
        of_queues = QueueHandlers(self.queues, loop.time)
        table = command_table(self.hub, self.outbox, self.clients, of_queues, DEFAULT_MAX_MESSAGE)
        of_links = link_table(self.hub, self.router, of_queues, loop.time)
        self.executor = Executor(loop, flusher, table, of_links)
        self.backend = Backend(
            partial(LinkListener, us, secret_key), self.executor, self._link_done
        )
        self.edge = EdgeServer(self.clients, EdgeOptions(max_connections=max_connections))
        self._internal, self._public = bound(), bound()
        self.address = address_of(self._internal)
        self.url = f"ws://{address_of(self._public)}/"
        self.announcer = Announcer(registers, us, secret_key, self._announce, _no_duplicate)
        addresses = [str(each) for each in registers]
        self.client = cluster_client(addresses, Secret(secret_key), DEFAULT_MAX_MESSAGE)
        self._browsers = AsyncExitStack()

    def _cut(self, connection: Connection) -> None:
        self.clients.cut_slow(connection)

    def _link_done(self, link: AioLink) -> None:
        self.router.link_lost(link, asyncio.get_running_loop().time())

    def _announce(self) -> Announce:
        node_id, (host, port) = self._ids.node_id, self.address
        return Announce(node_id, host, port, 0, [node_key_of(node_id)])

    async def __aenter__(self) -> Self:
        await self.backend.start(self._internal)
        self.announcer.start()
        await self.announcer.first_ack()
        self.edge.add_listener("public", [self._public])
        self.edge.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.client.aclose()
        self.edge.stop_accepting()
        await self._browsers.aclose()
        await self.clients.all_gone()
        self.edge.close()
        await self.announcer.withdraw()
        self.backend.stop_accepting()
        self.backend.close_links(ErrorCode.STOPPING, "the test is over")
        await self.backend.wait_closed()

    def sources(self, api_key: str = "") -> AdminSources:
        """Give what the HTTP port reads; it is not ready while `reason` is set."""
        return AdminSources(
            hub=self.hub,
            clients=self.clients,
            outbox=self.outbox,
            router=self.router,
            queues=self.queues,
            edge=self.edge,
            backend=self.backend,
            executor=self.executor,
            announcer=self.announcer,
            why_not_ready=lambda: self.reason,
            client=self.client,
            api_key=Secret(api_key),
        )

    async def browser(self) -> Browser:
        """Connect a browser; it leaves with the gateway."""
        socket = await self._browsers.enter_async_context(connect(self.url, compression=None))
        init: dict[str, Any] = json.loads(await socket.recv())
        return Browser(socket, init["client_id"])


def _no_duplicate() -> bool:
    raise AssertionError("node ids are random")


@asynccontextmanager
async def register(secret_key: str = "") -> AsyncIterator[tuple[Server, Address]]:
    """Run a register."""
    server = Server(secret_key)
    sock = bound()
    address = address_of(sock)
    await server.start(sock)
    try:
        yield server, address
    finally:
        await server.stop()


@asynccontextmanager
async def gateway(secret_key: str = "") -> AsyncIterator[Core]:
    """Run one gateway at a register of its own."""
    async with register(secret_key) as (_, address), Core([address], secret_key) as core:
        yield core
