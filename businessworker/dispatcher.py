"""Gives each event to the application's handler: those of one client one after another, in order.

A client is a lane. An event that finds its lane idle is begun, another waits behind it; when one has
ended, on the loop or on a thread, the next is begun. So clients run side by side, `async def` and `def`
handlers of one client take their turns, and nothing here needs a lock: all of it happens on the loop's thread.

What an event leaves behind goes to its gateway in this order: what its handlers sent, its session patch,
its acknowledgement. Acknowledgements are gathered for a turn of the loop. A handler that raised has
finished its event like any other: it is logged, and what it had sent and changed before stays.

When a gateway's link is lost, it has counted what is unfinished as lost and its clients move. So
what has not begun is dropped, and handlers that run go on with nobody to hear of it. Should such a client
come back to this worker, its new events wait until the old handler has ended.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from businessworker.acknowledgements import Acknowledgements
from businessworker.blocking import LONG, BlockingRunner
from businessworker.invocation import Invocation
from businessworker.lane import Feed, Lane
from businessworker.runner import BLOCKED, Runner
from gateway_process.functions import is_async
from gateway_wire.commands import (
    ClientAssigned,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    ClientSession,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from businessworker.events import Events
    from businessworker.handler import Handler
    from businessworker.lane import Event
    from businessworker.mailbox import Mailbox
    from businessworker.sessions import Patch
    from businessworker.source import Source
    from businessworker.threads import ThreadPool
    from gateway_wire.commands import Command, Error

__all__ = ["Dispatcher"]

_logger = logging.getLogger(__name__)

LOOK_INTERVAL: Final = 5.0
"""Seconds between two looks for handlers that take long: one timer for all, none for each event."""

MAX_NAMED: Final = 5
"""Unfinished handlers that a message names, the oldest first; their number says the rest."""


class Dispatcher:
    """The clients of this process and their events. Made and used on the loop's thread.

    Args:
        events: The application's handlers.
        mailbox: How threads reach the loop.
        pool: Where `def` handlers run.
        blocked: Seconds after which an `async def` handler that does not wait is named in the log.
        long: Seconds after which a `def` handler that still runs is.
        look_interval: Seconds between two looks for those.

    Attributes:
        received: Events received since the start.
        finished: Events finished since the start, whether their handlers succeeded or raised.
        dropped: Events that never began: their gateway's link was lost, or this process ended.
        unfinished: Events that wait or are being handled.
    """

    def __init__(
        self,
        events: Events,
        mailbox: Mailbox,
        pool: ThreadPool,
        *,
        blocked: float = BLOCKED,
        long: float = LONG,
        look_interval: float = LOOK_INTERVAL,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._events = events
        self._mailbox = mailbox
        self._pool = pool
        self._runner = Runner(self._ended, blocked)
        self._blocking = BlockingRunner(pool, mailbox, self._ended, events.around)
        self._feeds: dict[Source, Feed] = {}
        self._busy: set[Lane] = set()
        self._orphans: set[str] = set()  # clients of lost gateways whose handlers still run
        self._acknowledgements = Acknowledgements(self._loop)
        self._idle: asyncio.Future[None] | None = None
        self._is_cancelled = False
        self._long = long
        self._look_interval = look_interval
        self._look = self._loop.call_later(look_interval, self._look_for_long)
        self.received = self.finished = self.dropped = self.unfinished = 0

    def __repr__(self) -> str:
        return (
            f"<Dispatcher: {self.clients} clients of {len(self._feeds)} gateways, "
            f"{self.unfinished} events unfinished>"
        )

    # What happened

    def receive(self, source: Source, commands: Sequence[Command]) -> None:
        """Take what a gateway has sent about its clients, in the order of its link."""
        feed = self._feeds.get(source)
        if feed is None:
            feed = self._feeds[source] = Feed(source)
        now = monotonic()
        for command in commands:
            if isinstance(command, (ClientMessage, ClientConnected, ClientClosed)):
                self._take(feed, command, now)
            elif isinstance(command, ClientAssigned):
                feed.lanes[command.client_id] = Lane(feed, command)
            elif isinstance(command, ClientSession):
                lane = feed.lanes.get(command.client_id)
                if lane is not None:
                    lane.session = lane.session.renewed(command.session)

    def source_lost(self, source: Source) -> None:
        """Forget a gateway whose link is lost, and its clients."""
        feed = self._feeds.pop(source, None)
        if feed is None:
            return
        feed.is_over = feed.is_lost = True
        lanes = [lane for lane in self._busy if lane.feed is feed]
        self._drop_queued(lanes)
        self._orphans.update(lane.client_id for lane in lanes if lane.event is not None)

    # What is known

    @property
    def clients(self) -> int:
        """How many clients this worker has."""
        return sum(len(feed.lanes) for feed in self._feeds.values())

    @property
    def oldest_since(self) -> float | None:
        """When the oldest unfinished event arrived (`time.monotonic`), None if there is none."""
        return min((lane.oldest for lane in self._busy), default=None)

    def describe_unfinished(self) -> str:
        """Say which handlers run, for which clients and how long, and what waits behind them."""
        now = monotonic()
        running = sorted(
            (*self._runner.waiting, *self._blocking.running), key=lambda each: each.started
        )
        named = [
            f"{each.handler.place} for client {each.client_id}, running for "
            f"{now - each.started:.1f} s"
            for each in running[:MAX_NAMED]
        ]
        more = self.unfinished - len(named)
        return "; ".join([*named, f"{more} more events unfinished"] if more else named)

    # How it ends

    async def finish(self) -> None:
        """Wait until every event is finished and acknowledged."""
        while self.unfinished:
            if self._idle is None:
                self._idle = self._loop.create_future()
            await asyncio.shield(self._idle)
        self._acknowledgements.flush()

    def cancel(self) -> None:
        """Begin no more events, and cancel the `async def` handlers that wait; threads cannot be.

        Events that did not begin are not acknowledged, so that their gateways count them as lost.
        """
        self._is_cancelled = True
        for feed in self._feeds.values():
            feed.is_over = True
        self._drop_queued(tuple(self._busy))
        self._runner.cancel()

    def close(self) -> None:
        """Stop looking for handlers that take long."""
        self._look.cancel()

    # What belongs to no event

    async def run(self, function: Callable[..., object], *args: Any) -> None:
        """Call a function of the application, on the loop or on a thread; raises what it raises.

        Raises:
            RuntimeError: What it awaits was cancelled. That is no `CancelledError` here, which would
                stop whoever waits for the function.
        """
        try:
            if is_async(function):
                await cast("Awaitable[object]", function(*args))
            else:
                await self._blocking.call(function, *args)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            told = RuntimeError("what it awaits was cancelled, and it let CancelledError pass")
            raise told.with_traceback(error.__traceback__) from error

    # From event to event

    def _take(self, feed: Feed, event: Event, now: float) -> None:
        lane = feed.lanes.get(event.client_id)
        if lane is None:
            _logger.warning(
                "%s sent an event of a client that it had not assigned; it is not handled",
                feed.source.name,
                extra={"client_id": event.client_id},
            )
            self._acknowledgements.add(feed, event.event_id)
            return
        self.received += 1
        if self._is_cancelled:
            self.dropped += 1
            return
        self.unfinished += 1
        self._busy.add(lane)
        if lane.event is None and event.client_id not in self._orphans:
            lane.event, lane.since = event, now
            self._begin(lane)
        else:
            lane.add(event, now)

    def _begin(self, lane: Lane) -> None:
        """Begin the lane's event, and go on to the next while there is no handler for it."""
        event = lane.event
        while event is not None:
            handler = self._first_handler(event)
            if handler is not None:
                self._put(handler, lane, event)
                return
            event = self._advance(lane, event)

    def _first_handler(self, event: Event) -> Handler | None:
        events = self._events
        if type(event) is ClientMessage:
            return events.on_message
        if type(event) is ClientConnected:
            return events.on_connect or self._second_handler(event)
        return events.on_close

    def _second_handler(self, event: Event) -> Handler | None:
        """Return what is called after `on_connect`, for a client that has made a websocket handshake."""
        if type(event) is ClientConnected and event.websocket:
            return self._events.on_websocket_connect
        return None

    def _put(self, handler: Handler, lane: Lane, event: Event) -> None:
        invocation = Invocation(handler, lane, event, self._mailbox)
        (self._runner if handler.is_async else self._blocking).put(invocation)

    def _ended(self, invocation: Invocation) -> None:
        """Take note that a handler has ended, or was not begun since its feed is over."""
        handler, lane, event = invocation.handler, invocation.lane, invocation.event
        if not invocation.is_over:
            lane.event = None
            self._forget(lane)
            self._drop(1)
            return
        if invocation.has_failed:
            handler.failed += 1
        else:
            handler.handled += 1
        if invocation.patch is not None:
            self._send_patch(lane, invocation.patch)
        second = self._second_handler(event) if handler is self._events.on_connect else None
        if second is not None and not lane.feed.is_lost:
            self._put(second, lane, event)
        elif self._advance(lane, event) is not None:
            self._begin(lane)

    def _advance(self, lane: Lane, event: Event) -> Event | None:
        """Finish the lane's event and return the next."""
        self.finished += 1
        feed = lane.feed
        self._acknowledgements.add(feed, event.event_id)
        if type(event) is ClientClosed:
            feed.lanes.pop(lane.client_id, None)
        following = lane.advance()
        if following is None:
            self._forget(lane)
        self._count_down(1)
        return following

    def _forget(self, lane: Lane) -> None:
        """Take a lane off the busy ones; let the client's next lane go on if that waited for it."""
        self._busy.discard(lane)
        if lane.feed.is_lost:
            self._orphans.discard(lane.client_id)
            for feed in self._feeds.values():
                held = feed.lanes.get(lane.client_id)
                if held is not None and held.advance() is not None:
                    self._begin(held)

    def _drop_queued(self, lanes: Iterable[Lane]) -> None:
        for lane in lanes:
            self._drop(lane.drop())
            if lane.event is None:
                self._busy.discard(lane)

    def _drop(self, count: int) -> None:
        self.dropped += count
        self._count_down(count)

    def _count_down(self, count: int) -> None:
        self.unfinished -= count
        if self.unfinished == 0 and self._idle is not None:
            self._idle.set_result(None)
            self._idle = None

    # What gateways are told

    def _send_patch(self, lane: Lane, patch: Patch) -> None:
        if not lane.feed.is_lost:
            lane.session = lane.session.patched(patch)
            settled = partial(_settle, lane, patch)
            lane.feed.source.patch_session(patch.command(lane.client_id), settled)

    def _look_for_long(self) -> None:
        self._blocking.warn_of_long(monotonic() - self._long)
        self._look = self._loop.call_later(self._look_interval, self._look_for_long)


def _settle(lane: Lane, patch: Patch, error: Error | None) -> None:
    """Take note that the gateway has taken a session patch, or refused it."""
    lane.session = lane.session.settled(patch, taken=error is None)
    if error is not None:
        _logger.error(
            "%s refused what a handler changed in the session, it stays as it was: %s",
            lane.feed.source.name,
            error.text,
            extra={"client_id": lane.client_id},
        )
