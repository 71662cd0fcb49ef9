"""The life of client connections: they open, speak, and end.

The edges report to :class:`Clients`; commands that end connections call it. It keeps the hub and the
outbox in step, sends the init message, and counts. A connection leaves the hub in the moment its end
is decided: from then on it is offline, whatever its socket still has to do.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.connection import Connection
from gateway.outbox import FLUSH_AT
from gateway_wire import close_codes

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.edge.deadlines import Deadlines
    from gateway.edge.interface import ConnectRequest, Edge
    from gateway.hub import Hub
    from gateway.outbox import Outbox
    from gateway_wire.close_codes import CloseReason

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
        discarded: Messages from clients that nobody was there to take.
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
    """

    def __init__(
        self, hub: Hub, outbox: Outbox, new_client_id: Callable[[], str], *, init_message: bool
    ) -> None:
        """Start without connections.

        Args:
            hub: The indexes to keep.
            outbox: The outboxes to fill.
            new_client_id: Gives each new connection its client id.
            init_message: Whether a client is told its client id at once.
        """
        self.counters = ClientCounters()
        self.sockets = 0
        self.unbound: Deadlines[Connection] | None = None
        self.stopping = False
        self._when_gone: asyncio.Future[None] | None = None
        self._hub = hub
        self._outbox = outbox
        self._new_client_id = new_client_id
        self._init_message = init_message

    def __repr__(self) -> str:
        return f"<Clients {len(self._hub.connections)} open>"

    # What the edges report (gateway.edge.interface.EdgeEvents).

    def opened(self, edge: Edge, request: ConnectRequest) -> None:
        """List a client that finished its handshake and tell it its client id."""
        client_id = self._new_client_id()
        connection = Connection(client_id, edge, request, time.time(), FLUSH_AT)
        edge.connection = connection
        self._hub.add(connection)
        self.counters.opened += 1
        self.sockets += 1
        if self.stopping:
            self.send_away(connection)
            return
        if self.unbound is not None:
            self.unbound.add(connection)
        if self._init_message:
            # An id is letters and digits in every form: nothing to escape.
            init = f'{{"type":"init","client_id":"{client_id}"}}'
            self._outbox.offer((connection,), init)

    def received(self, edge: Edge, message: str | bytes) -> None:  # noqa: ARG002 - see below
        """Count a message. Without workers nobody takes it: a push-only gateway discards it."""
        self.counters.received += 1
        self.counters.received_bytes += len(message)
        self.counters.discarded += 1

    def write_paused(self, edge: Edge) -> None:
        """Keep what comes for this client until it has taken what it was sent."""
        self._outbox.write_paused(edge.connection)

    def write_resumed(self, edge: Edge) -> None:
        """Send this client what came meanwhile."""
        self._outbox.write_resumed(edge.connection)

    def ending(self, edge: Edge) -> None:
        """Call a client offline that nothing can reach any more, whatever its socket still does."""
        connection: Connection = edge.connection
        self._hub.remove(connection)
        self._outbox.forget(connection)

    def lost(self, edge: Edge, reason: CloseReason) -> None:
        """Forget a client whose connection is gone."""
        connection: Connection = edge.connection
        edge.connection = None
        self._hub.remove(connection)
        self._outbox.forget(connection)
        self.counters.closed[reason.name] += 1
        self.sockets -= 1
        if not self.sockets and self._when_gone is not None and not self._when_gone.done():
            self._when_gone.set_result(None)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s closed: %s", connection.client_id, reason)

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
        self._hub.remove(connection)
        if message is not None:
            self._outbox.offer((connection,), message)
        self._outbox.finish(connection, farewell)

    def send_away(self, connection: Connection) -> None:
        """Close a connection because this process stops; the client should come back elsewhere."""
        self.close(connection, None, close_codes.STOPPING.code, close_codes.STOPPING.name)

    def destroy(self, connection: Connection) -> None:
        """Cut a connection at once; what waits for it is lost."""
        self._abort(connection, close_codes.CLOSED)

    def close_unbound(self, connection: Connection) -> None:
        """Close a client whose time to get a uid has passed, if it has none."""
        if connection.uid is None and connection.client_id in self._hub.connections:
            self.close(connection, None, close_codes.NEVER_BOUND.code, close_codes.NEVER_BOUND.name)

    def cut_slow(self, connection: Connection) -> None:
        """Cut a client that does not read what it is sent."""
        logger.info("%s does not read what it is sent; cut", connection)
        self._abort(connection, close_codes.SLOW)

    def _abort(self, connection: Connection, code: close_codes.CloseCode) -> None:
        self._hub.remove(connection)
        connection.edge.abort(code.reason())
