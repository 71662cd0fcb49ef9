"""What runs in a register's process: the links' server and the HTTP port, started and stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_process.sockets import address_of
from register.admin import Admin
from register.program import HTTP, INTERNAL
from register.server import Server

if TYPE_CHECKING:
    from gateway_process.daemon import Addresses, Context
    from register.settings import RegisterSettings

__all__ = ["RegisterProcess"]


class RegisterProcess:
    """What runs in a register's process (a :class:`gateway_process.daemon.Role`)."""

    def __init__(self, settings: RegisterSettings, context: Context) -> None:
        """Make it; :meth:`start` begins to serve.

        Args:
            settings: Its settings.
            context: Its listening sockets.
        """
        (self._listen,) = context.sockets[INTERNAL]
        (self._http,) = context.sockets[HTTP]
        self._server = Server(settings.secret_key.reveal())
        self._admin = Admin(self._server, settings.api_key)

    def __repr__(self) -> str:
        return f"<RegisterProcess {self._server!r}>"

    async def start(self) -> Addresses:
        """Serve on both ports."""
        addresses = {
            INTERNAL: str(address_of(self._listen)),
            HTTP: str(address_of(self._http)),
        }
        await self._server.start(self._listen)
        await self._admin.start(self._http)
        return addresses

    async def reload(self, settings: RegisterSettings) -> None:
        """Nothing of a register's own may change while it runs."""

    async def drain(self) -> None:
        """Nothing to wait for: whoever knows the gateways goes on without a register."""

    async def stop(self) -> None:
        """Say goodbye to all and close both ports."""
        await self._server.stop()
        await self._admin.stop()
