"""HTTP ports for tests: any routes, or a whole `AdminServer`, on a port that the kernel chose."""

import logging
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web

from gateway.admin.server import AdminServer
from gateway.admin.sources import AdminSources
from gateway_process.http_server import HttpServer
from gateway_process.secret import Secret
from tests.support.links import address_of, bound

LOGGER = logging.getLogger("test.http")


@asynccontextmanager
async def served(
    routes: Iterable[web.RouteDef], *, api_key: str = "", open_paths: Collection[str] = ()
) -> AsyncIterator[ClientSession]:
    """Serve routes; give a client of them."""
    server = HttpServer(routes, Secret(api_key), open_paths=open_paths, logger=LOGGER)
    sock = bound()
    base = f"http://{address_of(sock)}"
    await server.start(sock)
    try:
        async with ClientSession(base) as session:
            yield session
    finally:
        await server.stop()


@asynccontextmanager
async def administered(sources: AdminSources) -> AsyncIterator[ClientSession]:
    """Serve a gateway's whole HTTP port; give a client of it."""
    server = AdminServer(sources)
    sock = bound()
    base = f"http://{address_of(sock)}"
    await server.start(sock)
    try:
        async with ClientSession(base) as session:
            yield session
    finally:
        await server.stop()
