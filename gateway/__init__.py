"""The gateway: holds the clients' connections with their uids, groups and sessions.

Whoever writes a protocol of their own for `--listen module:Class://HOST:PORT` imports two names from here:
`Protocol`, which it derives from, and `ProtocolError`, for clients that break its rules.

An entry module (`--entry`) imports `queue` and `mesh`, and `Refused` for clients that it does not want; `Conn`
and `Request` are the types of what its handlers are given.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from gateway.edge.protocol import Protocol, ProtocolError
from gateway.entry.names import Refused, mesh, queue

if TYPE_CHECKING:
    from gateway.entry.conn import Conn
    from gateway_wire.request import Request

__all__ = ["Conn", "Protocol", "ProtocolError", "Refused", "Request", "mesh", "queue"]

# Imported when first asked for: every command of ours imports this package, and few need these.
_LAZY: Final = {"Conn": "gateway.entry.conn", "Request": "gateway_wire.request"}


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value
