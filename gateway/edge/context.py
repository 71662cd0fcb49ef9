"""What all connections of one process share, so that each needs one reference to it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.edge.deadlines import Deadlines
from gateway.edge.deflate import DeflateEncoding
from gateway.edge.interface import Edge, EdgeEvents
from gateway.edge.keepalive import KeepAlive, Listening
from gateway.edge.options import EdgeOptions
from gateway.edge.proxies import Address, TrustedProxies
from gateway.edge.ticker import Ticker
from gateway_wire.close_codes import PING_TIMEOUT

if TYPE_CHECKING:
    from gateway.edge.connected import ConnectedEdge
    from gateway.edge.interface import ConnectRequest

__all__ = [
    "AcceptedProtocol",
    "EdgeContext",
    "EdgeCounters",
    "KeptEdge",
    "Origin",
    "Overdue",
]


class Overdue(Protocol):
    """Something that should have finished by its deadline."""

    def overdue(self) -> None:
        """Finish now; harmless if finished already."""


class KeptEdge(Edge, Listening, Protocol):
    """An edge that can be asked for a sign of life."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the connections of one listener have in common.

    Attributes:
        listener: Its name.
        proxies: Whose word about a client's address is taken there.
    """

    listener: str
    proxies: TrustedProxies


class EdgeCounters:
    """Counted since the start; plain numbers that a collector reads.

    Attributes:
        accepted: Sockets accepted.
        released: Accepted sockets that are gone again.
        opened: Handshakes completed.
        opened_compressed: Those of them that agreed to compression.
        lost: Opened connections that are gone again.
        handshakes_failed: Sockets that never became a connection, by cause: `malformed`,
            `too_large`, `not_websocket`, `version`, `key`, `timeout`, `tls` or `lost`.
        accept_pauses: How often accepting paused because a limit was reached.
    """

    __slots__ = (
        "accept_pauses",
        "accepted",
        "handshakes_failed",
        "lost",
        "opened",
        "opened_compressed",
        "released",
    )

    def __init__(self) -> None:
        self.accepted = 0
        self.released = 0
        self.opened = 0
        self.opened_compressed = 0
        self.lost = 0
        self.handshakes_failed: Counter[str] = Counter()
        self.accept_pauses = 0

    def __repr__(self) -> str:
        return f"<EdgeCounters sockets={self.sockets} connections={self.connections}>"

    @property
    def sockets(self) -> int:
        """Accepted sockets that are still there, finished with their handshake or not."""
        return self.accepted - self.released

    @property
    def connections(self) -> int:
        """Opened connections that are still there."""
        return self.opened - self.lost


class EdgeContext:
    """What connections share.

    Args:
        events: Told what happens on them.
        options: Settings.
        ticker: The process's timer.
        released: Called whenever a socket is gone.

    Attributes:
        compression: Whether handshakes from now on agree to compression.
        deflate: The encoding of the connections that did.
    """

    __slots__ = (
        "closings",
        "compression",
        "counters",
        "deflate",
        "events",
        "handshakes",
        "keepalive",
        "max_message",
        "released",
    )

    def __init__(
        self,
        events: EdgeEvents,
        options: EdgeOptions,
        ticker: Ticker,
        released: Callable[[], None],
    ) -> None:
        self.events = events
        self.max_message = options.max_message
        self.compression = options.compression
        self.deflate = DeflateEncoding()
        self.counters = EdgeCounters()
        self.released = released
        self.keepalive: KeepAlive[KeptEdge] = KeepAlive(
            ticker.ticks(options.ping_interval),
            ticker.ticks(options.ping_timeout),
            lambda edge: edge.abort(PING_TIMEOUT.reason()),
        )
        ticker.add(self.keepalive)
        self.handshakes: Deadlines[Overdue] = ticker.deadlines(options.handshake_timeout, _expire)
        self.closings: Deadlines[Overdue] = ticker.deadlines(options.close_timeout, _expire)


class AcceptedProtocol(asyncio.Protocol):
    """The first protocol of an accepted socket, whatever is spoken there.

    Whoever is `connection_lost` of a socket calls `context.released`, exactly once.

    Args:
        context: What all connections share.
        origin: Where it was accepted.
        peer: The TCP peer.
    """

    __slots__ = ("_context", "_origin", "_peer", "_write_paused")

    def __init__(self, context: EdgeContext, origin: Origin, peer: Address) -> None:
        self._context = context
        self._origin = origin
        self._peer = peer
        # Whether the transport holds unsent bytes: the end of TLS's handshake, or the first message.
        self._write_paused = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._peer[0]}:{self._peer[1]} on {self._origin.listener}>"

    def pause_writing(self) -> None:
        """Take note for the edge that the transport holds unsent bytes."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """Take note that it has sent them."""
        self._write_paused = False

    def hand_over(
        self,
        transport: asyncio.Transport,
        edge: ConnectedEdge,
        request: ConnectRequest,
        answer: bytes = b"",
    ) -> None:
        """Let an edge take over: the connection is open.

        Args:
            transport: Whose protocol the edge becomes.
            edge: The edge.
            request: How the client connected.
            answer: What it is answered; leaves in one write with what the core says first.
        """
        self._context.counters.opened += 1
        try:
            data = answer + self._context.events.opened(edge, request)
            if data and not transport.is_closing():
                transport.write(data)
        finally:  # whoever was told the beginning is told the end
            transport.set_protocol(edge)
        if self._write_paused:  # which only this was told
            edge.pause_writing()

    def failed(self, cause: str) -> None:
        """Count a socket that is gone without having become a connection."""
        self._context.counters.handshakes_failed[cause] += 1
        self._context.released()


def _expire(thing: Overdue) -> None:
    thing.overdue()
