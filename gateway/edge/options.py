"""What can be set on the edge of one gateway process, with the reasons for the defaults."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.edge.ticker import TICK

__all__ = ["EdgeOptions"]

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeOptions:
    """Settings of the edge; times in seconds, with a resolution of `tick`."""

    handshake_timeout: float = 10.0
    """From accepting to a complete handshake, once for TLS and once for HTTP. A phone on a bad
    network needs seconds; longer only feeds those that open sockets and say nothing."""

    close_timeout: float = 5.0
    """From our or the browser's Close to the end of the TCP connection; then it is aborted."""

    max_message: int = _MIB
    """Largest message from a browser, in bytes; a larger one closes the connection with 1009."""

    ping_interval: float = 25.0
    """Between two pings of a connection; 0 sends none. Below the 30 to 60 s after which home
    routers and load balancers forget a silent connection."""

    ping_timeout: float = 20.0
    """How long after a ping nothing may be heard before the connection is given up with 3001;
    0 never gives up. At most `ping_interval`."""

    max_connections: int = 0
    """At this many open sockets accepting pauses; 0 takes what RLIMIT_NOFILE allows."""

    compression: bool = False
    """Whether clients that offer permessage-deflate get it."""

    tick: float = TICK
    """Resolution of all times above."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: One of them makes no sense; the message names it and says what to do.
        """
        for name in ("handshake_timeout", "close_timeout", "max_message", "tick"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be above 0")
        for name in ("ping_interval", "ping_timeout", "max_connections"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}: use 0 to turn it off")
        if self.ping_interval and self.ping_timeout > self.ping_interval:
            raise ValueError(
                f"ping_timeout is {self.ping_timeout} s, above ping_interval "
                f"({self.ping_interval} s): make it equal or shorter"
            )
