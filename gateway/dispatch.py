"""Moves events from clients to workers: what is sent at once, what waits, and what is lost.

Theory of operation. A client is bound to a worker at its first event and stays there. An event is
sent at once if the client has credit (`EVENT_CREDIT` unfinished events, `CLIENT_CREDIT_BYTES`), the
link has room (`EVENT_CREDIT_BYTES`; one event may pass either) and nothing of the client waits already;
else it waits in the client's lane, and the client is not read from::

    bound, worker takes     what waits goes through the worker's line, one event a turn, as
                            acknowledgements make room
    bound, worker leaves    what waits stays until nothing is unfinished, then moves with the client
    parked, nobody there    what waits stays for `HOLD_TIME` and up to `HOLD_BYTES`, then is lost

At any time `entered == acknowledged + lost + unacked + held`.

Everything here is synchronous and takes the time as an argument; how an event is written is its
worker's sink's (:mod:`gateway.sink`). Who comes and goes, and what that means, is the router's
(:mod:`gateway.router`), which alone calls this.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from gateway.holding import (
    EVENT_OVERHEAD,
    HOLD_BYTES,
    EventCounters,
    HeldEvent,
    Lane,
    Loss,
    size_of,
)
from gateway.workers import choose
from gateway_wire.commands import ClientAssigned, ClientClosed
from gateway_wire.errors import LocalProtocolError
from gateway_wire.limits import EVENT_CREDIT, EVENT_CREDIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from gateway.connection import Connection
    from gateway.holding import Event
    from gateway.workers import Routing, Worker

__all__ = ["Dispatch"]

RESUME_AT: Final = EVENT_CREDIT // 2
"""Unfinished events at which a client that was paused is read again; the gap keeps a busy client
from being paused and resumed for each event."""


class Dispatch:
    """The events of one gateway process that are on their way.

    Attributes:
        counters: What became of events so far.
        unacked: Events that workers have and have not acknowledged.
        held: Events that wait here.
        paused: Clients that are not read from because of theirs.
        workers: The workers by link.
        parked: Lanes for which no worker is there, and since when, in that order.
        on_no_worker: Called with a client that lost an event because no worker was there.
    """

    __slots__ = (
        "_last_id",
        "_routing",
        "counters",
        "held",
        "on_no_worker",
        "parked",
        "paused",
        "unacked",
        "workers",
    )

    def __init__(self, routing: Routing) -> None:
        """Start without workers.

        Args:
            routing: How a worker is chosen for a client.
        """
        self.counters = EventCounters()
        self.unacked = 0
        self.held = 0
        self.paused = 0
        self.workers: dict[Hashable, Worker] = {}
        self.parked: dict[Lane, float] = {}
        self.on_no_worker: Callable[[Connection], None] = _ignore
        self._routing = routing
        # The id of the event that was sent last, to whichever worker.
        self._last_id = 0

    def __repr__(self) -> str:
        return f"<Dispatch {len(self.workers)} workers, {self.unacked} unacked, {self.held} held>"

    # An event comes.

    def enter(self, connection: Connection, event: Event, now: float) -> None:
        """Take an event of a client: it is sent, or waits, or is lost."""
        self.counters.entered += 1
        lane, worker = connection.lane, connection.worker
        if lane is None:
            lane = connection.lane = Lane(connection)
        elif lane.held or not lane.has_credit:
            self._wait(lane, event, now)
            return
        if worker is None or not worker.takes or worker.unacked_bytes >= EVENT_CREDIT_BYTES:
            self._wait(lane, event, now)
        elif not self._send(worker, lane, event, now):
            self.evict(worker, now)
            self._wait(lane, event, now)

    def _send(self, worker: Worker, lane: Lane, event: Event, since: float) -> bool:
        """Send an event that happened at a time; False if the link turns out to be closed."""
        event.event_id = event_id = self._last_id + 1
        try:
            size = worker.sink.send(lane.connection, event) + EVENT_OVERHEAD
        except LocalProtocolError:
            return False
        self._last_id = event_id
        worker.unacked[event_id] = (lane, size, since)
        worker.unacked_bytes += size
        lane.unacked += 1
        lane.unacked_bytes += size
        self.unacked += 1
        self.counters.dispatched += 1
        return True

    def _wait(self, lane: Lane, event: Event, now: float) -> None:
        """Keep an event that cannot be sent at once, or not where its client was."""
        worker = lane.connection.worker
        if not lane.unacked and not lane.held and (worker is None or not worker.takes):
            worker = self._bind(lane.connection, now)
        size = size_of(event)
        # The end of a client is always kept: there is but one, and it is what tidies up after it.
        is_end = type(event) is ClientClosed
        if worker is None and lane.held_bytes + size > HOLD_BYTES and not is_end:
            self._refuse(lane)
            return
        lane.hold(HeldEvent(event, size, now))
        self.held += 1
        if worker is None:
            self.parked.setdefault(lane, now)
            return
        self._catch_up(lane, now)
        self._serve(worker, now)
        if lane.held and not lane.paused and _is_much(lane, worker):
            lane.paused = True
            self.paused += 1
            lane.connection.edge.pause_reading()

    # Events are finished, and what waits goes on.

    def finish(self, worker: Worker, event_ids: Iterable[int], now: float) -> None:
        """Take events from a worker that it has finished, and send what waited for that."""
        unacked = worker.unacked
        finished = size = 0
        for event_id in event_ids:
            entry = unacked.pop(event_id, None)
            if entry is None:
                self.counters.unknown += 1
                continue
            lane = entry[0]
            finished += 1
            size += entry[1]
            lane.unacked -= 1
            lane.unacked_bytes -= entry[1]
            self._catch_up(lane, now)
        self.unacked -= finished
        self.counters.acknowledged += finished
        worker.unacked_bytes -= size
        self._serve(worker, now)

    def _catch_up(self, lane: Lane, now: float) -> None:
        """Let a lane stand in line, move, or be read again, as it is due after a change."""
        worker = lane.connection.worker
        if not lane.held:
            self._settle(lane)
        elif worker is not None and worker.takes:
            if lane.has_credit and not lane.in_line:
                lane.in_line = True
                worker.line.append(lane)
        elif not lane.unacked and lane not in self.parked:
            self.move(lane, now)

    def _serve(self, worker: Worker, now: float) -> None:
        """Send what waits, an event of each lane in turn, as far as there is room."""
        line = worker.line
        while line and worker.unacked_bytes < EVENT_CREDIT_BYTES:
            lane = line[0]
            first = lane.first()
            if not self._send(worker, lane, first.event, first.since):
                self.evict(worker, now)  # which dissolves the line
                return
            lane.drop_first()
            self.held -= 1
            line.popleft()
            if lane.held and lane.has_credit:
                line.append(lane)
            else:
                lane.in_line = False
                self._settle(lane)

    def _settle(self, lane: Lane) -> None:
        """Read from a client again that has caught up, and forget a lane that is empty."""
        if lane.held:
            return
        if lane.paused and lane.unacked <= RESUME_AT and lane.has_credit:
            lane.paused = False
            self.paused -= 1
            lane.connection.edge.resume_reading()
        if not lane.unacked:
            lane.connection.lane = None
            if lane.ended:
                _unbind(lane.connection)

    # Clients come to workers and go.

    def _bind(self, connection: Connection, now: float) -> Worker | None:
        """Choose the worker of a client that has nothing unfinished at another."""
        _unbind(connection)
        connection.worker = worker = choose(self.workers.values(), self._routing, now)
        if worker is not None:
            worker.clients += 1
            connection.untold = ClientAssigned
        return worker

    def move(self, lane: Lane, now: float) -> None:
        """Give what waits in a lane to another worker, or park it if there is none."""
        worker = self._bind(lane.connection, now)
        if worker is None:
            self.parked[lane] = now
        else:
            self._catch_up(lane, now)
            self._serve(worker, now)

    def evict(self, worker: Worker, now: float) -> None:
        """Give nothing more to a worker; lanes that have nothing unfinished there move at once."""
        worker.takes = False
        line, worker.line = worker.line, deque()
        for lane in line:
            lane.in_line = False
            self._catch_up(lane, now)

    # What is lost.

    def lose_worker(self, worker: Worker, now: float) -> int:
        """Lose what a worker has not finished, let the rest move on; return how much is lost."""
        worker.takes = False
        lanes = dict.fromkeys(lane for lane, _, _ in worker.unacked.values())
        lanes.update(dict.fromkeys(worker.line))
        unfinished = len(worker.unacked)
        self.unacked -= unfinished
        self.counters.lost[Loss.WORKER_LOST] += unfinished
        worker.unacked.clear()
        worker.line.clear()
        for lane in lanes:
            lane.unacked = lane.unacked_bytes = 0
            lane.in_line = False
            self._catch_up(lane, now)
        return unfinished

    def expire(self, lane: Lane, before: float) -> None:
        """Lose what has waited in a parked lane since before a time."""
        while lane.held and lane.first().since <= before:
            lane.drop_first()
            self.held -= 1
            self.counters.lost[Loss.NO_WORKER] += 1
            self.on_no_worker(lane.connection)
        if not lane.held:
            del self.parked[lane]
            self._settle(lane)

    def _refuse(self, lane: Lane) -> None:
        """Lose an event that just came and for which there is no room."""
        self.counters.lost[Loss.HOLD_FULL] += 1
        self._settle(lane)
        self.on_no_worker(lane.connection)


def _is_much(lane: Lane, worker: Worker) -> bool:
    """Whether so much waits in a lane that its client should not send more."""
    if worker.takes:
        return True  # it waits for credit
    waiting = lane.unacked + len(lane.held or ())
    return waiting >= EVENT_CREDIT or lane.held_bytes >= HOLD_BYTES


def _unbind(connection: Connection) -> None:
    """End the bond between a client and its worker, if there is one."""
    if connection.worker is not None:
        connection.worker.clients -= 1
        connection.worker = None


def _ignore(_: Connection) -> None:
    pass
