"""The HTTP port of a worker process: health and metrics, where `--http` asks for one.

`/healthz` and `/readyz` are open to all, the metrics guarded (`gateway_process.http_server`). Nothing is
counted here: the parts count in plain ints, which are read when the page is asked for.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import TYPE_CHECKING, Final

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from businessworker.gateway_link import LinkState
from gateway_process.http_server import HttpServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from businessworker.dispatcher import Dispatcher
    from businessworker.process import WorkerProcess
    from gateway_process.secret import Secret

__all__ = ["Admin"]

logger = logging.getLogger("businessworker")

PREFIX: Final = "gatewayworker_businessworker_"


class Admin:
    """The HTTP side of one worker process."""

    def __init__(self, process: WorkerProcess, api_key: Secret) -> None:
        """Make it; :meth:`start` begins to serve.

        Args:
            process: The process to tell about.
            api_key: What requests must carry; empty for requests of this machine only.
        """
        self._process = process
        self._metrics = CollectorRegistry(auto_describe=False)
        self._metrics.register(_Collector(process))
        self._system = CollectorRegistry(auto_describe=False)
        ProcessCollector(namespace=PREFIX.rstrip("_"), registry=self._system)
        routes = [
            web.get("/healthz", self._alive),
            web.get("/readyz", self._ready),
            web.get("/metrics", self._metrics_page),
        ]
        self._http = HttpServer(routes, api_key, open_paths=("/healthz", "/readyz"), logger=logger)

    def __repr__(self) -> str:
        return f"<Admin of {self._process!r}>"

    async def start(self, sock: socket.socket) -> None:
        """Serve on a socket that is bound; it is owned from here on."""
        await self._http.start(sock)

    async def stop(self) -> None:
        """Close the port; harmless when it was never opened."""
        await self._http.stop()

    async def _alive(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _ready(self, _: web.Request) -> web.Response:
        reason = self._process.why_not_ready
        gateways = self._process.links.gateways
        body = {
            "status": "not ready" if reason else "ready",
            "gateways": {str(each.address): each.state.value for each in gateways},
        }
        if reason:
            body["reason"] = reason
        return web.json_response(body, status=503 if reason else 200)

    async def _metrics_page(self, _: web.Request) -> web.Response:
        # The system's numbers come from files, which the loop must not wait for.
        of_system = await asyncio.to_thread(generate_latest, self._system)
        page = generate_latest(self._metrics) + of_system
        return web.Response(body=page, headers={"Content-Type": CONTENT_TYPE_LATEST})


class _Collector(Collector):
    """Reads a process's numbers when the metrics page is asked for."""

    def __init__(self, process: WorkerProcess) -> None:
        self._process = process

    def collect(self) -> Iterator[Metric]:
        process, links = self._process, self._process.links
        taking = sum(each.state is LinkState.TAKING for each in links.gateways)
        yield _gauge(
            "ready", "1 while it takes events, as /readyz says.", not process.why_not_ready
        )
        yield _gauge("gateways", "Gateways that are announced.", len(links.gateways))
        yield _gauge("gateways_taking", "Gateways that send events.", taking)
        yield _counter("calls", "Calls that handlers made of Gateway.", process.own_links.calls)
        yield _counter("sent", "Commands to current clients.", links.sent)
        yield _counter("lost", "Unconfirmed commands that reached no gateway.", links.losses.count)
        yield _counter("process_restarts", "Times it was started after a crash.", process.restarts)
        yield _gauge("threads_busy", "Threads that run a handler.", process.pool.busy)
        if process.dispatcher is not None:
            yield from _of_events(process.dispatcher)
        yield from self._handlers()

    def _handlers(self) -> Iterator[Metric]:
        events = self._process.events
        handled = CounterMetricFamily(
            f"{PREFIX}handled", "Handlers that ended, by result.", labels=["handler", "result"]
        )
        for handler in () if events is None else events.handlers:
            handled.add_metric([handler.name, "returned"], handler.handled)
            handled.add_metric([handler.name, "raised"], handler.failed)
        yield handled


def _of_events(dispatcher: Dispatcher) -> Iterator[Metric]:
    since = dispatcher.oldest_since
    lag = 0.0 if since is None else monotonic() - since
    yield _counter("events", "Events received.", dispatcher.received)
    yield _counter("events_finished", "Events finished.", dispatcher.finished)
    yield _counter("events_dropped", "Events lost with their gateway's link.", dispatcher.dropped)
    yield _gauge("events_unfinished", "Events that wait or are handled.", dispatcher.unfinished)
    yield _gauge("event_lag_seconds", "Age of the oldest unfinished event.", lag)
    yield _gauge("clients", "Clients of this process.", dispatcher.clients)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}{name}", text, value=value)


def _counter(name: str, text: str, value: int) -> Metric:
    return CounterMetricFamily(f"{PREFIX}{name}", text, value=value)
