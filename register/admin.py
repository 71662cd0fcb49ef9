"""The register's HTTP port: health, who is there, metrics.

`/healthz` is open to all; the rest is guarded (`gateway_process.http_guard`). Everything is read from
the server as it is; the metrics page takes plain ints when it is asked.
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

from gateway_process.http_guard import refusal_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from aiohttp.typedefs import Handler
    from prometheus_client.metrics_core import Metric

    from gateway_process.secret import Secret
    from register.server import Server

__all__ = ["Admin"]

logger = logging.getLogger("register")

PREFIX: Final = "gatewayworker_register_"


class Admin:
    """The HTTP side of one register."""

    def __init__(self, server: Server, api_key: Secret) -> None:
        """Make it; :meth:`start` begins to serve.

        Args:
            server: The register to tell about.
            api_key: What requests must carry; empty for none.
        """
        self._server = server
        self._api_key = api_key
        self._metrics = CollectorRegistry(auto_describe=False)
        self._metrics.register(_Collector(server))
        self._runner = web.AppRunner(self._application(), access_log=None)

    def __repr__(self) -> str:
        return f"<Admin of {self._server!r}>"

    async def start(self, sock: socket.socket) -> None:
        """Serve on a socket that is bound; it is owned from here on."""
        await self._runner.setup()
        await web.SockSite(self._runner, sock).start()

    async def stop(self) -> None:
        """Close the port; harmless when it was never opened."""
        await self._runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[_json_errors, self._guard])
        application.router.add_get("/healthz", self._health)
        application.router.add_get("/v1/nodes", self._nodes)
        application.router.add_get("/metrics", self._metrics_page)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/healthz":
            return await handler(request)
        refusal = refusal_of(
            self._api_key,
            peer=request.remote or "",
            method=request.method,
            headers=request.headers,
        )
        if refusal is None:
            return await handler(request)
        response = _error(refusal.status, refusal.code, refusal.message)
        if refusal.status == web.HTTPUnauthorized.status_code:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _nodes(self, _: web.Request) -> web.Response:
        """Answer in CONNMIX's shape; its clients read `api_server` or, older ones, `host`."""
        nodes: list[dict[str, Any]] = [
            {"id": each.node_id, "api_server": each.api_server, "host": each.api_server}
            for each in self._server.directory.nodes()
        ]
        return web.json_response({"nodes": nodes})

    async def _metrics_page(self, _: web.Request) -> web.Response:
        page = generate_latest(self._metrics)
        return web.Response(body=page, headers={"Content-Type": CONTENT_TYPE_LATEST})


class _Collector(Collector):
    """Reads the server's numbers when the metrics page is asked for."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._started = time.time()

    def collect(self) -> Iterator[Metric]:
        server, counters = self._server, self._server.counters
        yield _gauge("gateways", "Gateways that are alive.", len(server.directory))
        yield _gauge("watchers", "Links that are told who is alive.", len(server.watchers))
        yield _gauge("settling", "1 while the directory may be incomplete.", server.is_settling)
        yield _gauge("start_time_seconds", "Unix time of the start.", self._started)
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


@web.middleware
async def _json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors as JSON, ours and those of the framework."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        code = error.reason.lower().replace(" ", "_")
        text = f"{request.method} {request.path}: {error.reason.lower()}"
        response = _error(error.status, code, text)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except Exception:
        logger.exception("%s %s failed", request.method, request.path)
        return _error(500, "internal", "this is a bug; the register's log has the details")


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
