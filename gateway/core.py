"""The core of one gateway process: who is connected, what they do, and what is on the way to them.

::

    edges -> Clients -> Hub                                      who is here
       ^        |
       |        +--> Routes -> Router, Queues, EntryModule       what they do
       |
       +-- Outbox <- Flusher                                     what is on the way to them
              ^
    Executor -> handlers                                         what backends ask for

Here the parts are made and connected, and nothing is opened. What has a socket of its own, or a task that
lasts, is `gateway.process`'s.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.clients import Clients
from gateway.destination import Nowhere
from gateway.drain import finish
from gateway.entry.module import Handlers
from gateway.entry.ports import Ports
from gateway.entry.runner import EntryModule
from gateway.executor import Executor
from gateway.flusher import Flusher
from gateway.handlers import QueueHandlers, command_table, link_table
from gateway.hub import Hub
from gateway.intake import QueueDestination
from gateway.outbox import Outbox
from gateway.queues.limits import QueueLimits, TooManyTopics
from gateway.queues.queues import Queues
from gateway.router import Router
from gateway.routes import Routes, Target, topics_of
from gateway_process.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.connection import Connection
    from gateway.destination import Destination
    from gateway.edge.interface import ConnectRequest
    from gateway.entry.ports import Mesh
    from gateway.routes import Route
    from gateway.settings import GatewaySettings
    from gateway_wire.aio.link import AioLink

__all__ = ["Core"]


class Core:
    """The connected parts.

    Attributes:
        hub: Who is connected.
        clients: What happens to them.
        outbox: What is on the way to them.
        router: What they do, on its way to workers.
        queues: What they send, on its way to consumers.
        entry: The application's entry module; None if there is none.
        commands: The function for each command of backends that needs no link.
        executor: Does what backends ask for.
    """

    def __init__(
        self, settings: GatewaySettings, mesh: Mesh, new_client_id: Callable[[], str]
    ) -> None:
        """Make the parts, on the thread of the running loop; the entry module does nothing yet.

        Args:
            settings: What the gateway was told.
            mesh: The entry module's way to all gateways.
            new_client_id: Gives each new connection its client id.
        """
        loop = asyncio.get_running_loop()
        self._clock = loop.time
        self.hub = Hub()
        self.router = Router(settings.routing)
        self.queues = Queues(_queue_limits(settings))
        self._of_queues = QueueHandlers(self.queues, loop.time)
        flusher = Flusher(loop, settings.flush_interval)
        self.outbox = flusher.outbox = Outbox(
            settings.send_buffer,
            settings.send_buffer_total,
            on_dirty=flusher.soon,
            cut=self._cut_slow,
        )
        self.clients = self._make_clients(settings, new_client_id)
        self.entry = self._make_entry(settings, mesh) if settings.entry else None
        self.commands = command_table(
            self.hub, self.outbox, self.clients, self._of_queues, settings.max_message
        )
        self.executor = Executor(
            loop,
            flusher,
            self.commands,
            link_table(self.hub, self.router, self._of_queues, loop.time),
        )
        self._nowhere = Nowhere()
        self._queued: dict[str, QueueDestination] = {}
        self._routes = self._read_routes(settings)

    def __repr__(self) -> str:
        return f"<Core {self.hub!r} {self._routes!r}>"

    async def load_entry(self, settings: GatewaySettings) -> None:
        """Import the entry module, if there is one, and anew if it was imported before.

        That happens on a thread of its own: others are served meanwhile, however long it takes.

        Raises:
            StartupError: It cannot be used, and why; a former one stays.
        """
        if self.entry is not None:
            await asyncio.to_thread(self.entry.reload, settings.app_dir)
            self.entry.timeout = settings.entry_timeout

    def reload(self, settings: GatewaySettings) -> None:
        """Take over what may change while the process runs.

        Raises:
            RunError: There is no room for a topic of the routes; these have not changed.
        """
        self.queues.limits = _queue_limits(settings)
        try:
            self.queues.check_topics(topics_of(settings.route))
            self._routes = self._read_routes(settings)
        except TooManyTopics as error:
            raise RunError(f"route: {error}") from error

    def link_lost(self, link: AioLink) -> None:
        """Take note that a worker or consumer is gone."""
        self.router.link_lost(link, self._clock())
        self._of_queues.link_lost(link)

    async def finish(self, deadline: float) -> None:
        """Wait until what clients did is dealt with, at most until the loop's time is this; drop the rest."""
        if self.entry is not None:
            await finish("calls of the entry module", self.entry, deadline)
        await finish("events", self.router, deadline)
        await finish("messages on queues", self.queues, deadline)

    # Where what clients do goes.

    def _read_routes(self, settings: GatewaySettings) -> Routes:
        return Routes(settings.route, self._destination, self.entry or self.router)

    def _destination(self, route: Route) -> Destination:
        """Return what a route leads to; all that lead to one topic lead to one destination."""
        if route.target is Target.DISCARD:
            return self._nowhere
        if route.target is Target.QUEUE:
            return self._queue_destination(route.topic)
        entry = self.entry if route.target is Target.ENTRY else None
        return entry or self.router

    def _queue_destination(self, topic: str) -> QueueDestination:
        # Those that no route leads to any more stay: clients that came before still send there.
        known = self._queued.get(topic)
        if known is None:
            known = self._queued[topic] = QueueDestination(self.queues, topic)
        return known

    def _choose(self, request: ConnectRequest) -> Destination:
        return self._routes.choose(request)

    # The parts that need others.

    def _make_clients(self, settings: GatewaySettings, new_client_id: Callable[[], str]) -> Clients:
        return Clients(
            self.hub,
            self.outbox,
            self.router,
            new_client_id,
            choose=self._choose,
            init_message=settings.says_client_id,
            require_worker=settings.require_worker,
            clock=self._clock,
        )

    def _make_entry(self, settings: GatewaySettings, mesh: Mesh) -> EntryModule:
        ports = Ports(
            hub=self.hub,
            outbox=self.outbox,
            clients=self.clients,
            queues=self.queues,
            mesh=mesh,
            max_message=settings.max_message,
            clock=self._clock,
        )
        return EntryModule(Handlers(settings.entry), ports, settings.entry_timeout)

    def _cut_slow(self, connection: Connection) -> None:
        self.clients.cut_slow(connection)


def _queue_limits(settings: GatewaySettings) -> QueueLimits:
    return QueueLimits(
        messages=settings.queue_messages,
        size=settings.queue_bytes,
        topics=settings.queue_topics,
        tries=settings.queue_tries,
    )
