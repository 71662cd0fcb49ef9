"""What goes wrong in the entry module: the closed catalogue, the counters, and what the log says of it.

Each failure costs its own message and nothing else, and is told with the client's id and the line of the
module; never with the message.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from gateway.entry.limit import LIMIT, REMEDY, TookTooLong
from gateway.entry.waiting import ClientGone, ValueMissing
from gateway_process.importing import told

if TYPE_CHECKING:
    from gateway.entry.call import Call

__all__ = ["EntryCounters", "Failure", "report", "report_blocked"]

logger = logging.getLogger("gateway")


class Failure(Enum):
    """Why a handler of the entry module did not end well; the value is the label in the metrics."""

    ERROR = "error"
    """It raised."""
    BLOCKED = "blocked"
    """It did not give up the loop in time, which holds up every connection."""
    TIMEOUT = "timeout"
    """It took longer than `entry_timeout` in all."""
    STOPPING = "stopping"
    """The gateway stopped before it had ended, or begun."""


@dataclass(slots=True)
class EntryCounters:
    """What the entry module did, as plain numbers that a collector reads.

    Attributes:
        calls: Calls of its handlers that have begun.
        failures: Those that did not end well, by reason.
    """

    calls: int = 0
    failures: Counter[Failure] = field(default_factory=Counter)


def report(counters: EntryCounters, call: Call, error: BaseException) -> None:
    """Count and log that a call failed.

    Args:
        counters: Where it is counted.
        call: The call.
        error: What went wrong.
    """
    place, client_id, used_up = call.handler.place, call.connection.client_id, call.used_up
    if isinstance(error, ValueMissing | ClientGone):
        logger.debug("%s ended for client %s: %s", place, client_id, error)
        return
    if isinstance(error, TookTooLong):
        failure, what = Failure.BLOCKED, "was ended since it held up every client"
    elif used_up is not None:
        failure, what = Failure.TIMEOUT, f"took longer than entry_timeout ({used_up:g} s)"
    else:
        failure, what = Failure.ERROR, "failed"
    counters.failures[failure] += 1
    logger.error(
        "%s %s: %s",
        *(place, what, told(error)),
        exc_info=error if logger.isEnabledFor(logging.DEBUG) else None,
        extra={"client_id": client_id},
    )


def report_blocked(counters: EntryCounters, client_id: str, seconds: float) -> None:
    """Count and log that a handler held up every client, where that could not be ended."""
    counters.failures[Failure.BLOCKED] += 1
    logger.error(
        "the entry module kept the loop, and with it every client, for %.1f s (at most %g s are good): %s",
        *(seconds, LIMIT, REMEDY),
        extra={"client_id": client_id},
    )
