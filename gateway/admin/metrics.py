"""The metrics of one gateway process: a closed catalogue, read when it is asked for.

Rule: nothing is counted here. The parts count in plain ints where things happen; a :class:`Measure` says
under which name one is shown, in which unit, and how it is read. `docs/metrics.md` is written from this
catalogue.

Names follow Prometheus' rules: the unit is in the name, counters end in `_total`. A reason or cause
is a label with the name that it also has in logs and on the wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypeAlias

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gateway.admin.health import why_not_ready
from gateway.admin.sources import AdminSources
from gateway.entry.failures import Failure
from gateway.holding import Loss
from gateway_wire import close_codes
from gateway_wire.hello import SOFTWARE

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

__all__ = ["CATALOGUE", "NAMESPACE", "Distribution", "Kind", "Measure", "MetricsPage"]

NAMESPACE: Final = "gatewayworker_gateway"


class Kind(Enum):
    """What a metric is to Prometheus."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a histogram tells.

    Attributes:
        counts: Observations in each step; the first holds those up to 1, each further one those up to
            twice as much, the last all above.
        total: Sum of what was observed.
    """

    counts: Sequence[int]
    total: float

    def buckets(self) -> list[tuple[str, float]]:
        """Return how many observations there were up to each bound, as Prometheus writes it."""
        bounds = [*(str(float(2**step)) for step in range(len(self.counts) - 1)), "+Inf"]
        return list(zip(bounds, accumulate(self.counts), strict=True))


Reading: TypeAlias = float | Mapping[str, float] | Distribution
"""One number, one for each value of the label, or a distribution."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric.

    Attributes:
        name: Its name without the namespace, and without the `_total` of a counter.
        text: What it says, in a sentence.
        read: Reads it.
        label: Name of its label, empty for none.
        kind: What it is; a counter only rises.
    """

    name: str
    text: str
    read: Callable[[AdminSources], Reading]
    label: str = ""
    kind: Kind = Kind.GAUGE

    @property
    def full_name(self) -> str:
        """The name under which it is scraped; a histogram's samples add to it."""
        return f"{NAMESPACE}_{self.name}{'_total' if self.kind is Kind.COUNTER else ''}"

    def family(self, sources: AdminSources) -> Metric:
        """Read it."""
        name, reading = f"{NAMESPACE}_{self.name}", self.read(sources)
        if isinstance(reading, Distribution):
            return HistogramMetricFamily(name, self.text, reading.buckets(), reading.total)
        kind = CounterMetricFamily if self.kind is Kind.COUNTER else GaugeMetricFamily
        family = kind(name, self.text, labels=[self.label] if self.label else [])
        readings = reading.items() if isinstance(reading, Mapping) else [("", reading)]
        for value, number in sorted(readings):
            family.add_metric([value] if self.label else [], number)
        return family


def _gauge(
    name: str, text: str, read: Callable[[AdminSources], Reading], label: str = ""
) -> Measure:
    return Measure(name, text, read, label)


def _counter(
    name: str, text: str, read: Callable[[AdminSources], Reading], label: str = ""
) -> Measure:
    return Measure(name, text, read, label, Kind.COUNTER)


def _histogram(name: str, text: str, read: Callable[[AdminSources], Distribution]) -> Measure:
    return Measure(name, text, read, kind=Kind.HISTOGRAM)


_BUILD: Final = {SOFTWARE.partition("/")[2]: 1.0}


def _closed(sources: AdminSources) -> Mapping[str, float]:
    # With zeros: a rate can only be seen from a first sample that was there before.
    known = dict.fromkeys((entry.name for entry in close_codes.CATALOGUE), 0)
    return known | sources.clients.counters.closed


_PROCESS: Final = (
    _gauge("build_info", "Always 1; the label is our version.", lambda _: _BUILD, label="version"),
    _gauge(
        "ready",
        "1 while browsers may be sent here, as /readyz says.",
        lambda s: not why_not_ready(s),
    ),
    _gauge(
        "registers_connected",
        "Registers that hold this process now.",
        lambda s: s.announcer.connected,
    ),
    _gauge(
        "registers_lost",
        "Registers that do not; pushes go on, new clients may not find us.",
        lambda s: s.announcer.lost,
    ),
    _counter(
        "process_restarts",
        "Times that the place of this process was filled again after a crash.",
        lambda s: s.restarts,
    ),
    _gauge(
        "loop_lag_seconds",
        "Worst lateness of the loop within the last minute, in seconds.",
        lambda s: s.lag.seconds,
    ),
)

_CONNECTIONS: Final = (
    _gauge("connections", "Browsers that are online here.", lambda s: len(s.hub.connections)),
    _gauge("uids", "Distinct uids among them.", lambda s: len(s.hub.uids)),
    _gauge("groups", "Groups that have a member among them.", lambda s: len(s.hub.groups)),
    _counter(
        "connections_opened",
        "Browsers that finished their handshake.",
        lambda s: s.clients.counters.opened,
    ),
    _counter(
        "connections_opened_compressed",
        "Those of them that agreed to compression (`--compression`).",
        lambda s: s.edge.counters.opened_compressed,
    ),
    _counter(
        "connections_closed",
        "Connections that ended, by close reason.",
        _closed,
        label="reason",
    ),
    _gauge(
        "sockets",
        "Sockets of browsers, in their handshake, open or closing.",
        lambda s: s.edge.counters.sockets,
    ),
    _gauge("sockets_limit", "Sockets at which accepting pauses.", lambda s: s.edge.max_connections),
    _gauge(
        "accepting",
        "1 while new browsers are accepted.",
        lambda s: not s.edge.obstacles,
    ),
    _counter(
        "accepted",
        "Sockets accepted from browsers.",
        lambda s: s.edge.counters.accepted,
    ),
    _counter(
        "accept_pauses",
        "Times that accepting paused because a limit was reached.",
        lambda s: s.edge.counters.accept_pauses,
    ),
    _counter(
        "handshakes_failed",
        "Sockets that never became a connection, by cause.",
        lambda s: s.edge.counters.handshakes_failed,
        label="cause",
    ),
)

_MESSAGES: Final = (
    _counter(
        "messages_received",
        "Messages from browsers.",
        lambda s: s.clients.counters.received,
    ),
    _counter(
        "messages_received_bytes",
        "Their size in bytes; a character of text counts as one.",
        lambda s: s.clients.counters.received_bytes,
    ),
    _counter(
        "messages_discarded",
        "Messages from browsers that were for nobody, such as those before the first worker came.",
        lambda s: s.clients.counters.discarded,
    ),
    _counter(
        "deliveries",
        "Messages put into an outbox, counted once for each browser.",
        lambda s: s.outbox.counters.deliveries,
    ),
    _counter(
        "flushes",
        "Writes to browsers; several messages leave in one where they can.",
        lambda s: s.outbox.counters.flushes,
    ),
    _histogram(
        "frames_per_flush",
        "Messages that left in one write; what a delivery costs falls with it.",
        lambda s: Distribution(
            s.outbox.counters.flushes_by_frames, s.outbox.counters.frames_written
        ),
    ),
    _counter(
        "written_bytes",
        "Bytes written to browsers, frames included.",
        lambda s: s.outbox.counters.bytes_written,
    ),
    _counter(
        "compressions",
        "Messages compressed, each once for all browsers that get it.",
        lambda s: s.edge.deflate_counters.compressions,
    ),
    _counter(
        "compressions_before_bytes",
        "Their size before, in bytes.",
        lambda s: s.edge.deflate_counters.bytes_before,
    ),
    _counter(
        "compressions_after_bytes",
        "Their size as sent, in bytes; as before where compressing gained nothing.",
        lambda s: s.edge.deflate_counters.bytes_after,
    ),
    _gauge(
        "waiting_bytes",
        "Bytes that wait for browsers that do not read, shared ones counted once.",
        lambda s: s.outbox.waiting_bytes,
    ),
    _gauge(
        "blocked_connections",
        "Browsers that have not taken what they were sent.",
        lambda s: s.outbox.blocked_connections,
    ),
    _counter(
        "blocked",
        "Times that a browser did not take at once what it was sent.",
        lambda s: s.outbox.counters.blocked,
    ),
    _counter(
        "slow",
        "Browsers cut because they did not read (close reason `slow`).",
        lambda s: s.outbox.counters.slow,
    ),
)

_EVENTS: Final = (
    _gauge("workers", "Workers that take events of this process now.", lambda s: s.router.workers),
    _counter(
        "events",
        "Events of browsers for workers: messages, connections and their ends. Always the sum of the"
        " acknowledged, lost, unacknowledged and held ones.",
        lambda s: s.router.counters.entered,
    ),
    _counter(
        "events_dispatched",
        "Events that were sent to a worker, each once.",
        lambda s: s.router.counters.dispatched,
    ),
    _counter(
        "events_acknowledged",
        "Events that a worker has finished.",
        lambda s: s.router.counters.acknowledged,
    ),
    _counter(
        "events_lost",
        "Events that no worker will finish, by reason.",
        lambda s: {each.value: s.router.counters.lost[each] for each in Loss},
        label="reason",
    ),
    _gauge(
        "events_unacknowledged",
        "Events that workers have and have not finished.",
        lambda s: s.router.unacked,
    ),
    _gauge(
        "events_held",
        "Events that wait here, for a worker or for room at theirs.",
        lambda s: s.router.held,
    ),
    _gauge(
        "event_lag_seconds",
        "Time for which the oldest unfinished event has waited, in seconds.",
        lambda s: s.router.lag(asyncio.get_running_loop().time()),
    ),
    _gauge(
        "paused_connections",
        "Browsers that are not read from, because too many of their events are unfinished.",
        lambda s: s.router.paused,
    ),
    _counter(
        "acknowledgements_unknown",
        "Acknowledgements of events that the worker did not have; its mistake.",
        lambda s: s.router.counters.unknown,
    ),
)

_ENTRY: Final = (
    _counter(
        "entry_calls",
        "Calls of the entry module's handlers.",
        lambda s: s.entry.counters.calls if s.entry else 0,
    ),
    _counter(
        "entry_failures",
        "Calls of its handlers that did not end well, by reason; each cost its own message.",
        lambda s: {each.value: s.entry.counters.failures[each] for each in Failure if s.entry},
        label="reason",
    ),
    _gauge(
        "entry_busy_connections",
        "Browsers whose handler runs, or waits for its turn.",
        lambda s: s.entry.busy if s.entry else 0,
    ),
    _gauge(
        "entry_paused_connections",
        "Those of them that are not read from, because too much waits.",
        lambda s: s.entry.paused if s.entry else 0,
    ),
)

_BACKENDS: Final = (
    _gauge("links", "Links of backends and workers.", lambda s: s.backend.links),
    _counter("links_accepted", "Links that finished their hello.", lambda s: s.backend.accepted),
    _counter(
        "links_refused",
        "Links that did not, by the kind of error.",
        lambda s: s.backend.refused,
        label="error",
    ),
    _counter("commands", "Commands executed.", lambda s: s.executor.counters.commands),
    _counter(
        "commands_failed",
        "Commands answered with an error.",
        lambda s: s.executor.counters.failed,
    ),
    _counter(
        "command_turns",
        "Turns of the loop that executed commands.",
        lambda s: s.executor.counters.turns,
    ),
    _counter(
        "api_lost",
        "Commands of unconfirmed sends through the HTTP API that reached no gateway.",
        lambda s: s.client.lost,
    ),
)

CATALOGUE: Final = (*_PROCESS, *_CONNECTIONS, *_MESSAGES, *_EVENTS, *_ENTRY, *_BACKENDS)
"""Every metric of ours, in the order of the documents."""


class MetricsPage:
    """Answers Prometheus."""

    def __init__(self, sources: AdminSources) -> None:
        """Take the parts to read."""
        self._sources = sources
        self._process = ProcessCollector(namespace=NAMESPACE, registry=None)

    def routes(self) -> list[web.RouteDef]:
        """Return what is answered."""
        return [web.get("/metrics", self._page)]

    async def _page(self, request: web.Request) -> web.Response:
        # The system's numbers come from files, which the loop must not wait for.
        of_process = await asyncio.to_thread(lambda: tuple(self._process.collect()))
        ours = (measure.family(self._sources) for measure in CATALOGUE)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Families((*ours, *of_process)))
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})


class _Families(Collector):
    """Gives what was read already."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Sequence[Metric]:
        return self._families
