"""The first protocol of an accepted socket: one HTTP request, then it hands over or closes.

A correct handshake is answered with 101; the transport's protocol becomes a
`WebSocketEdge` and this object is done. Everything else is answered in one HTTP
response, counted by its cause, and closed.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast

from gateway.edge.compressed import CompressedWebSocketEdge, SecureCompressedWebSocketEdge
from gateway.edge.connected import is_secure, prepare
from gateway.edge.context import AcceptedProtocol, EdgeContext, Origin
from gateway.edge.interface import ConnectRequest
from gateway.edge.proxies import Address
from gateway.edge.secure import SecureWebSocketEdge
from gateway.edge.upgrade import HeadReader, Upgrade, UpgradeRefused, parse_upgrade
from gateway.edge.websocket import WebSocketEdge

__all__ = ["Handshake"]

_EDGES: Final = {
    (False, False): WebSocketEdge,
    (False, True): CompressedWebSocketEdge,
    (True, False): SecureWebSocketEdge,
    (True, True): SecureCompressedWebSocketEdge,
}
"""The class of a connection: whether it is over TLS, and whether it agreed to compression."""


class Handshake(AcceptedProtocol):
    """Turns an accepted socket into an open websocket; arguments as for `AcceptedProtocol`."""

    __slots__ = ("_failure", "_reader", "_transport")

    def __init__(self, context: EdgeContext, origin: Origin, peer: Address) -> None:
        super().__init__(context, origin, peer)
        self._reader = HeadReader()
        # None before the connection (and TLS) stands, and again when this object is done with it.
        self._transport: asyncio.Transport | None = None
        # Why it failed, once that is decided; `lost` if the peer goes away before.
        self._failure = "lost"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the deadline; TLS, if there is any, stands."""
        stream = cast("asyncio.Transport", transport)  # uvloop's are not subclasses of it
        self._transport = stream
        prepare(stream)
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
            upgrade = parse_upgrade(head, deflate=self._context.compression)
        except UpgradeRefused as refused:
            self._failure = refused.cause
            transport.write(refused.response)
            transport.close()
        else:
            self._transport = None
            self._context.handshakes.remove(self)
            self._open(transport, upgrade, rest)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  any end is a failure
        """Count the failure: a completed handshake has handed the transport over."""
        self._transport = None
        self._context.handshakes.remove(self)
        self.failed(self._failure)

    def overdue(self) -> None:
        """Abort: the client took too long."""
        if self._transport is not None:
            if not self._transport.is_closing():
                self._failure = "timeout"
            self._transport.abort()

    def _open(self, transport: asyncio.Transport, upgrade: Upgrade, rest: bytes) -> None:
        edge = _EDGES[is_secure(transport), upgrade.deflate](self._context, transport)
        self._context.counters.opened_compressed += upgrade.deflate
        self.hand_over(transport, edge, self._request(upgrade), upgrade.response)
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
