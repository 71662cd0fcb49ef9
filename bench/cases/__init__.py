"""What is measured: one function per case, which takes the plan of the run and gives what came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.cases import (
    broadcast,
    churn,
    commands,
    consume,
    deflate,
    growth,
    hundred,
    opening,
    php,
    rounds,
    targets,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan import Plan
    from bench.table import Measured

__all__ = ["CASES", "Case"]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is measured; the first line of its function's docstring says what.

    Attributes:
        measure: Measures it.
        is_short: Whether it belongs to the short set, of about two and a half minutes.
    """

    measure: Callable[[Plan], Measured]
    is_short: bool = True

    @property
    def summary(self) -> str:
        """What is measured."""
        return (self.measure.__doc__ or "").partition("\n")[0]


CASES: Final[dict[str, Case]] = {
    "spaced": Case(broadcast.spaced),
    "latency": Case(broadcast.latency),
    "stream": Case(broadcast.stream),
    "groups": Case(targets.groups),
    "mixed": Case(targets.mixed),
    "uids": Case(targets.uids),
    "deflate": Case(deflate.deflate, is_short=False),
    "handshake": Case(opening.handshake),
    "storm": Case(opening.storm, is_short=False),
    "memory": Case(opening.memory, is_short=False),
    "calls": Case(commands.calls),
    "pipelined": Case(commands.pipelined),
    "rounds": Case(rounds.rounds),
    "consume": Case(consume.consume),
    "php": Case(php.php, is_short=False),
    "growth": Case(growth.growth, is_short=False),
    "hundred": Case(hundred.hundred, is_short=False),
    "churn": Case(churn.churn, is_short=False),
}
"""Every case by its name on the command line, in the order of the table."""
