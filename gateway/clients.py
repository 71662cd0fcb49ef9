"""The life of client connections: they open, speak, and end.

The edges report to :class:`Clients`; commands that end connections call it. It keeps the hub and the
outbox in step, sends the init message, and counts. A connection leaves the hub in the moment its end
is decided: from then on it is offline, whatever its socket still has to do.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.connection import Connection
from gateway.outbox import FLUSH_AT
from gateway_wire import close_codes

if TYPE_CHECKING:
    from gateway.edge.interface import ConnectRequest, Edge
    from gateway.hub import Hub
    from gateway.outbox import Outbox
    from gateway_wire.close_codes import CloseReason
    from gateway_wire.ids import NativeIds

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
    """

    def __init__(self, hub: Hub, outbox: Outbox, ids: NativeIds, *, init_message: bool) -> None:
        """Start without connections.

        Args:
            hub: The indexes to keep.
            outbox: The outboxes to fill.
            ids: Where new client ids come from.
            init_message: Whether a client is told its client id at once.
        """
        self.counters = ClientCounters()
        self._hub = hub
        self._outbox = outbox
        self._ids = ids
        self._init_message = init_message

    def __repr__(self) -> str:
        return f"<Clients {len(self._hub.connections)} open>"

    # What the edges report (gateway.edge.interface.EdgeEvents).

    def opened(self, edge: Edge, request: ConnectRequest) -> None:
        """List a client that finished its handshake and tell it its client id."""
        client_id = self._ids.next()
        connection = Connection(client_id, edge, request, time.time(), FLUSH_AT)
        edge.connection = connection
        self._hub.add(connection)
        self.counters.opened += 1
        if self._init_message:
            init = {"type": "init", "client_id": client_id}
            self._outbox.offer((connection,), json.dumps(init, separators=(",", ":")))

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

    def lost(self, edge: Edge, reason: CloseReason) -> None:
        """Forget a client whose connection is gone."""
        connection: Connection = edge.connection
        edge.connection = None
        self._hub.remove(connection)
        self._outbox.forget(connection)
        self.counters.closed[reason.name] += 1
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s closed: %s", connection.client_id, reason)

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

    def destroy(self, connection: Connection) -> None:
        """Cut a connection at once; what waits for it is lost."""
        self._abort(connection, close_codes.CLOSED)

    def cut_slow(self, connection: Connection) -> None:
        """Cut a client that does not read what it is sent."""
        logger.info("%s does not read what it is sent; cut", connection)
        self._abort(connection, close_codes.SLOW)

    def _abort(self, connection: Connection, code: close_codes.CloseCode) -> None:
        self._hub.remove(connection)
        connection.edge.abort(code.reason())
