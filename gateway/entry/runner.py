"""Calls the entry module for what clients do: those of one connection in order, connections side by side.

A connection whose handler waits for something has a lane and a task; what comes meanwhile waits in the lane.
All others have nothing. A handler that returns at once, `def` or what an `async def` has
before its first wait, runs under a time limit (:mod:`gateway.entry.limit`), and the `def` ones of all connections
together for at most `SHARE` in a turn of the loop: what comes beyond that waits in a lane for the next.

Everything happens on the loop's thread. Whatever application code does comes out of a call
(:mod:`gateway.entry.call`) as a verdict; nothing that it raises goes further.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextvars import copy_context
from enum import Enum
from time import monotonic
from typing import TYPE_CHECKING, Final

from gateway.edge.interface import ConnectRequest
from gateway.entry import module
from gateway.entry.call import Call, handler_for
from gateway.entry.failures import EntryCounters, Failure, report, report_blocked
from gateway.entry.lane import Lane
from gateway.entry.limit import limit_tasks, time_limit
from gateway.entry.names import current
from gateway.entry.waiting import wake

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.connection import Connection
    from gateway.entry.call import Item
    from gateway.entry.module import Handlers
    from gateway.entry.ports import Ports
    from gateway_wire.close_codes import CloseReason

__all__ = ["SHARE", "EntryModule"]

logger = logging.getLogger("gateway")

SHARE: Final = 0.005
"""Seconds of a turn of the loop after which no further `def` handler begins in it; a 60 Hz page has 16 ms
a frame. One read of one client can bring thousands of messages."""


class _Verdict(Enum):
    """What became of a call."""

    OVER = "over"
    REFUSED = "refused"
    WAITS = "waits"


class EntryModule:
    """The application's module in this gateway process (a `gateway.destination.Destination`).

    Attributes:
        counters: What was done so far.
        timeout: Seconds that a handler may take in all, for those that begin from now on.
    """

    def __init__(self, handlers: Handlers, ports: Ports, timeout: float) -> None:
        """Take the module's functions; on the thread of the running loop.

        Args:
            handlers: The functions.
            ports: What they act upon.
            timeout: See the attribute.
        """
        self.counters = EntryCounters()
        self.timeout = timeout
        self._handlers = handlers
        self._ports = ports
        self._lanes = ports.lanes
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._limit = time_limit(self._held_up)
        # Tasks that handlers start are theirs too.
        self._unlimit_tasks = limit_tasks(
            self._loop, self._limit, lambda: current.get(None) is not None
        )
        # Lanes that have something for a handler, and none that runs.
        self._ready: deque[Lane] = deque()
        self._is_turn_due = False
        self._turn_ends = 0.0
        self._when_idle: Callable[[], None] | None = None
        self._is_over = False

    def __repr__(self) -> str:
        return f"<EntryModule {self._handlers.module}: {len(self._lanes)} connections busy>"

    # What others read.

    @property
    def busy(self) -> int:
        """Connections whose handler runs, or waits for its turn."""
        return len(self._lanes)

    @property
    def paused(self) -> int:
        """Those of them that are not read from."""
        return sum(lane.is_paused for lane in self._lanes.values())

    # What clients do (gateway.destination.Destination).

    def opened(self, connection: Connection, request: ConnectRequest, _now: float) -> bool:
        """Ask `on_handshake` about a client; return whether it is let in at once."""
        connection.headers = request.headers  # consumers see them with what is pushed
        if self._handlers.on_handshake is None:
            return True
        if self._has_time():
            return self._call(None, connection, request) is _Verdict.OVER
        self._line_up(connection, request)
        return False

    def received(self, connection: Connection, message: str | bytes, _now: float) -> bool:
        """Give a message to `on_message`; return whether there is one."""
        if self._handlers.on_message is None or self._is_over:
            return False
        lane = self._lanes.get(connection)
        if lane is not None:
            lane.put(message)
        elif self._has_time():
            self._call(None, connection, message)
        else:
            self._line_up(connection, message)
        return True

    def closed(self, connection: Connection, reason: CloseReason, _now: float) -> None:
        """Tell `on_close`, after everything else that the client did, unless it was never let in."""
        wake(connection, self._ports)
        lane = self._lanes.get(connection)
        if lane is not None:
            if lane.is_admitted:
                lane.put(reason)
        elif self._handlers.on_close is not None and not self._is_over:
            if self._has_time():
                self._call(None, connection, reason)
            else:
                self._line_up(connection, reason)

    def is_paused(self, connection: Connection) -> bool:
        """Return whether a client is not read from until what waits is done."""
        lane = self._lanes.get(connection)
        return lane is not None and lane.is_paused

    # What the process does.

    def reload(self, app_dir: Path) -> None:
        """Import the module anew, for what clients do from now on.

        Raises:
            StartupError: That failed, and says why; the old functions stay.
        """
        self._handlers = module.reload(self._handlers.module, app_dir)
        logger.info("the entry module %s was imported", self._handlers.module)

    def call_when_idle(self, callback: Callable[[], None]) -> None:
        """Call back once when every handler has ended and nothing waits; at once if that is so."""
        self._when_idle = callback
        self._tell_if_idle()

    def give_up(self) -> int:
        """Begin nothing more, cancel what has not ended because the process stops, and return how much."""
        self._is_over = True
        self._unlimit_tasks()
        self._limit.stop()
        self._ready.clear()
        lanes = tuple(self._lanes.values())
        left = sum(map(len, lanes)) + sum(lane.task is not None for lane in lanes)
        if left:
            self.counters.failures[Failure.STOPPING] += left
        for lane in lanes:
            if lane.task is not None:
                self._loop.call_soon(lane.task.cancel)  # one of this turn has begun by then
            else:
                self._forget(lane)
        return left

    # From call to call.

    def _has_time(self) -> bool:
        """Return whether another handler may begin in this turn of the loop."""
        if self._is_turn_due:
            return monotonic() < self._turn_ends
        self._begin_turn()
        return True

    def _begin_turn(self) -> None:
        self._is_turn_due = True
        self._turn_ends = monotonic() + SHARE
        self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Call handlers for what waits, as long as the share of a turn lasts; at least one."""
        self._is_turn_due = False
        if not self._ready or self._is_over:
            return
        self._begin_turn()
        while self._ready:
            lane = self._ready.popleft()
            verdict = self._call(lane, lane.connection, lane.take())
            if verdict is not _Verdict.WAITS:
                self._go_on(lane, verdict)
            if monotonic() >= self._turn_ends:
                break

    def _line_up(self, connection: Connection, item: Item) -> None:
        """Let a connection that is idle wait for its turn."""
        lane = self._new_lane(connection, item)
        lane.put(item)
        self._get_ready(lane)

    def _new_lane(self, connection: Connection, item: Item) -> Lane:
        lane = Lane(connection, is_admitted=not isinstance(item, ConnectRequest))
        self._lanes[connection] = lane
        return lane

    def _get_ready(self, lane: Lane) -> None:
        self._ready.append(lane)
        if not self._is_turn_due:
            self._begin_turn()

    def _go_on(self, lane: Lane, verdict: _Verdict) -> None:
        """See to it that a lane whose handler has ended gets its next, or is forgotten."""
        if not lane.is_admitted and not self._let_in(lane, verdict):
            lane.drop_messages()
        if len(lane) and not self._is_over:
            self._get_ready(lane)
        else:
            self._forget(lane)

    def _forget(self, lane: Lane) -> None:
        del self._lanes[lane.connection]
        self._tell_if_idle()

    def _let_in(self, lane: Lane, verdict: _Verdict) -> bool:
        lane.is_admitted = verdict is _Verdict.OVER and self._ports.clients.admit(lane.connection)
        return lane.is_admitted

    def _tell_if_idle(self) -> None:
        if self._when_idle is not None and not self._lanes:
            callback, self._when_idle = self._when_idle, None
            callback()

    # One call.

    def _call(self, lane: Lane | None, connection: Connection, item: Item) -> _Verdict:
        """Call the handler for what a client did; one that waits goes on in a task, in a lane."""
        handler = handler_for(item, self._handlers)
        if handler is None:
            return _Verdict.OVER
        self.counters.calls += 1
        call = Call(handler, connection, item, self._ports, self._context.copy())
        if call.begin(self._limit):
            return self._judge(call)
        lane = lane or self._new_lane(connection, item)
        lane.task = self._loop.create_task(self._drive(lane, call))
        return _Verdict.WAITS

    async def _drive(self, lane: Lane, call: Call) -> None:
        await call.see_through(self._limit, self.timeout)
        lane.task = None
        self._go_on(lane, self._judge(call))

    def _judge(self, call: Call) -> _Verdict:
        """Report a call that failed, and refuse a client that is not let in."""
        if self._is_over:
            return _Verdict.OVER  # it was cancelled, and is counted
        failure = call.failure
        if failure is not None:
            report(self.counters, call, failure)
        refusal = call.refusal
        if refusal is None:
            return _Verdict.OVER
        self._ports.clients.refuse(call.connection, refusal)
        return _Verdict.REFUSED

    def _held_up(self, seconds: float) -> None:
        report_blocked(self.counters, current.get().client_id, seconds)
