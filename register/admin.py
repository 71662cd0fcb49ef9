"""The register's HTTP port: health, who is there, metrics; with `--connmix` what CONNMIX's clients ask a centre.

`/healthz` is open to all; the rest is guarded (`gateway_process.http_server`). Everything is read
from the server as it is; the metrics page takes plain ints when it is asked. A client of CONNMIX asks for
`/version`, then every minute for `/v1/nodes`, and dials each `api_server` that it is told.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from gateway_process.http_server import HttpServer, error_response
from gateway_wire.hello import SOFTWARE

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from gateway_process.secret import Secret
    from gateway_wire.commands import Announce
    from register.server import Server

__all__ = ["Admin"]

logger = logging.getLogger("register")

PREFIX: Final = "gatewayworker_register_"

APIS: Final = ("v1",)
"""The versions of CONNMIX's API; its clients put the first into the next URL and know no other."""

CONNMIX_KEY: Final = "c:"
"""With what a directory key begins by which connmix client ids are found: who has one speaks CONNMIX."""


class Admin:
    """The HTTP side of one register."""

    def __init__(
        self, server: Server, api_key: Secret, restarts: int = 0, *, connmix: bool = False
    ) -> None:
        """Make it; :meth:`start` begins to serve.

        Args:
            server: The register to tell about.
            api_key: What requests must carry; empty for none.
            restarts: How often the process was started again after a crash.
            connmix: Whether it is asked by clients of CONNMIX.
        """
        self._server = server
        self._connmix = connmix
        self._metrics = CollectorRegistry(auto_describe=False)
        self._metrics.register(_Collector(server, restarts))
        routes = [
            web.get("/healthz", self._health),
            web.get("/version", self._version),
            web.get("/v1/nodes", self._nodes),
            web.get("/metrics", self._metrics_page),
        ]
        self._http = HttpServer(routes, api_key, logger=logger)

    def __repr__(self) -> str:
        return f"<Admin of {self._server!r}>"

    async def start(self, sock: socket.socket) -> None:
        """Serve on a socket that is bound; it is owned from here on."""
        await self._http.start(sock)

    async def stop(self) -> None:
        """Close the port; harmless when it was never opened."""
        await self._http.stop()

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _version(self, _: web.Request) -> web.Response:
        if not self._connmix:
            text = "this register is no centre of CONNMIX; start it with --connmix"
            return error_response(web.HTTPNotFound.status_code, "not_found", text)
        return web.json_response({"version": SOFTWARE, "apis": APIS})

    async def _nodes(self, _: web.Request) -> web.Response:
        """Answer in CONNMIX's shape; its clients read `api_server` or, older ones, `host`."""
        nodes: list[dict[str, Any]] = [
            {"id": each.node_id, "api_server": each.api_server, "host": each.api_server}
            for each in self._server.directory.nodes()
            if not self._connmix or _speaks_connmix(each)
        ]
        return web.json_response({"nodes": nodes})

    async def _metrics_page(self, _: web.Request) -> web.Response:
        page = generate_latest(self._metrics)
        return web.Response(body=page, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _speaks_connmix(announce: Announce) -> bool:
    return bool(announce.api_server) and any(key.startswith(CONNMIX_KEY) for key in announce.keys)


class _Collector(Collector):
    """Reads the server's numbers when the metrics page is asked for."""

    def __init__(self, server: Server, restarts: int) -> None:
        self._server = server
        self._restarts = restarts
        self._started = time.time()

    def collect(self) -> Iterator[Metric]:
        server, counters = self._server, self._server.counters
        yield _gauge("gateways", "Gateways that are alive.", len(server.directory))
        yield _gauge("watchers", "Links that are told who is alive.", len(server.watchers))
        yield _gauge("php_watchers", "PHP programs that are told, too.", len(server.php.opened))
        yield _gauge("settling", "1 while the directory may be incomplete.", server.is_settling)
        yield _gauge("start_time_seconds", "Unix time of the start.", self._started)
        yield _counter(
            "process_restarts",
            "Times that the place of this process was filled again after a crash.",
            self._restarts,
        )
        yield _counter("announcements", "Announcements taken.", counters.announcements)
        yield _counter("silences", "Gateways dropped because they were silent.", counters.silences)
        yield _by_reason("refusals", "Announcements refused.", counters.refusals)
        yield _by_reason("links_refused", "Links refused in their hello.", counters.links_refused)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}{name}", text, value=value)


def _counter(name: str, text: str, value: int) -> Metric:
    return CounterMetricFamily(f"{PREFIX}{name}", text, value=value)


def _by_reason(name: str, text: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}{name}", text, labels=["reason"])
    for reason, value in sorted(values.items()):
        family.add_metric([reason], value)
    return family
