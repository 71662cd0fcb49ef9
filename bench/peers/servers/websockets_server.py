"""websockets: its `broadcast`, which encodes a frame's payload once and never waits."""

from __future__ import annotations

import uvloop
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import broadcast as send_to_all
from websockets.asyncio.server import serve as open_port

from bench.peers.servers.orders import obey


async def stay(browser: ServerConnection) -> None:
    """Do nothing until a browser goes."""
    await browser.wait_closed()


async def serve() -> None:
    """Open a port and obey."""
    # Its documentation advises this where memory counts; the crowd offers no compression anyway.
    async with open_port(stay, "127.0.0.1", 0, compression=None) as server:

        async def broadcast(text: bytes) -> None:
            send_to_all(server.connections, text.decode())

        await obey(next(iter(server.sockets)).getsockname()[1], broadcast)


if __name__ == "__main__":
    uvloop.run(serve())
