"""The metrics of one gateway process: a closed catalogue, read when it is asked for.

Rule: nothing is counted here. The parts count in plain ints where things happen; a
:class:`~gateway.admin.measures.Measure` says under which name one is shown, in which unit, and how it is read.
`docs/metrics.md` is written from this catalogue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gateway.admin.connmix_metrics import CONNMIX_MEASURES
from gateway.admin.health import why_not_ready
from gateway.admin.measures import NAMESPACE, Distribution, counter, gauge, histogram
from gateway.admin.sources import AdminSources
from gateway.entry.failures import Failure
from gateway.holding import Loss
from gateway_wire import close_codes
from gateway_wire.hello import SOFTWARE

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from gateway.queues.topic import Topic

__all__ = ["CATALOGUE", "MetricsPage"]

_BUILD: Final = {SOFTWARE.partition("/")[2]: 1.0}


def _closed(sources: AdminSources) -> Mapping[str, float]:
    # With zeros: a rate can only be seen from a first sample that was there before.
    known = dict.fromkeys((entry.name for entry in close_codes.CATALOGUE), 0)
    return known | sources.clients.counters.closed


_PROCESS: Final = (
    gauge("build_info", "Always 1; the label is our version.", lambda _: _BUILD, label="version"),
    gauge(
        "ready",
        "1 while browsers may be sent here, as /readyz says.",
        lambda s: not why_not_ready(s),
    ),
    gauge(
        "registers_connected",
        "Registers that hold this process now.",
        lambda s: s.announcer.connected,
    ),
    gauge(
        "registers_lost",
        "Registers that do not; pushes go on, new clients may not find us.",
        lambda s: s.announcer.lost,
    ),
    counter(
        "process_restarts",
        "Times that the place of this process was filled again after a crash.",
        lambda s: s.restarts,
    ),
    gauge(
        "loop_lag_seconds",
        "Worst lateness of the loop within the last minute, in seconds.",
        lambda s: s.lag.seconds,
    ),
)

_CONNECTIONS: Final = (
    gauge("connections", "Browsers that are online here.", lambda s: len(s.hub.connections)),
    gauge("uids", "Distinct uids among them.", lambda s: len(s.hub.uids)),
    gauge("groups", "Groups that have a member among them.", lambda s: len(s.hub.groups)),
    counter(
        "connections_opened",
        "Browsers that finished their handshake.",
        lambda s: s.clients.counters.opened,
    ),
    counter(
        "connections_opened_compressed",
        "Those of them that agreed to compression (`--compression`).",
        lambda s: s.edge.counters.opened_compressed,
    ),
    counter(
        "connections_closed",
        "Connections that ended, by close reason.",
        _closed,
        label="reason",
    ),
    gauge(
        "sockets",
        "Sockets of browsers, in their handshake, open or closing.",
        lambda s: s.edge.counters.sockets,
    ),
    gauge("sockets_limit", "Sockets at which accepting pauses.", lambda s: s.edge.max_connections),
    gauge(
        "accepting",
        "1 while new browsers are accepted.",
        lambda s: not s.edge.obstacles,
    ),
    counter(
        "accepted",
        "Sockets accepted from browsers.",
        lambda s: s.edge.counters.accepted,
    ),
    counter(
        "accept_pauses",
        "Times that accepting paused because a limit was reached.",
        lambda s: s.edge.counters.accept_pauses,
    ),
    counter(
        "handshakes_failed",
        "Sockets that never became a connection, by cause.",
        lambda s: s.edge.counters.handshakes_failed,
        label="cause",
    ),
)

_MESSAGES: Final = (
    counter(
        "messages_received",
        "Messages from browsers.",
        lambda s: s.clients.counters.received,
    ),
    counter(
        "messages_received_bytes",
        "Their size in bytes; a character of text counts as one.",
        lambda s: s.clients.counters.received_bytes,
    ),
    counter(
        "messages_discarded",
        "Messages from browsers that were for nobody, such as those before the first worker came.",
        lambda s: s.clients.counters.discarded,
    ),
    counter(
        "deliveries",
        "Messages put into an outbox, counted once for each browser.",
        lambda s: s.outbox.counters.deliveries,
    ),
    counter(
        "flushes",
        "Writes to browsers; several messages leave in one where they can.",
        lambda s: s.outbox.counters.flushes,
    ),
    histogram(
        "frames_per_flush",
        "Messages that left in one write; what a delivery costs falls with it.",
        lambda s: Distribution(
            s.outbox.counters.flushes_by_frames, s.outbox.counters.frames_written
        ),
    ),
    counter(
        "written_bytes",
        "Bytes written to browsers, frames included.",
        lambda s: s.outbox.counters.bytes_written,
    ),
    counter(
        "compressions",
        "Messages compressed, each once for all browsers that get it.",
        lambda s: s.edge.deflate_counters.compressions,
    ),
    counter(
        "compressions_before_bytes",
        "Their size before, in bytes.",
        lambda s: s.edge.deflate_counters.bytes_before,
    ),
    counter(
        "compressions_after_bytes",
        "Their size as sent, in bytes; as before where compressing gained nothing.",
        lambda s: s.edge.deflate_counters.bytes_after,
    ),
    gauge(
        "waiting_bytes",
        "Bytes that wait for browsers that do not read, shared ones counted once.",
        lambda s: s.outbox.waiting_bytes,
    ),
    gauge(
        "blocked_connections",
        "Browsers that have not taken what they were sent.",
        lambda s: s.outbox.blocked_connections,
    ),
    counter(
        "blocked",
        "Times that a browser did not take at once what it was sent.",
        lambda s: s.outbox.counters.blocked,
    ),
    counter(
        "slow",
        "Browsers cut because they did not read (close reason `slow`).",
        lambda s: s.outbox.counters.slow,
    ),
)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


_EVENTS: Final = (
    gauge("workers", "Workers that take events of this process now.", lambda s: s.router.workers),
    counter(
        "events",
        "Events of browsers for workers: messages, connections and their ends. Always the sum of the"
        " acknowledged, lost, unacknowledged and held ones.",
        lambda s: s.router.counters.entered,
    ),
    counter(
        "events_dispatched",
        "Events that were sent to a worker, each once.",
        lambda s: s.router.counters.dispatched,
    ),
    counter(
        "events_acknowledged",
        "Events that a worker has finished.",
        lambda s: s.router.counters.acknowledged,
    ),
    counter(
        "events_lost",
        "Events that no worker will finish, by reason.",
        lambda s: {each.value: s.router.counters.lost[each] for each in Loss},
        label="reason",
    ),
    gauge(
        "events_unacknowledged",
        "Events that workers have and have not finished.",
        lambda s: s.router.unacked,
    ),
    gauge(
        "events_held",
        "Events that wait here, for a worker or for room at theirs.",
        lambda s: s.router.held,
    ),
    gauge(
        "event_lag_seconds",
        "Time for which the oldest unfinished event has waited, in seconds.",
        lambda s: s.router.lag(_loop_time()),
    ),
    gauge(
        "paused_connections",
        "Browsers that are not read from, because too many of their events are unfinished.",
        lambda s: s.router.paused,
    ),
    counter(
        "acknowledgements_unknown",
        "Acknowledgements of events that the worker did not have; its mistake.",
        lambda s: s.router.counters.unknown,
    ),
)

_ENTRY: Final = (
    counter(
        "entry_calls",
        "Calls of the entry module's handlers.",
        lambda s: s.entry.counters.calls if s.entry else 0,
    ),
    counter(
        "entry_failures",
        "Calls of its handlers that did not end well, by reason; each cost its own message.",
        lambda s: {each.value: s.entry.counters.failures[each] for each in Failure if s.entry},
        label="reason",
    ),
    gauge(
        "entry_busy_connections",
        "Browsers whose handler runs, or waits for its turn.",
        lambda s: s.entry.busy if s.entry else 0,
    ),
    gauge(
        "entry_paused_connections",
        "Those of them that are not read from, because too much waits.",
        lambda s: s.entry.paused if s.entry else 0,
    ),
)


def _by_topic(read: Callable[[Topic], float]) -> Callable[[AdminSources], Mapping[str, float]]:
    return lambda s: {name: read(topic) for name, topic in s.queues.topics.items()}


_QUEUES: Final = (
    gauge(
        "queue_waiting",
        "Messages that wait for a consumer, by topic.",
        _by_topic(lambda topic: topic.waiting),
        label="topic",
    ),
    gauge(
        "queue_unacknowledged",
        "Messages that consumers have and have not acknowledged.",
        _by_topic(lambda topic: topic.unacknowledged),
        label="topic",
    ),
    gauge(
        "queue_bytes",
        "Bytes of both, with what the gateway itself needs for each.",
        _by_topic(lambda topic: topic.size),
        label="topic",
    ),
    gauge(
        "queue_age_seconds",
        "Time since the message was sent that is there longest, in seconds; 0 for none.",
        _by_topic(lambda topic: topic.age(_loop_time())),
        label="topic",
    ),
    gauge(
        "queue_consumers",
        "Consumers that take messages of the topic.",
        _by_topic(lambda topic: topic.consumers),
        label="topic",
    ),
    gauge(
        "queue_paused_connections",
        "Browsers that are not read from, because the queue is full.",
        _by_topic(lambda topic: len(topic.full)),
        label="topic",
    ),
    counter(
        "queue_pushed",
        "Messages that were put on the queue. Always the sum of the acknowledged, dead, dropped, waiting"
        " and unacknowledged ones.",
        _by_topic(lambda topic: topic.counters.pushed),
        label="topic",
    ),
    counter(
        "queue_delivered",
        "Times that a message was sent to a consumer.",
        _by_topic(lambda topic: topic.counters.delivered),
        label="topic",
    ),
    counter(
        "queue_redelivered",
        "Those of them that were not the first of their message.",
        _by_topic(lambda topic: topic.counters.redelivered),
        label="topic",
    ),
    counter(
        "queue_acknowledged",
        "Messages that a consumer has dealt with.",
        _by_topic(lambda topic: topic.counters.acknowledged),
        label="topic",
    ),
    counter(
        "queue_dead",
        "Messages that were tried too often (`--queue-tries`) and moved to the topic `dead:`.",
        _by_topic(lambda topic: topic.counters.dead),
        label="topic",
    ),
    counter(
        "queue_dropped",
        "Messages that were given up: the oldest on a full topic `dead:`, or left when the gateway stopped.",
        _by_topic(lambda topic: topic.counters.dropped),
        label="topic",
    ),
)

_BACKENDS: Final = (
    gauge("links", "Links of backends and workers.", lambda s: s.backend.links),
    counter("links_accepted", "Links that finished their hello.", lambda s: s.backend.accepted),
    counter(
        "links_refused",
        "Links that were ended for what their peer sent, in its hello or later, by the kind of error.",
        lambda s: s.backend.refused,
        label="error",
    ),
    gauge("php_links", "Links of PHP programs.", lambda s: s.php.links if s.php else 0),
    counter(
        "php_links_accepted",
        "Links of PHP programs on which a frame came; a client without persistent connections makes one"
        " for each call.",
        lambda s: s.php.accepted if s.php else 0,
    ),
    counter(
        "php_links_refused",
        "Links of PHP programs that were ended for what came on them, by the kind of error.",
        lambda s: s.php.refused if s.php else {},
        label="error",
    ),
    counter("commands", "Commands executed.", lambda s: s.executor.counters.commands),
    counter(
        "commands_failed",
        "Commands answered with an error, or refused without one, as those of PHP.",
        lambda s: s.executor.counters.failed,
    ),
    counter(
        "command_turns",
        "Turns of the loop that executed commands.",
        lambda s: s.executor.counters.turns,
    ),
    counter(
        "api_lost",
        "Commands of unconfirmed sends through the HTTP API that reached no gateway.",
        lambda s: s.client.lost,
    ),
)

CATALOGUE: Final = (
    *_PROCESS,
    *_CONNECTIONS,
    *_MESSAGES,
    *_EVENTS,
    *_QUEUES,
    *_ENTRY,
    *CONNMIX_MEASURES,
    *_BACKENDS,
)
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
