"""What an administrator may ask of a running process: how it is, and who is connected to it.

Plain values that travel as JSON: from a process to its supervisor over their channel, and from there
to the command line over the instance's control socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["MAX_PAGE", "ConnectionPage", "ConnectionQuery", "ProcessStatus", "Work"]

MAX_PAGE: Final = 100
"""Connections in one answer: what a screen shows, and a message of some ten kilobytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one process holds now, and what it has done since its start.

    Attributes:
        connections: Open connections: browsers of a gateway, links of a register or a worker.
        messages_in: Messages received since the start: from browsers; for a worker, events.
        messages_out: Messages sent since the start: deliveries to browsers; for a worker, commands.
        send_failures: Messages that did not reach their peer: to browsers that were cut, or lost events.
        event_lag: Seconds for which the oldest unfinished event has waited; 0 if there is none.
    """

    connections: int = 0
    messages_in: int = 0
    messages_out: int = 0
    send_failures: int = 0
    event_lag: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStatus:
    """One process of an instance.

    Attributes:
        role: The role's name, such as `gateway`.
        number: Index among the processes of its role.
        pid: Its process id; 0 while there is none (it crashed, and waits to be started again).
        state: `starting`, `ready`, `stopping`, `replacing` or `crashed`.
        uptime: Seconds since it was started.
        restarts: How often this place was filled again after a crash.
        last_failure: Why the process before it ended, empty if none did.
        memory: Resident bytes.
        listening: What it listens on, by kind, as in the `ready` line.
        work: What it holds and has done; None if it does not answer.
    """

    role: str
    number: int
    pid: int
    state: str
    uptime: float
    restarts: int = 0
    last_failure: str = ""
    memory: int = 0
    listening: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    work: Work | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionQuery:
    """Which connections are asked for.

    Attributes:
        limit: The most to answer with, up to `MAX_PAGE`.
        after: The `next` of the page before; empty for the first.
        uid: Only those bound to this uid, if it is not None.
        group: Only members of this group, if it is not None.
        address: Only those whose remote address is this or begins with it, if it is not None.
    """

    limit: int = MAX_PAGE
    after: str = ""
    uid: str | None = None
    group: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPage:
    """One page of connections.

    Attributes:
        rows: One mapping of column to plain value for each connection; all have the same columns.
        next: What `after` must be for the page that follows; empty if this is the last.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    next: str = ""
