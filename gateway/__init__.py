"""The gateway: holds the clients' connections with their uids, groups and sessions.

Whoever writes a protocol of their own for `--listen module:Class://HOST:PORT` imports two names from here:
`Protocol`, which it derives from, and `ProtocolError`, for clients that break its rules.
"""

from __future__ import annotations

from gateway.edge.protocol import Protocol, ProtocolError

__all__ = ["Protocol", "ProtocolError"]
