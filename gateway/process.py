"""One gateway process: makes the parts, connects them, and starts and stops them in order.

::

    browsers -> listeners -> edges ----+
                                       +-> Core              who is here, what they say and are sent
    backends -> Backend ---------------+

    Announcer -> registers        AdminServer -> health, metrics, HTTP API, CONNMIX's API

Start: internal listener, HTTP, announce, wait for the first acknowledgement, public listeners. Stop:
public listeners, browsers (1012, over `drain`), their last events and messages, registers, links, HTTP.
No part knows this file.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.addressing import Hosts, choose_hosts, ipv4_of
from gateway.admin.mesh import ClusterMesh
from gateway.admin.server import AdminServer, cluster_client
from gateway.admin.sources import AdminSources
from gateway.announcer import Announcer
from gateway.backend import Backend
from gateway.connmix.part import ConnmixPart
from gateway.core import Core
from gateway.drain import close_all
from gateway.ebb import CHEAP_WALK, Ebb
from gateway.edge.handshake import Handshake
from gateway.edge.options import EdgeOptions
from gateway.edge.proxies import TrustedProxies
from gateway.edge.server import EdgeServer
from gateway.edge.stream import keep_alive, speaking
from gateway.listing import list_connections
from gateway.php.part import PhpPart
from gateway.program import HTTP, INTERNAL, PHP, TCP, WS, public_kind
from gateway.schemes import Speeches, is_websocket, wants_tls
from gateway.tls import server_context
from gateway_process import heap
from gateway_process.addresses import ListenUrl
from gateway_process.inspection import Work
from gateway_process.sockets import address_of, explain
from gateway_wire.addresses import Address
from gateway_wire.aio.listener import LinkListener
from gateway_wire.commands import Announce, Role
from gateway_wire.errors import ErrorCode
from gateway_wire.hello import Party, new_instance
from gateway_wire.ids import ConnmixIds, NativeIds, PhpIds, new_connmix_number, new_node_id

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from gateway.edge.interface import Edge
    from gateway.edge.listener import Listener
    from gateway.edge.speech import Speech
    from gateway.settings import GatewaySettings
    from gateway_process.daemon import Addresses, Context
    from gateway_process.inspection import ConnectionPage, ConnectionQuery
    from gateway_wire.ids import ClientIds

__all__ = ["GatewayProcess"]

logger = logging.getLogger("gateway")

INNER: Final = (INTERNAL, PHP, HTTP)
"""The listeners that are not the public's, as the ready line has them."""

GOODBYE_TIMEOUT: Final = 1.0
"""Seconds that goodbyes get to leave; a backend that does not read must not hold up the stop."""

ENDING_TIME: Final = 2 * GOODBYE_TIMEOUT
"""Seconds of `stop_timeout` that are kept for registers, links and HTTP; browsers that left their
Close unanswered until then are cut, and events that are not finished until then are lost."""

LAST_EVENTS_TIME: Final = 0.5
"""Seconds that the last events get at the least, when browsers have used up the time."""


class GatewayProcess:
    """What runs in one gateway process (a :class:`gateway_process.daemon.Role`)."""

    def __init__(self, settings: GatewaySettings, context: Context) -> None:
        """Make the parts; nothing is opened yet.

        Args:
            settings: What the gateway was told.
            context: The listening sockets of this process, and its number.
        """
        self._loop = asyncio.get_running_loop()
        self._settings = settings
        self._sockets = context.sockets
        self._ids = _new_ids(settings)
        self._hosts = Hosts("", "")
        self._party = Party(Role.GATEWAY, new_instance())
        self._client = cluster_client(
            map(str, settings.register), settings.secret_key, settings.max_message
        )
        self.core = core = Core(settings, ClusterMesh(self._client), self._new_client_id)
        secret_key = settings.secret_key.reveal()
        self.backend = Backend(
            partial(LinkListener, self._party, secret_key), core.executor, core.link_lost
        )
        is_php = settings.php_start_port is not None
        self.php = PhpPart(core, secret_key) if is_php else None
        self.edge = EdgeServer(core.clients, _edge_options(settings))
        self.edge.ticker.add(self)
        self._ebb = Ebb()
        self._listeners: list[Listener] = []
        self.announcer = Announcer(
            settings.register,
            self._party,
            secret_key,
            self._announcement,
            self._choose_another_node_id,
        )
        self._why_not_ready = "starting: no register knows this gateway yet"
        self._admin = AdminServer(self._admin_sources(context.restarts))

    def __repr__(self) -> str:
        return f"<GatewayProcess {self.core.hub!r}>"

    # gateway_process.daemon.Role

    async def start(self) -> Addresses:
        """Start serving; browsers are let in once a register knows this process."""
        settings = self._settings
        speeches = Speeches(settings.app_dir, settings.max_message)
        speaks = [speeches.of(url) for url in settings.listen]
        await self.core.load_entry(settings)
        self._hosts = await choose_hosts(
            settings.advertise, settings.advertise_bind, settings.register
        )
        await self.backend.start(self._sockets[INTERNAL][0])
        if self.php is not None:
            await self._start_php(self.php)
        tls = _tls_context(settings)
        await self._admin.start(self._sockets[HTTP][0])
        self.announcer.start()
        await self.announcer.first_ack()
        self._open_listeners(tls, speaks)
        self._why_not_ready = ""
        inner = {kind: self._sockets[kind][0] for kind in INNER if kind in self._sockets}
        return {
            **self._public_urls(),
            **{kind: str(address_of(sock)) for kind, sock in inner.items()},
        }

    async def reload(self, settings: GatewaySettings) -> None:
        """Take over settings that may change while running, and read certificates anew."""
        tls = _tls_context(settings)
        await self.core.load_entry(settings)
        self.core.reload(settings)
        self._settings = settings
        self.edge.compression = settings.compression
        for listener in self._listeners:
            if listener.tls is not None:
                listener.tls = tls

    async def drain(self) -> None:
        """Accept no more browsers and wait until those that are here have left, or the deadline."""
        self._why_not_ready = "draining: waiting for the browsers to leave"
        self.edge.stop_accepting()
        await self._browsers_gone(self._loop.time() + self._settings.drain_deadline)

    async def stop(self) -> None:
        """End everything, in order: browsers, what they did last, registers, links, HTTP."""
        self._why_not_ready = "stopping"
        self.edge.stop_accepting()
        deadline = self._loop.time() + self._settings.stop_timeout - ENDING_TIME
        await close_all(self.core.hub, self.core.clients, self._settings.drain)
        await self._browsers_gone(deadline)
        deadline = max(deadline, self._loop.time() + LAST_EVENTS_TIME)
        self.core.clients.cut_ending()
        await self._browsers_gone(deadline)
        await self.core.finish(deadline)
        self.edge.close()
        await self.announcer.withdraw()
        backends = [self.backend] if self.php is None else [self.backend, self.php.backend]
        for backend in backends:
            backend.stop_accepting()
            backend.close_links(ErrorCode.STOPPING, "this gateway is stopping")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_TIMEOUT):
                await asyncio.gather(*(each.wait_closed() for each in backends))
        await self._admin.stop()

    def work(self) -> Work:
        """Return what the process holds and has done."""
        core = self.core
        lost = core.router.counters.lost.total()
        return Work(
            connections=len(core.hub.connections),
            messages_in=core.clients.counters.received,
            messages_out=core.outbox.counters.deliveries,
            send_failures=core.outbox.counters.slow + lost,
            event_lag=core.router.lag(self._loop.time()),
        )

    def connections(self, query: ConnectionQuery) -> ConnectionPage:
        """Return one page of the browsers that are connected."""
        return list_connections(self.core.hub, query, time.time())

    def turn(self) -> None:
        """Let a tick of the edge's timer pass: events that wait, links that are not read, memory."""
        self.core.router.turn(self._loop.time())
        self.core.executor.reassure_workers()
        sockets = self.edge.counters.sockets
        if self._ebb.turn(sockets):
            heap.give_back(walk=sockets <= CHEAP_WALK)

    async def _browsers_gone(self, deadline: float) -> None:
        """Wait until no browser's socket exists any more, at most until the loop's time is this."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self.core.clients.all_gone()

    async def _start_php(self, php: PhpPart) -> None:
        """Serve PHP programs, by whose listener the process is known from now on."""
        (sock,) = self._sockets[PHP]
        host = await ipv4_of(self._hosts.advertised)
        ids = PhpIds(new_node_id(), Address(host, address_of(sock).port))
        self._ids = ids
        await php.start(sock, ids.prefix)

    def _public_urls(self) -> Addresses:
        """Return the URLs of the public listeners, those of browsers apart from the others."""
        urls: dict[str, list[str]] = {}
        for index, url in enumerate(self._settings.listen):
            urls.setdefault(WS if is_websocket(url) else TCP, []).append(self._public_url(index))
        return urls

    def _public_url(self, index: int) -> str:
        """Return the URL of a public listener, with its real port."""
        address = address_of(self._sockets[public_kind(index)][0])
        return str(ListenUrl(self._settings.listen[index].scheme, address))

    def _obstacle(self) -> str:
        """Return what the process has against being sent browsers, empty for nothing."""
        is_worker_missing = self._settings.require_worker and not self.core.router.workers
        if not self._why_not_ready and is_worker_missing:
            return "no worker: no business worker takes events, and one is required"
        return self._why_not_ready

    def _open_listeners(
        self, tls: ssl.SSLContext | None, speeches: Sequence[Speech | None]
    ) -> None:
        settings = self._settings
        proxies = TrustedProxies([str(network) for network in settings.trusted_proxies])
        for index, (url, speech) in enumerate(zip(settings.listen, speeches, strict=True)):
            sockets = self._sockets[public_kind(index)]
            if speech is not None:
                for sock in sockets:
                    keep_alive(sock, settings.ping_interval, settings.ping_timeout)
            try:
                listener = self.edge.add_listener(
                    self._public_url(index),
                    sockets,
                    tls=tls if wants_tls(url) else None,
                    proxies=proxies,
                    speaks=Handshake if speech is None else speaking(speech),
                )
            except OSError as error:  # somebody has begun to listen there since it was bound
                raise explain(error, url.address, "--listen") from error
            self._listeners.append(listener)
        if settings.ping_data:
            self.edge.keepalive.on_interval = self._send_ping_data
        if settings.bind_timeout:
            self.core.clients.unbound = self.edge.ticker.deadlines(
                settings.bind_timeout, self.core.clients.close_unbound
            )
        self.edge.start()

    def _send_ping_data(self, edge: Edge) -> None:
        self.core.clients.send(edge, self._settings.ping_data)

    def _new_client_id(self) -> str:
        return self._ids.next()

    # What others know of this process.

    def _admin_sources(self, restarts: int) -> AdminSources:
        core, settings = self.core, self._settings
        part = ConnmixPart(queues=core.queues, node_id=lambda: self._ids.node_id)
        return AdminSources(
            hub=core.hub,
            clients=core.clients,
            outbox=core.outbox,
            edge=self.edge,
            backend=self.backend,
            php=None if self.php is None else self.php.backend,
            executor=core.executor,
            announcer=self.announcer,
            router=core.router,
            queues=core.queues,
            why_not_ready=self._obstacle,
            client=self._client,
            api_key=settings.api_key,
            connmix=part if settings.connmix else None,
            entry=core.entry,
            restarts=restarts,
        )

    def _announcement(self) -> Announce:
        host, port = self._hosts.advertised, address_of(self._sockets[INTERNAL][0]).port
        http = address_of(self._sockets[HTTP][0])
        if http.dialled != http:  # it listens on every address, so on the announced one too
            http = Address(host, http.port)
        return Announce(self._ids.node_id, host, port, 1, [*self._ids.keys], str(http))

    def _choose_another_node_id(self) -> bool:
        if self.php is not None:  # it is known by its address, which another process says it has
            return False
        logger.warning("node id %s is taken; choosing another", self._ids.node_id)
        self._ids = _new_ids(self._settings)
        return True


def _new_ids(settings: GatewaySettings) -> ClientIds:
    """Choose where the process is found, in the form of client ids that it hands out."""
    if settings.connmix:
        return ConnmixIds(new_node_id(), new_connmix_number())
    return NativeIds(new_node_id())


def _edge_options(settings: GatewaySettings) -> EdgeOptions:
    return EdgeOptions(
        handshake_timeout=settings.handshake_timeout,
        max_message=settings.max_message,
        ping_interval=settings.ping_interval,
        ping_timeout=settings.ping_timeout,
        max_connections=settings.max_connections,
        compression=settings.compression,
    )


def _tls_context(settings: GatewaySettings) -> ssl.SSLContext | None:
    if settings.certfile is None or settings.keyfile is None:
        return None
    return server_context(settings.certfile, settings.keyfile)
