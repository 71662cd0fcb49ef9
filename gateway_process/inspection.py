"""What an administrator may ask of a running process: how it is, and who is connected to it.

Plain values that travel as JSON: from a process to its supervisor over their channel, and from there
to the command line over the instance's control socket.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nsmallest
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "MAX_PAGE",
    "ConnectionPage",
    "ConnectionQuery",
    "ProcessStatus",
    "State",
    "Work",
    "no_page",
    "page_of",
    "resident_bytes",
]

MAX_PAGE: Final = 100
"""Connections in one answer: what a screen shows, and a message of some ten kilobytes."""

_STATM_LENGTH: Final = 256
"""Bytes that seven numbers of 20 digits fit into."""


class State(StrEnum):
    """How a process is, or its place while there is none."""

    STARTING = "starting"
    """Started, and not yet ready."""
    READY = "ready"
    """It does its work."""
    REPLACING = "replacing"
    """A reload puts a new process in its place: the new one starts, or the old one finishes."""
    STOPPING = "stopping"
    """It was told to stop or to drain."""
    CRASHED = "crashed"
    """It ended by itself; another is started soon."""


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
        pid: Its process id; 0 while there is none: it crashed, and waits to be started again, or it
            has stopped before the others. While it is replaced, that of the one that works.
        state: How it is.
        uptime: Seconds since it was started.
        restarts: How often this place was filled again after a crash.
        last_failure: How the last process of this place failed; empty if none did.
        memory: Resident bytes; 0 where the system does not tell.
        listening: What it listens on, by kind, as in the `ready` line.
        work: What it holds and has done; None if it is not ready, or does not answer.
    """

    role: str
    number: int
    pid: int
    state: State
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

    Raises:
        ValueError: `limit` is out of range.
    """

    limit: int = MAX_PAGE
    after: str = ""
    uid: str | None = None
    group: str | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_PAGE:
            raise ValueError(f"limit: {self.limit} is out of range; give 1 to {MAX_PAGE}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPage:
    """One page of connections.

    Attributes:
        rows: One mapping of column to plain value for each connection, times in ISO 8601. Those of
            one role have the same columns; a role's own page lacks `role` and `number`, which are
            put before them to say whose they are.
        next: What `after` must be for the page that follows; empty if this is the last.
        silent: The processes that did not answer, such as `gateway #1`; their rows are missing.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    next: str = ""
    silent: list[str] = field(default_factory=list)

    def of(self, role: str, number: int) -> ConnectionPage:
        """Give the same page with each row saying which process it is of."""
        rows = [{"role": role, "number": number} | row for row in self.rows]
        return ConnectionPage(rows=rows, next=self.next, silent=self.silent)


def no_page(after: str, of: str) -> ValueError:
    """Give the error about an `after` that no page has said.

    Args:
        after: what was given.
        of: whose pages were meant.
    """
    remedy = "give what the page before said, or nothing for the first"
    return ValueError(f"after: {after!r} is no page of {of}; {remedy}")


def page_of(
    rows: Iterable[tuple[str, Mapping[str, Any]]], query: ConnectionQuery
) -> ConnectionPage:
    """Give one page of a role's rows, for roles whose connections are few.

    Args:
        rows: Each row that the query's filters let through, under a key of its own that stays with
            its connection; a page goes by the keys' order, so that none is doubled or left out when
            others come and go in between.
        query: What is asked for.
    """
    following = (each for each in rows if each[0] > query.after)
    found = nsmallest(query.limit + 1, following, key=itemgetter(0))
    shown = found[: query.limit]
    is_last = len(found) == len(shown)
    return ConnectionPage(
        rows=[dict(row) for _, row in shown], next="" if is_last else shown[-1][0]
    )


def resident_bytes(pid: int) -> int:
    """Give the memory that a process occupies; 0 where the system does not tell, or it has ended.

    The kernel makes the file when it is read, so nothing here waits for a disk.
    """
    try:
        file = os.open(f"/proc/{pid}/statm", os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return 0
    try:
        pages = int(os.read(file, _STATM_LENGTH).split()[1])
    except OSError:  # it has ended in between
        return 0
    finally:
        os.close(file)
    return pages * os.sysconf("SC_PAGE_SIZE")
