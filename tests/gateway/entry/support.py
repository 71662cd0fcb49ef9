"""An entry module in a gateway's core over pipes: the loop runs, and nothing happens but what a test does."""

import asyncio
import types
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Final

from gateway.clients import Clients
from gateway.connection import Connection
from gateway.edge.interface import ConnectRequest
from gateway.entry.module import handlers_of
from gateway.entry.ports import Ports
from gateway.entry.runner import EntryModule
from gateway.hub import Hub
from gateway.outbox import Outbox
from gateway.queues.limits import QueueLimits
from gateway.queues.queues import Queues
from gateway.router import Router
from gateway.workers import Routing
from gateway_wire.close_codes import CloseReason
from gateway_wire.ids import NativeIds
from gateway_wire.messages import Message
from gateway_wire.names import Name
from tests.gateway.support import NODE, Lines, Pipe, pipe_of

GONE: Final = CloseReason(1001, "peer_closed", "")
MAX_MESSAGE: Final = 1000


class Said:
    """A mesh that keeps what is said to it."""

    success = 3
    fail = 1

    def __init__(self) -> None:
        self.said: list[tuple[str, Name, Message]] = []

    async def send(self, client_id: str, data: Message) -> bool:
        self.said.append(("send", client_id, data))
        return True

    async def publish(self, channel: Name, data: Message) -> "Said":
        self.said.append(("publish", channel, data))
        return self


class Gate:
    """Hub, outbox, clients and queues of one process, and an entry module before them."""

    def __init__(
        self,
        *handlers: Callable[..., Any],
        timeout: float = 5.0,
        limits: QueueLimits | None = None,
        init_message: bool = False,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.hub = Hub()
        self.lines = Lines()
        self.mesh = Said()
        self.queues = Queues(limits)
        self.outbox = Outbox(1 << 20, 1 << 20, on_dirty=lambda: None, cut=self._cut)
        self.clients = Clients(
            self.hub,
            self.outbox,
            Router(Routing.LEAST_CONNECTIONS),
            NativeIds(NODE).next,
            choose=lambda _: self.entry,
            init_message=init_message,
            require_worker=False,
            clock=loop.time,
        )
        self.ports = Ports(
            hub=self.hub,
            outbox=self.outbox,
            clients=self.clients,
            queues=self.queues,
            mesh=self.mesh,
            max_message=MAX_MESSAGE,
            clock=loop.time,
        )
        self.entry = EntryModule(handlers_of(_module(*handlers), "app"), self.ports, timeout)

    def _cut(self, connection: Connection) -> None:
        self.clients.cut_slow(connection)

    def connect(self, path: str = "/", **headers: str) -> Connection:
        """Connect a client, which may be pending or refused then."""
        pipe = Pipe(self.lines)
        pipe.events = self.outbox
        asked = ConnectRequest(path, "", MappingProxyType(headers), "203.0.113.7", 4711, "public")
        first = self.clients.opened(pipe, asked)
        if first:
            pipe.write(first)
        connection: Connection = pipe.connection
        return connection

    def say(self, connection: Connection, *messages: str | bytes) -> None:
        """Let a client send messages."""
        for message in messages:
            self.clients.received(pipe_of(connection), message)

    def leave(self, connection: Connection, reason: CloseReason = GONE) -> None:
        """End a client's connection."""
        self.clients.lost(pipe_of(connection), reason)

    def heard(self, connection: Connection) -> list[str]:
        """Flush and give what was written to a client."""
        self.outbox.flush()
        return pipe_of(connection).received.decode().splitlines()

    def on_queue(self, topic: str) -> int:
        """Give how many messages wait on a topic."""
        return int(self.queues.states(0.0)[topic]["waiting"])

    async def idle(self) -> None:
        """Wait until every handler has ended."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.entry.call_when_idle(lambda: done.set_result(None))
        await done


def _module(*handlers: Callable[..., Any]) -> types.ModuleType:
    module = types.ModuleType("app")
    for handler in handlers:
        setattr(module, handler.__name__, handler)
    return module


@asynccontextmanager
async def gate(*handlers: Callable[..., Any], **options: Any) -> AsyncIterator[Gate]:
    """Run an entry module of these functions for the length of a block."""
    made = Gate(*handlers, **options)
    try:
        yield made
    finally:
        made.entry.give_up()
        await made.idle()
