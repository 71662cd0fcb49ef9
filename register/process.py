"""What runs in a register's process: the links' server and the HTTP port, started and stopped.

An administrator's look at its links is taken here too, from the server as it is.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from gateway_process.inspection import ConnectionPage, Work, page_of
from gateway_process.sockets import address_of
from register.admin import Admin
from register.program import HTTP, INTERNAL
from register.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway_process.daemon import Addresses, Context
    from gateway_process.inspection import ConnectionQuery
    from register.settings import RegisterSettings

__all__ = ["RegisterProcess"]


PHP: Final = "php"
"""What a PHP program is, where links are shown."""


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
        self._admin = Admin(
            self._server, settings.api_key, context.restarts, connmix=settings.connmix
        )

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

    def work(self) -> Work:
        """Count its links."""
        server = self._server
        return Work(connections=len(server.opened) + len(server.php.opened))

    def connections(self, query: ConnectionQuery) -> ConnectionPage:
        """Give a page of its links; none has a uid or is in a group."""
        if query.uid is not None or query.group is not None:
            return ConnectionPage()
        return page_of(self._rows(query.address or ""), query)

    def _rows(self, address: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for link, opened in self._server.opened.items():
            peer = link.core.peer
            if peer is not None and link.remote.startswith(address):
                node = self._server.directory.node_of(link) or ""
                row = _row(peer.role.value, link.remote, peer.instance, node, opened)
                yield f"{peer.instance} {link.remote}", row
        for watcher, opened in self._server.php.opened.items():
            if watcher.remote.startswith(address):
                yield f"{PHP} {watcher.remote}", _row(PHP, watcher.remote, "", "", opened)


def _row(peer: str, address: str, instance: str, node: str, opened: float) -> dict[str, Any]:
    return {
        "peer": peer,
        "address": address,
        "instance": instance,
        "node": node,
        "since": datetime.fromtimestamp(opened).astimezone().isoformat(" ", "seconds"),
    }
