"""Gives each client's events to one worker, in order, at most once, and accounts for every one.

Here is what clients, workers and the clock tell, and what that means for events;
:mod:`gateway.dispatch` moves them. A link that ends loses what is unfinished: it may have been handled,
so it is never sent again. What was not sent yet moves to another worker with its client, which is
not told again that the client connected.

Everything is synchronous and takes the time as an argument. What a browser does before the first
worker ever came is no event: a gateway that only pushes has none.
"""

from __future__ import annotations

import logging
from itertools import chain
from typing import TYPE_CHECKING, Literal

from gateway.dispatch import Dispatch
from gateway.holding import HOLD_TIME, Loss
from gateway_wire.commands import ClientClosed, ClientConnected, ClientMessage, CommandError
from gateway_wire.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from gateway.connection import Connection
    from gateway.edge.interface import ConnectRequest
    from gateway.holding import EventCounters
    from gateway.workers import Routing, Worker
    from gateway_wire.close_codes import CloseReason

__all__ = ["Router"]

logger = logging.getLogger("gateway")


class Router:
    """The events of one gateway process that are for workers (a `Destination`).

    Attributes:
        active: Whether a worker has ever come.
    """

    __slots__ = ("_dispatch", "_when_idle", "active")

    def __init__(self, routing: Routing) -> None:
        """Start without workers.

        Args:
            routing: How a worker is chosen for a client.
        """
        self.active = False
        self._dispatch = Dispatch(routing)
        self._when_idle: Callable[[], None] | None = None

    def __repr__(self) -> str:
        return f"<Router of {self._dispatch!r}>"

    # What others read.

    @property
    def counters(self) -> EventCounters:
        """What became of events so far."""
        return self._dispatch.counters

    @property
    def unacked(self) -> int:
        """Events that workers have and have not acknowledged."""
        return self._dispatch.unacked

    @property
    def held(self) -> int:
        """Events that wait here."""
        return self._dispatch.held

    @property
    def paused(self) -> int:
        """Clients that are not read from because of their events."""
        return self._dispatch.paused

    @property
    def workers(self) -> int:
        """Workers that take events now."""
        return sum(each.takes for each in self._dispatch.workers.values())

    def lag(self, now: float) -> float:
        """Return for how many seconds the oldest unfinished event has waited, 0 if there is none.

        It looks at all of them, up to some 10,000 a worker: call it about each second.
        """
        dispatch = self._dispatch
        parked = (lane.first().since for lane in dispatch.parked)
        at_workers = (worker.since() for worker in dispatch.workers.values())
        return max(0.0, now - min(chain(parked, *at_workers), default=now))

    def call_on_no_worker(self, callback: Callable[[Connection], None]) -> None:
        """Call back with each client that loses an event because no worker is there."""
        self._dispatch.on_no_worker = callback

    def call_when_idle(self, callback: Callable[[], None]) -> None:
        """Call back once when no worker has anything unfinished; at once if that is so.

        Then nothing waits either, unless there is no worker for it.
        """
        self._when_idle = callback
        self._tell_if_idle()

    # What clients do.

    def opened(self, connection: Connection, request: ConnectRequest, now: float) -> Literal[True]:
        """A client finished its handshake; it is let in, since events do not refuse."""
        if self.active:
            event = ClientConnected(
                0,
                connection.client_id,
                connection.uid,
                request.path,
                request.query,
                dict(request.headers),
                request.websocket,
            )
            self._dispatch.enter(connection, event, now)
        return True

    def received(self, connection: Connection, message: str | bytes, now: float) -> bool:
        """A client sent a message; before the first worker came there is nobody to take it."""
        if self.active:
            event = ClientMessage(0, connection.client_id, connection.uid, message)
            self._dispatch.enter(connection, event, now)
        return self.active

    def closed(self, connection: Connection, reason: CloseReason, now: float) -> None:
        """A client's connection ended."""
        if self.active:
            client_id, uid = connection.client_id, connection.uid
            event = ClientClosed(0, client_id, uid, reason.code, reason.name, reason.text)
            self._dispatch.enter(connection, event, now)
            if connection.lane is not None:
                connection.lane.ended = True

    def is_paused(self, connection: Connection) -> bool:
        """Return whether a client has so many unfinished events that it is not read from."""
        return connection.lane is not None and connection.lane.paused

    # What workers say.

    def take(self, worker: Worker, taken: Callable[[], None], now: float) -> None:
        """Give clients to a worker from now on, first those that wait for one.

        Args:
            worker: It has nothing yet.
            taken: Called before the first event is sent.
            now: The loop's time.

        Raises:
            CommandError: If a worker takes events on its link already.
        """
        dispatch = self._dispatch
        if worker.link in dispatch.workers:
            raise CommandError(ErrorCode.INVALID, "this link takes events already")
        dispatch.workers[worker.link] = worker
        self.active = True
        logger.info("worker %s takes events; %d wait", worker, self.held)
        taken()
        parked, dispatch.parked = dispatch.parked, {}
        for lane in parked:
            dispatch.move(lane, now)

    def leave(self, link: Hashable, left: Callable[[], None], now: float) -> None:
        """Give nothing more to the worker on this link.

        Args:
            link: The worker's.
            left: Called when nothing of it is unfinished, at once if that is so.
            now: The loop's time.

        Raises:
            CommandError: If it is leaving already.
        """
        worker = self._dispatch.workers.get(link)
        if worker is None:
            left()
            return
        if worker.left is not None:
            raise CommandError(ErrorCode.INVALID, "this link leaves events already")
        logger.info("worker %s leaves; %d events of it are unfinished", worker, len(worker.unacked))
        worker.left = left
        self._dispatch.evict(worker, now)
        self._let_go_if_done(worker)

    def acknowledge(self, link: Hashable, event_ids: Iterable[int], now: float) -> None:
        """Take note that a worker has finished some events, and send what waited for that."""
        worker = self._dispatch.workers.get(link)
        if worker is None:
            self.counters.unknown += sum(1 for _ in event_ids)
            return
        self._dispatch.finish(worker, event_ids, now)
        self._let_go_if_done(worker)
        self._tell_if_idle()

    def link_lost(self, link: Hashable, now: float) -> None:
        """Forget a worker whose link has ended, once its last words were taken."""
        worker = self._dispatch.workers.pop(link, None)
        if worker is None:
            return
        unfinished = self._dispatch.lose_worker(worker, now)
        if unfinished:
            logger.warning("worker %s is gone; %d events of it are lost", worker, unfinished)
        else:
            logger.info("worker %s is gone", worker)
        self._tell_if_idle()

    # Time.

    def turn(self, now: float) -> None:
        """Lose what has waited too long for a worker; call it about each second."""
        for lane, parked_at in tuple(self._dispatch.parked.items()):
            if parked_at + HOLD_TIME > now:
                break  # the others were parked later
            self._dispatch.expire(lane, now - HOLD_TIME)

    def give_up(self) -> int:
        """Count what is unfinished as lost because the process stops, and return how much it is."""
        dispatch = self._dispatch
        left = dispatch.unacked + dispatch.held
        dispatch.counters.lost[Loss.STOPPING] += left
        dispatch.unacked = dispatch.held = 0
        dispatch.parked.clear()
        for worker in dispatch.workers.values():
            worker.unacked.clear()
            worker.line.clear()
        return left

    def _let_go_if_done(self, worker: Worker) -> None:
        if worker.left is not None and not worker.unacked:
            del self._dispatch.workers[worker.link]
            worker.left()

    def _tell_if_idle(self) -> None:
        if self._when_idle is not None and not self.unacked:
            callback, self._when_idle = self._when_idle, None
            callback()
