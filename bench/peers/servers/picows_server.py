"""picows: a loop over all transports; `send` frames a message in its write buffer."""

from __future__ import annotations

import uvloop
from picows import WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from bench.peers.servers.orders import obey

transports: set[WSTransport] = set()


class Browser(WSListener):
    """Keeps a browser among the others until it goes."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Take it in."""
        transports.add(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Forget it."""
        transports.discard(transport)


def listener(_: WSUpgradeRequest) -> Browser:
    """Take anybody."""
    return Browser()


async def broadcast(text: bytes) -> None:
    """Send a message to everybody."""
    for transport in tuple(transports):
        transport.send(WSMsgType.TEXT, text)


async def serve() -> None:
    """Open a port and obey."""
    server = await ws_create_server(listener, "127.0.0.1", 0)
    await obey(server.sockets[0].getsockname()[1], broadcast)


if __name__ == "__main__":
    uvloop.run(serve())
