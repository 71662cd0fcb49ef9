"""The HTTP port of one gateway process, from start to stop."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gateway.admin.api import MAX_BODY, Api
from gateway.admin.connmix import ConnmixApi
from gateway.admin.health import HEALTH_PATHS, HealthPages
from gateway.admin.metrics import MetricsPage
from gateway_client import AsyncGatewayClient
from gateway_client.config import DEFAULT_TIMEOUT
from gateway_process.http_server import HttpServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from gateway.admin.sources import AdminSources
    from gateway_process.secret import Secret

__all__ = ["AdminServer", "cluster_client"]

logger = logging.getLogger("gateway")


def cluster_client(
    registers: Iterable[str], secret_key: Secret, max_message: int
) -> AsyncGatewayClient:
    """Return the client with which the HTTP API asks the cluster; it connects when first used.

    Args:
        registers: Where the registers are, `host:port` each.
        secret_key: The cluster's secret key, empty for none.
        max_message: Bytes of the largest message.
    """
    return AsyncGatewayClient(registers, secret_key=secret_key.reveal(), max_message=max_message)


class AdminServer:
    """Serves health, metrics, the HTTP API, and CONNMIX's where that is asked for."""

    def __init__(self, sources: AdminSources) -> None:
        """Make it; :meth:`start` begins to serve.

        Args:
            sources: What it reads.
        """
        self._lag = sources.lag
        self._client = sources.client
        self._connmix = ConnmixApi(sources.connmix, sources.client)
        self._http = HttpServer(
            [
                *HealthPages(sources).routes(),
                *MetricsPage(sources).routes(),
                *Api(self._client).routes(),
                *self._connmix.routes(),
            ],
            sources.api_key,
            open_paths=HEALTH_PATHS,
            max_body=MAX_BODY,
            grace=DEFAULT_TIMEOUT,  # a call under way ends by itself within it
            logger=logger,
        )

    def __repr__(self) -> str:
        return f"<AdminServer {self._http!r}>"

    async def start(self, sock: socket.socket) -> None:
        """Serve on a socket that is bound; it is owned from here on."""
        self._lag.start()
        await self._http.start(sock)

    async def stop(self) -> None:
        """Accept nothing more, let requests under way end, close; harmless when not started."""
        await self._connmix.close()
        await self._http.stop()
        await self._client.aclose()
        self._lag.stop()
