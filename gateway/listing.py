"""The connections of one process in pages, for whoever administers it.

Connections are listed in the order in which they were opened. A page's cursor is the time at which its
last connection was opened, which no two connections share: so a page follows the one before also
when the connection between them is gone.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import dropwhile, islice
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from gateway_process.inspection import ConnectionPage, no_page
from gateway_wire.addresses import Address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.connection import Connection
    from gateway.hub import Hub
    from gateway_process.inspection import ConnectionQuery

__all__ = ["LOOKS", "list_connections"]

LOOKS: Final = 10_000
"""Connections that are looked at for one page: some milliseconds. A page that found less than it may
hold among them says where to go on."""


def list_connections(hub: Hub, query: ConnectionQuery, now: float) -> ConnectionPage:
    """Return one page of the connections that are open.

    Args:
        hub: Who is connected.
        query: Which of them.
        now: The wall clock, in seconds since the epoch.

    Raises:
        ValueError: If `query.after` is no `next` of a page.
    """
    after = _cursor(query.after)
    rows: list[dict[str, Any]] = []
    following = dropwhile(lambda each: each.opened_at <= after, _candidates(hub, query))
    for count, each in enumerate(islice(following, LOOKS + 1)):
        if count == LOOKS or len(rows) == query.limit:
            return ConnectionPage(rows=rows, next=repr(after))
        after = each.opened_at
        if _matches(each, query):
            rows.append(_row(each, now))
    return ConnectionPage(rows=rows)


def _cursor(after: str) -> float:
    with suppress(ValueError):
        if isfinite(cursor := float(after or 0)):
            return cursor
    raise no_page(after, "this process")


def _matches(connection: Connection, query: ConnectionQuery) -> bool:
    return (query.group is None or query.group in connection.groups) and (
        query.address is None or connection.remote_addr.startswith(query.address)
    )


def _candidates(hub: Hub, query: ConnectionQuery) -> Iterable[Connection]:
    """Return the connections to look at, in the order in which they were opened."""
    if query.uid is None:
        return hub.connections.values()
    return sorted(hub.of_uids((query.uid,)), key=_opened_at)


def _opened_at(connection: Connection) -> float:
    return connection.opened_at


def _row(connection: Connection, now: float) -> dict[str, Any]:
    worker = connection.worker
    return {
        "client_id": connection.client_id,
        "address": str(Address(connection.remote_addr, connection.remote_port)),
        "uid": connection.uid,
        "groups": len(connection.groups),
        "listener": connection.listener,
        "connected_for": round(max(0.0, now - connection.opened_at), 3),
        "waiting_bytes": connection.waiting,
        "worker": str(worker) if worker is not None and worker.takes else "",
        "state": "paused" if connection.destination.is_paused(connection) else "open",
    }
