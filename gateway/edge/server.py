"""The edge of one gateway process: its listeners, its timer, and how many may come in.

Accepting goes on as long as nothing stands against it: each `Obstacle` is put
up and taken away on its own, and listeners accept when none is left. So a
pause by the core and a full house do not undo each other.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Sequence
from enum import Flag, auto
from typing import Final

from gateway.edge.context import EdgeContext, EdgeCounters, KeptEdge, Origin
from gateway.edge.deflate import DeflateCounters
from gateway.edge.handshake import Handshake
from gateway.edge.interface import EdgeEvents
from gateway.edge.keepalive import KeepAlive
from gateway.edge.listener import Listener, Speaks
from gateway.edge.options import EdgeOptions
from gateway.edge.proxies import TrustedProxies
from gateway.edge.ticker import Ticker

__all__ = ["FD_RESERVE", "EdgeServer", "Obstacle", "connection_limit"]

FD_RESERVE: Final = 128
"""Descriptors kept for everything but browsers: listeners, links to workers, clients and
registers, HTTP, the log, and files that a library opens in passing."""

_QUIET_TICKS: Final = 60
"""A full gateway fills up again with each browser that leaves; once a minute is told enough."""

_logger = logging.getLogger("gateway.edge")


class Obstacle(Flag):
    """Why nothing is accepted."""

    NONE = 0
    NOT_STARTED = auto()
    """`start` was not called yet."""
    PAUSED = auto()
    """The core asked for a pause."""
    FULL = auto()
    """`max_connections` sockets are open."""
    EXHAUSTED = auto()
    """Descriptors or kernel memory ran out; tried again at the next tick."""
    STOPPED = auto()
    """`stop_accepting` was called; never goes away."""


def connection_limit(max_connections: int) -> int:
    """Return at how many open sockets accepting pauses.

    Args:
        max_connections: The setting; 0 for what the descriptors allow.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return max_connections or 2**31
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    possible = 2**31 if soft == resource.RLIM_INFINITY else max(1, soft - FD_RESERVE)
    return min(max_connections or possible, possible)


class EdgeServer:
    """All public listeners of one process and the connections that came through them.

    Needs a running loop. `add_listener` as often as there are addresses, then `start`; at the
    end `stop_accepting`, let the connections finish, `close`.

    Args:
        events: The core.
        options: Settings.
    """

    def __init__(self, events: EdgeEvents, options: EdgeOptions) -> None:
        self.ticker = Ticker(options.tick)
        """The process's timer; the core may add its own deadlines to it."""
        self.max_connections = connection_limit(options.max_connections)
        """At this many open sockets accepting pauses."""
        self._options = options
        self._context = EdgeContext(events, options, self.ticker, self._released)
        self._listeners: list[Listener] = []
        self._obstacles = Obstacle.NOT_STARTED
        # Ticks until a reached limit is told again.
        self._quiet_ticks = 0
        self.ticker.add(self)

    def __repr__(self) -> str:
        obstacles = self._obstacles or "none"
        counters = self.counters
        return (
            f"<EdgeServer connections={counters.connections} sockets={counters.sockets}"
            f"/{self.max_connections} obstacles={obstacles}>"
        )

    @property
    def counters(self) -> EdgeCounters:
        """What was counted since the start."""
        return self._context.counters

    @property
    def deflate_counters(self) -> DeflateCounters:
        """What was compressed since the start."""
        return self._context.deflate.counters

    @property
    def compression(self) -> bool:
        """Whether handshakes agree to compression; may be set at any time, and counts from then on."""
        return self._context.compression

    @compression.setter
    def compression(self, agree: bool) -> None:
        self._context.compression = agree

    @property
    def keepalive(self) -> KeepAlive[KeptEdge]:
        """The ping wheel; set its `on_interval` to send a message with each ping."""
        return self._context.keepalive

    @property
    def obstacles(self) -> Obstacle:
        """Why nothing is accepted; `Obstacle.NONE` if connections are."""
        return self._obstacles

    def add_listener(
        self,
        name: str,
        sockets: Sequence[socket.socket],
        *,
        tls: ssl.SSLContext | None = None,
        proxies: TrustedProxies | None = None,
        speaks: Speaks = Handshake,
    ) -> Listener:
        """Listen on bound sockets, and accept on them once `start` was called.

        Args:
            name: Told in `ConnectRequest.listener`.
            sockets: Bound stream sockets; owned by the listener from now on.
            tls: Context for `wss`; None for `ws`.
            proxies: Whose word about a client's address is taken; None for nobody's.
            speaks: Makes the protocol of each accepted socket; websocket unless told.
        """
        listener = Listener(
            self._context,
            Origin(name, proxies or TrustedProxies()),
            self,
            speaks=speaks,
            sockets=sockets,
            tls=tls,
            handshake_timeout=self._options.handshake_timeout,
        )
        self._listeners.append(listener)
        self._apply()
        return listener

    def start(self) -> None:
        """Start the timer and accept."""
        self.ticker.start()
        self._remove(Obstacle.NOT_STARTED)

    def pause_accepting(self) -> None:
        """Leave new connections in the kernel's backlog until `resume_accepting`."""
        self._put(Obstacle.PAUSED)

    def resume_accepting(self) -> None:
        """Accept again, unless something else stands against it."""
        self._remove(Obstacle.PAUSED)

    def stop_accepting(self) -> None:
        """Close the listening sockets for good; open connections stay."""
        self._put(Obstacle.STOPPED)
        for listener in self._listeners:
            listener.close()

    def close(self) -> None:
        """Stop accepting and the timer. What still is connected must be ended before."""
        self.stop_accepting()
        self.ticker.stop()

    # The listeners' and the timer's side.

    def admit(self) -> bool:
        """Tell whether one more connection may be accepted now; pause if not."""
        if self.counters.sockets >= self.max_connections and Obstacle.FULL not in self._obstacles:
            self._pause_for(Obstacle.FULL, f"{self.max_connections} sockets are open")
        return not self._obstacles

    def exhausted(self, error: OSError) -> None:
        """Pause until the next tick: descriptors or kernel memory ran out."""
        self._pause_for(Obstacle.EXHAUSTED, str(error))

    def turn(self) -> None:
        """Try again what failed for want of descriptors."""
        self._quiet_ticks = max(0, self._quiet_ticks - 1)
        self._remove(Obstacle.EXHAUSTED)

    def _released(self) -> None:
        self.counters.released += 1
        if self._obstacles and self.counters.sockets < self.max_connections:
            self._remove(Obstacle.FULL)

    def _pause_for(self, obstacle: Obstacle, cause: str) -> None:
        """Count and tell a limit that was reached, but not each time while places come and go."""
        self.counters.accept_pauses += 1
        if not self._quiet_ticks:
            self._quiet_ticks = _QUIET_TICKS
            _logger.warning(
                "accepting pauses: %s; raise max_connections or the limit of open files (ulimit -n)",
                cause,
            )
        self._put(obstacle)

    def _put(self, obstacle: Obstacle) -> None:
        self._obstacles |= obstacle
        self._apply()

    def _remove(self, obstacle: Obstacle) -> None:
        if obstacle in self._obstacles:
            self._obstacles &= ~obstacle
            self._apply()

    def _apply(self) -> None:
        for listener in self._listeners:
            if self._obstacles:
                listener.pause()
            else:
                listener.resume()
