"""The life of client connections: they open, speak, and end.

The edges report to :class:`Clients`; commands that end connections call it. It keeps the hub and the
outbox in step, sends the init message, tells a client's destination what it does, and counts. A connection leaves
the hub in the moment its end is decided: from then on it is offline, whatever its socket still has to
do. That it closed is an event when the socket is gone: only then is it certain why.

    opened -+--> in the hub -------> ending ---> lost
            |        ^ admit           ^
            +--> pending --------------+   refuse, or any other end
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.connection import Connection
from gateway.gone import GoneEdge
from gateway_wire import close_codes

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.destination import Destination
    from gateway.edge.deadlines import Deadlines
    from gateway.edge.interface import ConnectRequest, Edge
    from gateway.hub import Hub
    from gateway.outbox import Outbox
    from gateway.router import Router
    from gateway_wire.close_codes import CloseCode, CloseReason

__all__ = ["ClientCounters", "Clients"]

logger = logging.getLogger("gateway")


@dataclass(slots=True)
class ClientCounters:
    """What clients did, as plain numbers that a collector reads.

    Attributes:
        opened: Connections that finished their handshake.
        closed: Ended connections by the name of their close reason.
        received: Messages from clients.
        received_bytes: Their size; characters of text count as one.
        discarded: Messages from clients that were for nobody, such as those before the first worker.
    """

    opened: int = 0
    closed: Counter[str] = field(default_factory=Counter)
    received: int = 0
    received_bytes: int = 0
    discarded: int = 0


class Clients:
    """The client connections of one gateway process.

    Attributes:
        counters: What clients did so far.
        sockets: Connections whose socket still exists, those that are being closed included.
        unbound: Deadlines for getting a uid; None while there is none.
        stopping: Whether whoever finishes a handshake from now on is sent away.
        pending: Clients whose destination has not decided yet whether it lets them in, and whether each
            will be told its client id; nothing reaches them.
    """

    def __init__(
        self,
        hub: Hub,
        outbox: Outbox,
        router: Router,
        new_client_id: Callable[[], str],
        *,
        choose: Callable[[ConnectRequest], Destination] | None = None,
        init_message: bool,
        require_worker: bool,
        clock: Callable[[], float],
    ) -> None:
        """Start without connections.

        Args:
            hub: The indexes to keep.
            outbox: The outboxes to fill.
            router: What clients do is for workers, unless `choose` says otherwise.
            new_client_id: Gives each new connection its client id.
            choose: Says where what a client does goes.
            init_message: Whether a browser is told its client id at once; others never are.
            require_worker: Whether clients are sent away (1013) while no worker takes events.
            clock: Gives the loop's time.
        """
        self.counters = ClientCounters()
        self.sockets = 0
        self.unbound: Deadlines[Connection] | None = None
        self.stopping = False
        self.pending: dict[Connection, bool] = {}
        self._when_gone: asyncio.Future[None] | None = None
        self._hub = hub
        self._outbox = outbox
        self._router = router
        self._new_client_id = new_client_id
        self._choose = choose or (lambda _: router)
        self._init_message = init_message
        self._require_worker = require_worker
        self._clock = clock
        # When the newest connection was opened.
        self._opened_at = 0.0
        # Connections that were sent away before they were let in, and of whose end nobody is told.
        self._refused: set[Connection] = set()
        # Connections that are offline and whose socket still exists.
        self._ending: set[Connection] = set()
        if require_worker:
            router.call_on_no_worker(self._send_away_for_want_of_a_worker)

    def __repr__(self) -> str:
        return f"<Clients {len(self._hub.connections)} open>"

    # What the edges report (gateway.edge.interface.EdgeEvents).

    def opened(self, edge: Edge, request: ConnectRequest) -> bytes:
        """List a client that finished its handshake; return the message that tells it its client id."""
        destination = self._choose(request)
        connection = Connection(
            self._new_client_id(), edge, request, self._next_opened_at(), destination
        )
        edge.connection = connection
        self.counters.opened += 1
        self.sockets += 1
        obstacle = self._obstacle(destination)
        if obstacle is not None:
            self._turn_away(connection, obstacle, obstacle.name)
            return b""
        is_told = self._init_message and request.websocket
        if not destination.opened(connection, request, self._clock()):
            if connection not in self._refused:
                self.pending[connection] = is_told
            return b""
        self._list(connection)
        return edge.encoding.encode(_init(connection)) if is_told else b""

    def admit(self, connection: Connection) -> bool:
        """Let a pending client in; return False if it has ended meanwhile."""
        is_told = self.pending.pop(connection, None)
        if is_told is None:
            return False
        connection.opened_at = self._next_opened_at()
        self._list(connection)
        if is_told:
            self._outbox.offer((connection,), _init(connection))
        return True

    def refuse(self, connection: Connection, text: str) -> None:
        """Close a client (3500) that was not let in, unless it has ended; its destination is not told.

        Args:
            connection: A pending client, or the one that its destination is being told of.
            text: Why, for the client; at most 123 bytes of UTF-8.

        Raises:
            ValueError: If the text is longer; nothing happened then.
        """
        if connection not in self._ending and connection.edge.connection is connection:
            self._turn_away(connection, close_codes.REFUSED, text)

    def received(self, edge: Edge, message: str | bytes) -> None:
        """Count a message and hand it on."""
        connection: Connection = edge.connection
        counters = self.counters
        counters.received += 1
        counters.received_bytes += len(message)
        if not connection.destination.received(connection, message, self._clock()):
            counters.discarded += 1

    def write_paused(self, edge: Edge) -> None:
        """Keep what comes for this client until it has taken what it was sent."""
        self._outbox.write_paused(edge.connection)

    def write_resumed(self, edge: Edge) -> None:
        """Send this client what came meanwhile."""
        self._outbox.write_resumed(edge.connection)

    def ending(self, edge: Edge) -> None:
        """Call a client offline that nothing can reach any more, whatever its socket still does."""
        connection: Connection = edge.connection
        self._take_offline(connection)
        self._outbox.forget(connection)

    def lost(self, edge: Edge, reason: CloseReason) -> None:
        """Forget a client whose connection is gone."""
        connection: Connection = edge.connection
        edge.connection = None
        connection.edge = GoneEdge(edge.encoding)
        self._take_offline(connection)
        self._ending.discard(connection)
        if self.unbound is not None:
            self.unbound.remove(connection)
        self._outbox.forget(connection)
        self.counters.closed[reason.name] += 1
        self.sockets -= 1
        if not self.sockets and self._when_gone is not None and not self._when_gone.done():
            self._when_gone.set_result(None)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s closed: %s", connection.client_id, reason)
        if connection in self._refused:
            self._refused.remove(connection)
        else:
            connection.destination.closed(connection, reason, self._clock())

    async def all_gone(self) -> None:
        """Wait until no connection's socket exists any more; one waiter at a time."""
        if self.sockets:
            self._when_gone = asyncio.get_running_loop().create_future()
            await self._when_gone

    def send(self, edge: Edge, message: str | bytes) -> None:
        """Send a message to one client, unless it is being closed."""
        connection: Connection = edge.connection
        if connection.client_id in self._hub.connections:
            self._outbox.offer((connection,), message)

    # Ends that this side decides.

    def close(
        self, connection: Connection, message: str | bytes | None, code: int, reason: str
    ) -> None:
        """Send a last message, if any, then close with a code; the client is offline from now on.

        Raises:
            ValueError: If the code or the reason cannot be sent; nothing happened then.
        """
        farewell = connection.edge.goodbye(code, reason)
        self._take_offline(connection)
        if message is not None:
            self._outbox.offer((connection,), message)
        self._outbox.finish(connection, farewell)

    def send_away(self, connection: Connection) -> None:
        """Close a connection because this process stops; the client should come back elsewhere."""
        self._send_away(connection, close_codes.STOPPING)

    def destroy(self, connection: Connection) -> None:
        """Cut a connection at once; what waits for it is lost."""
        self._abort(connection, close_codes.CLOSED)

    def close_unbound(self, connection: Connection) -> None:
        """Close a client whose time to get a uid has passed, if it has none."""
        if connection.uid is None and connection.client_id in self._hub.connections:
            self._send_away(connection, close_codes.NEVER_BOUND)

    def cut_slow(self, connection: Connection) -> None:
        """Cut a client that does not read what it is sent."""
        logger.info(
            "%s does not read; more waits for it than send_buffer or send_buffer_total allows:"
            " cut (%d)",
            connection,
            close_codes.SLOW.code,
        )
        self._abort(connection, close_codes.SLOW)

    def cut_ending(self) -> None:
        """Cut those that were told to go and have not gone."""
        for connection in tuple(self._ending):
            connection.edge.abort(close_codes.CONNECTION_LOST.reason())

    # Private: how connections end.

    def _obstacle(self, destination: Destination) -> CloseCode | None:
        """Return why whoever finishes a handshake now is sent away, None if nobody is."""
        if self.stopping:
            return close_codes.STOPPING
        if self._require_worker and destination is self._router and not self._router.workers:
            return close_codes.NO_WORKER
        return None

    def _send_away_for_want_of_a_worker(self, connection: Connection) -> None:
        if connection.client_id in self._hub.connections:
            self._send_away(connection, close_codes.NO_WORKER)

    def _send_away(self, connection: Connection, code: CloseCode) -> None:
        self.close(connection, None, code.code, code.name)

    def _abort(self, connection: Connection, code: CloseCode) -> None:
        self._take_offline(connection)
        connection.edge.abort(code.reason())

    def _turn_away(self, connection: Connection, code: CloseCode, text: str) -> None:
        """Close a client that nobody has let in."""
        farewell = connection.edge.goodbye(code.code, text)
        self.pending.pop(connection, None)
        self._refused.add(connection)
        self._ending.add(connection)
        self._outbox.finish(connection, farewell)

    def _take_offline(self, connection: Connection) -> None:
        if self._hub.remove(connection) or self.pending.pop(connection, None) is not None:
            self._ending.add(connection)

    # Private: how they are let in.

    def _list(self, connection: Connection) -> None:
        self._hub.add(connection)
        if self.unbound is not None:
            self.unbound.add(connection)

    def _next_opened_at(self) -> float:
        """Return a time later than that of any before, so that connections can be listed in this order."""
        self._opened_at = max(time.time(), math.nextafter(self._opened_at, math.inf))
        return self._opened_at


def _init(connection: Connection) -> str:
    # An id is letters and digits in every form: nothing to escape.
    return f'{{"type":"init","client_id":"{connection.client_id}"}}'
