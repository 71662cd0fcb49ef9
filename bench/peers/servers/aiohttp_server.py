"""aiohttp: a loop over all websockets, with `send_frame` for bytes that are encoded already."""

from __future__ import annotations

import uvloop
from aiohttp import WSMsgType, web

from bench.peers.servers.orders import obey

sockets: set[web.WebSocketResponse] = set()


async def websocket(request: web.Request) -> web.WebSocketResponse:
    """Keep a browser among the others until it goes."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    sockets.add(socket)
    try:
        async for _ in socket:
            pass
    finally:
        sockets.discard(socket)
    return socket


async def broadcast(text: bytes) -> None:
    """Send a message to everybody."""
    for socket in tuple(sockets):
        await socket.send_frame(text, WSMsgType.TEXT)


async def serve() -> None:
    """Open a port and obey."""
    app = web.Application()
    app.router.add_get("/", websocket)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await obey(runner.addresses[0][1], broadcast)


if __name__ == "__main__":
    uvloop.run(serve())
