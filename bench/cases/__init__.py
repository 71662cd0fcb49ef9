"""What is measured: one function per case, which takes the stage and gives rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.cases import broadcast, commands, opening, rounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.stage import Stage
    from bench.table import Row

__all__ = ["CASES"]

CASES: Final[dict[str, Callable[[Stage], list[Row]]]] = {
    "spaced": broadcast.spaced,
    "stream": broadcast.stream,
    "handshake": opening.handshake,
    "memory": opening.memory,
    "calls": commands.calls,
    "pipelined": commands.pipelined,
    "uids": commands.uids,
    "rounds": rounds.rounds,
}
"""Every case by its name on the command line, in the order of the table."""
