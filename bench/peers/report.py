"""What came out of all trials: a table in Markdown, whose values have their ratios beside them, and JSON."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.table import machine, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bench.peers.catalogue import Contestant
    from bench.peers.trial import Figures

__all__ = ["Missing", "Result", "print_results", "write_results"]


@dataclass(frozen=True, slots=True)
class Result:
    """A contestant that was measured.

    Attributes:
        contestant: It.
        version: Of the package.
        connections: Browsers that it had, and the C loop beside it.
        figures: Its.
        floor: Those of the C loop in the same minutes.
    """

    contestant: Contestant
    version: str
    connections: int
    figures: Figures
    floor: Figures


@dataclass(frozen=True, slots=True)
class Missing:
    """A contestant that was not measured, and why."""

    contestant: Contestant
    reason: str


COLUMNS: Final = {
    "spaced_us": "spaced, µs CPU",
    "spaced_p99_ms": "p99, ms",
    "stream_us": "stream, µs CPU",
    "stream_rate": "deliveries/s",
    "handshake_us": "handshake, µs CPU",
}
"""Figures that the C loop has too, each with its ratio."""

HEADINGS: Final = ("server", "browsers", *COLUMNS.values(), "KB/connection")


def print_results(results: Sequence[Result | Missing]) -> None:
    """Print a line each, and what the C loop took in the middle of all trials."""
    measured = [result for result in results if isinstance(result, Result)]
    lines = [HEADINGS, tuple("---" for _ in HEADINGS)]
    if measured:
        lines.append(_line_of_floor(measured))
    lines += [_line(result) for result in results]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print(f"| {' | '.join(cells)} |")


def _line_of_floor(measured: Iterable[Result]) -> tuple[str, ...]:
    values = {
        column: median(getattr(result.floor, column) for result in measured) for column in COLUMNS
    }
    return ("C loop of `send()`", "", *(number(value) for value in values.values()), "")


def _line(result: Result | Missing) -> tuple[str, ...]:
    if isinstance(result, Missing):
        return (f"{result.contestant.title}: {result.reason}", *("" for _ in HEADINGS[1:]))
    cells = []
    for column in COLUMNS:
        value, floor = getattr(result.figures, column), getattr(result.floor, column)
        cells.append(f"{number(value)} ({value / floor:.2f}x)")
    memory = number(result.figures.resident_kb)
    title = f"{result.contestant.title} {result.version}"
    return (title, f"{result.connections:,}", *cells, memory)


def write_results(path: Path, results: Iterable[Result | Missing]) -> None:
    """Write all figures, and on what machine they were measured, for programs to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "peers": [_entry(result) for result in results],
    }
    path.write_text(json.dumps(content, indent=2) + "\n")


def _entry(result: Result | Missing) -> dict[str, object]:
    contestant = result.contestant
    entry: dict[str, object] = {
        "name": contestant.name,
        "package": contestant.package,
        "from": contestant.kind.value,
    }
    if isinstance(result, Missing):
        return {**entry, "missing": result.reason}
    return {
        **entry,
        "version": result.version,
        "connections": result.connections,
        "figures": asdict(result.figures),
        "floor": asdict(result.floor),
    }
