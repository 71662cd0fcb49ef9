"""The BusinessWorkers of PHP, as workers of the router beside our own.

One takes events from its hello until its link ends; it knows no leaving, so what was not sent then moves on,
and what was is gone. Nor does it acknowledge: an event is finished when it is written, that is, when the transport
has taken it. As long as it does not read, its events count as unfinished, up to the bounds that hold for
every worker, and beyond these its clients are not read from. What it had in its own buffers when it
died is lost without being counted: nobody but PHP knows of it.

Each frame brings the client's session (:mod:`gateway.php.events`), so there is no other news to tell.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Final

from gateway.php.events import encode_event
from gateway.php.frames import Command, Frame
from gateway.php.link import WorkerHello
from gateway.workers import Worker
from gateway_wire.aio.link import LinkLost
from gateway_wire.commands import CommandError
from gateway_wire.errors import ErrorCode

if TYPE_CHECKING:
    import asyncio

    from gateway.connection import Connection
    from gateway.executor import Answer, LinkTable
    from gateway.holding import Event
    from gateway.router import Router
    from gateway_wire.aio.link import AioLink

__all__ = ["PhpWorkers", "WorkerSink"]

logger = logging.getLogger("gateway")

PING_INTERVAL: Final = 25.0
"""Seconds between two pings to a worker, as in GatewayWorker: whatever forwards the link takes it for alive."""

BLOCKING_TIME: Final = 60.0
"""Seconds for which a worker may read nothing of what was written, for its handlers block it; longer than our own
workers get, which always read, and as long as one should wait for a machine that is dead."""

MAX_KEY: Final = 128
"""Characters of a worker's name and number: it stands in the log, and a name of a process is shorter."""

_PING: Final = Frame(Command.PING).encode()


class WorkerSink:
    """Sends the events of one worker, and says that they are finished (a `gateway.sink.EventSink`)."""

    __slots__ = ("_link", "_loop", "_router", "_sent", "_watching")

    def __init__(self, link: AioLink, router: Router, loop: asyncio.AbstractEventLoop) -> None:
        """Make the sink of a worker that was sent nothing yet.

        Args:
            link: The worker's.
            router: Who is told what is finished.
            loop: The running loop.
        """
        self._link = link
        self._router = router
        self._loop = loop
        # Ids of the events that are not known to be written.
        self._sent: list[int] = []
        # Whether `_written` will be called.
        self._watching = False

    def __repr__(self) -> str:
        return f"<WorkerSink {self._link.remote} {len(self._sent)} not written>"

    @property
    def last_heard(self) -> float:
        """When the worker last showed that it lives: now, as long as it reads, for it has no pings."""
        return self._link.last_heard if self._link.is_backed_up else math.inf

    def send(self, connection: Connection, event: Event) -> int:
        """Send an event; it is finished once it is written, in a later turn of the loop."""
        frames = encode_event(event, connection)
        self._link.send_frame(frames)
        self._sent.append(event.event_id)
        if not self._watching:
            self._watching = True
            self._loop.call_soon(self._written, self._link)  # behind the link's own flush
        return len(frames)

    def _written(self, link: AioLink) -> None:
        if link.is_backed_up:
            link.call_when_writable(self._written)
            return
        self._watching = False
        if link.is_open:  # else the router loses them with the link
            sent, self._sent = self._sent, []
            self._router.acknowledge(link, sent, self._loop.time())


class PhpWorkers:
    """All BusinessWorkers of PHP that have a link to this process."""

    __slots__ = ("_keys", "_links", "_loop", "_ping_interval", "_pings", "_router")

    def __init__(
        self,
        router: Router,
        loop: asyncio.AbstractEventLoop,
        *,
        ping_interval: float = PING_INTERVAL,
    ) -> None:
        """Start without workers.

        Args:
            router: Who gives them events.
            loop: The running loop.
            ping_interval: Seconds between two pings to each.
        """
        self._router = router
        self._loop = loop
        self._ping_interval = ping_interval
        # Workers by their key, and back: the key is the machine's address and what the worker calls itself.
        self._links: dict[str, AioLink] = {}
        self._keys: dict[AioLink, str] = {}
        # The timer of the next pings; None while there is nobody to ping.
        self._pings: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<PhpWorkers {', '.join(self._links)}>"

    def table(self) -> LinkTable:
        """Return the function for each class that the executor meets on a worker's link."""
        return {WorkerHello: self.connect}

    def connect(self, link: AioLink, hello: WorkerHello, _: Answer) -> None:
        """Give events to a worker, in the place of one that has the same name and number.

        Raises:
            CommandError: The link has one already, or its key cannot be one; it ends then.
        """
        if not link.is_open:
            return
        name, number = _name_and_number(hello.key)
        host = link.remote.rpartition(":")[0]
        key = f"{host}:{hello.key}"
        worker = Worker(f"{name}@{host}", number, link, WorkerSink(link, self._router, self._loop))
        self._router.take(worker, _nothing, self._loop.time())
        self._replace(key)
        link.bear_with(BLOCKING_TIME)
        self._links[key] = link
        self._keys[link] = key
        if self._pings is None:
            self._pings = self._loop.call_later(self._ping_interval, self._ping)

    def link_lost(self, link: AioLink) -> None:
        """Forget a worker whose link has ended, once its last words were taken; others are nobody here."""
        key = self._keys.pop(link, None)
        if key is None:
            return
        if self._links[key] is link:
            del self._links[key]
        self._router.link_lost(link, self._loop.time())

    def _replace(self, key: str) -> None:
        old = self._links.get(key)
        if old is None or not old.is_open:
            return
        logger.warning(
            "a second PHP worker says that it is %s, the first one's link is closed:"
            " give each BusinessWorker of a machine a $name of its own",
            key,
        )
        text = "another worker has the same name and number"
        if old.is_backed_up:  # it would not read what is closed behind, least of all if it is dead
            old.abort(LinkLost(f"closed by this side: {text}"))
        else:
            old.close(ErrorCode.INVALID, text)

    def _ping(self) -> None:
        for link in self._keys:
            if link.is_open and not link.is_backed_up:
                link.send_frame(_PING)
        self._pings = None
        if self._keys:
            self._pings = self._loop.call_later(self._ping_interval, self._ping)


def _name_and_number(key: str) -> tuple[str, int]:
    name, _, number = key.rpartition(":")
    if not name or not number.isdecimal() or len(key) > MAX_KEY or not key.isprintable():
        text = f"WORKER_CONNECT has the worker_key {key!r:.{MAX_KEY}}: `name:number` is wanted"
        raise CommandError(ErrorCode.MALFORMED, text)
    return name, int(number)


def _nothing() -> None:
    pass
