"""python-socketio on aiohttp: `emit` to everybody."""

from __future__ import annotations

import socketio
import uvloop
from aiohttp import web

from bench.peers.servers.orders import obey

io = socketio.AsyncServer(async_mode="aiohttp")


async def broadcast(text: bytes) -> None:
    """Emit a message to everybody."""
    await io.emit("message", text.decode())


async def serve() -> None:
    """Open a port and obey."""
    app = web.Application()
    io.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await obey(runner.addresses[0][1], broadcast)


if __name__ == "__main__":
    uvloop.run(serve())
