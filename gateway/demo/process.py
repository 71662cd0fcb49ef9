"""What runs in the demo's process: its web application, served on the socket that was bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from gateway.demo.app import create_app
from gateway.demo.program import PAGE
from gateway_process.inspection import ConnectionPage, Work
from gateway_process.sockets import address_of

if TYPE_CHECKING:
    from gateway.demo.program import DemoSettings
    from gateway_process.daemon import Addresses, Context
    from gateway_process.inspection import ConnectionQuery

__all__ = ["DemoProcess"]

GRACE: Final = 1.0
"""Seconds that requests under way get at a stop; each takes milliseconds while the cluster lives."""


class DemoProcess:
    """What runs in the demo's process (a `gateway_process.daemon.Role`)."""

    def __init__(self, settings: DemoSettings, context: Context) -> None:
        (self._socket,) = context.sockets[PAGE]
        app = create_app(
            register=[str(address) for address in settings.register],
            gateway_url=settings.gateway_url,
            secret_key=settings.secret_key.reveal(),
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE)

    def __repr__(self) -> str:
        return f"<DemoProcess {self._runner.addresses or 'closed'}>"

    async def start(self) -> Addresses:
        """Serve the page."""
        address = address_of(self._socket)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket).start()
        return {PAGE: f"http://{address}"}

    async def reload(self, settings: DemoSettings) -> None:
        """Nothing of the demo's own may change while it runs."""

    async def drain(self) -> None:
        """Nothing to wait for: the page asks again."""

    async def stop(self) -> None:
        """Answer what is under way and close."""
        await self._runner.cleanup()

    def work(self) -> Work:
        """Nothing worth counting."""
        return Work()

    def connections(self, _: ConnectionQuery) -> ConnectionPage:
        """None: a page's requests come and go."""
        return ConnectionPage()
