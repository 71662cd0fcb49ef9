"""Taking in browsers, and holding them."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from bench.stage import open_crowd
from bench.table import Bound, Row

if TYPE_CHECKING:
    from bench.programs import Program
    from bench.stage import Opening, Stage

__all__ = ["handshake", "memory"]

MORE_CROWDS: Final = 2
"""Crowds that are taken in besides the first; the median counts."""


def handshake(stage: Stage) -> list[Row]:
    """From accepting to the init message, for a crowd that comes at once."""
    ours = _cpu_of_openings(stage.opening, stage.gateway, stage.port, stage.size)
    floor = _cpu_of_openings(stage.floor_opening, stage.floor, stage.floor_port, stage.size)
    return [Row("handshake", "handshake: CPU", "µs", ours, floor, Bound(120))]


def memory(stage: Stage) -> list[Row]:
    """Resident memory of a fresh gateway before and after its first crowd."""
    kilobytes = stage.opening.resident_bytes / 1024
    return [Row("memory", "resident memory per idle connection", "KB", kilobytes, None, Bound(4))]


def _cpu_of_openings(first: Opening, server: Program, port: int, size: int) -> float:
    costs = [first.cpu_us]
    for _ in range(MORE_CROWDS):
        crowd, opening = open_crowd(server, port, size)
        crowd.close()
        costs.append(opening.cpu_us)
    return median(costs)
