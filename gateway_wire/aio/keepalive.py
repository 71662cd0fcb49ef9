"""How the kernel finds a dead peer, for links of any shell; imports no asyncio."""

from __future__ import annotations

import socket
from typing import Final

__all__ = ["set_keepalive"]

KEEPALIVE_IDLE: Final = 20
"""Seconds of silence after which the kernel probes a link's peer."""
KEEPALIVE_INTERVAL: Final = 5
"""Seconds between two probes; three unanswered ones end the link."""
KEEPALIVE_PROBES: Final = 3
USER_TIMEOUT: Final = 20.0
"""Seconds that written bytes may wait for a peer, dead or alive, before the kernel ends the link."""


def set_keepalive(sock: socket.socket | None, user_timeout: float = USER_TIMEOUT) -> None:
    """Let the kernel find a dead peer: keepalive probes, and a bound on bytes that wait for it.

    Args:
        sock: The connection's socket; what the platform does not know is left out.
        user_timeout: Seconds that written bytes may wait.
    """
    if sock is None or sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {
        "TCP_NODELAY": 1,
        "TCP_KEEPIDLE": KEEPALIVE_IDLE,
        "TCP_KEEPINTVL": KEEPALIVE_INTERVAL,
        "TCP_KEEPCNT": KEEPALIVE_PROBES,
        "TCP_USER_TIMEOUT": round(user_timeout * 1000),
    }
    for name, value in options.items():
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
