"""Whether a gateway process is alive, and whether browsers should be sent to it.

Alive means that the loop answers. Ready means that it was announced, accepts browsers, has a worker where
one is required and is not about to stop; one that is full is not ready, so that a load balancer looks
for another. A register that is lost later does not make it unready: what knows this gateway goes on,
and taking every gateway out of service because one register restarts would turn a nuisance into an
outage. So that shows in the answer and in a metric.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from gateway.admin.sources import AdminSources

__all__ = ["HEALTH_PATHS", "HealthPages", "why_not_ready"]

HEALTH_PATHS = ("/healthz", "/readyz")
"""Asked by load balancers and orchestrators, which hold no key and come from other machines."""


def why_not_ready(sources: AdminSources) -> str:
    """Return the reason why no browser should be sent here, empty if one may."""
    reason = sources.why_not_ready()
    if reason or not sources.edge.obstacles:
        return reason
    sockets, limit = sources.edge.counters.sockets, sources.edge.max_connections
    return f"not accepting: {sockets} of {limit} sockets are open"


class HealthPages:
    """Answers whoever watches over the process."""

    def __init__(self, sources: AdminSources) -> None:
        """Take the parts to look at."""
        self._sources = sources

    def routes(self) -> list[web.RouteDef]:
        """Return what is answered."""
        alive, ready = HEALTH_PATHS
        return [web.get(alive, self._alive), web.get(ready, self._ready)]

    async def _alive(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _ready(self, _: web.Request) -> web.Response:
        sources = self._sources
        reason = why_not_ready(sources)
        announcer = sources.announcer
        body = {
            "status": "not ready" if reason else "ready",
            "registers": {"connected": announcer.connected, "lost": announcer.lost},
            "workers": sources.router.workers,
        }
        if reason:
            body["reason"] = reason
        return web.json_response(body, status=503 if reason else 200)
