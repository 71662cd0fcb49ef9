"""The first protocol of an accepted socket: one HTTP request, then it hands over or closes.

A correct handshake is answered with 101; the transport's protocol becomes a
`WebSocketEdge` and this object is done. Everything else is answered in one HTTP
response, counted by its cause, and closed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import cast

from gateway.edge.context import EdgeContext
from gateway.edge.interface import ConnectRequest
from gateway.edge.proxies import Address, TrustedProxies
from gateway.edge.upgrade import HeadReader, Upgrade, UpgradeRefused, parse_upgrade
from gateway.edge.websocket import WebSocketEdge

__all__ = ["Handshake", "Origin"]


@dataclass(frozen=True, slots=True)
class Origin:
    """What the connections of one listener have in common.

    Attributes:
        listener: Its name.
        proxies: Whose word about a client's address is taken there.
    """

    listener: str
    proxies: TrustedProxies


class Handshake(asyncio.Protocol):
    """Turns an accepted socket into an open websocket.

    Args:
        context: What all connections share.
        origin: Where it was accepted.
        peer: The TCP peer.
    """

    __slots__ = ("_context", "_failure", "_origin", "_peer", "_reader", "_transport")

    def __init__(self, context: EdgeContext, origin: Origin, peer: Address) -> None:
        self._context = context
        self._origin = origin
        self._peer = peer
        self._reader = HeadReader()
        # None before the connection (and TLS) stands, and again when this object is done with it.
        self._transport: asyncio.Transport | None = None
        # Why it failed, once that is decided; `lost` if the peer goes away before.
        self._failure = "lost"

    def __repr__(self) -> str:
        return f"<Handshake {self._peer[0]}:{self._peer[1]} on {self._origin.listener}>"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the deadline; TLS, if there is any, stands."""
        stream = cast("asyncio.Transport", transport)  # uvloop's are not subclasses of it
        self._transport = stream
        # The gateway owns unsent bytes: whatever the kernel does not take is told at once.
        stream.set_write_buffer_limits(high=0)
        self._context.handshakes.add(self)

    def data_received(self, data: bytes) -> None:
        """Collect the request and answer it."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        try:
            parts = self._reader.feed(data)
            if parts is None:
                return
            head, rest = parts
            upgrade = parse_upgrade(head)
        except UpgradeRefused as refused:
            self._failure = refused.cause
            transport.write(refused.response)
            transport.close()
        else:
            self._transport = None
            self._open(transport, upgrade, rest)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  any end is a failure
        """Count the failure: a completed handshake has handed the transport over."""
        self._transport = None
        self.failed(self._failure)

    def overdue(self) -> None:
        """Abort: the client took too long."""
        if self._transport is not None:
            if not self._transport.is_closing():
                self._failure = "timeout"
            self._transport.abort()

    def failed(self, cause: str) -> None:
        """Count a socket that is gone without having become a connection."""
        self._context.counters.handshakes_failed[cause] += 1
        self._context.released()

    def _open(self, transport: asyncio.Transport, upgrade: Upgrade, rest: bytes) -> None:
        transport.write(upgrade.response)
        edge = WebSocketEdge(self._context, transport)
        transport.set_protocol(edge)
        self._context.counters.opened += 1
        self._context.events.opened(edge, self._request(upgrade))
        if rest:
            edge.data_received(rest)

    def _request(self, upgrade: Upgrade) -> ConnectRequest:
        address, port = self._origin.proxies.client_address(self._peer, upgrade.headers)
        return ConnectRequest(
            path=upgrade.path,
            query=upgrade.query,
            headers=upgrade.headers,
            remote_addr=address,
            remote_port=port,
            listener=self._origin.listener,
        )
