"""What came out: rows, printed as a table and written as JSON."""

from __future__ import annotations

import json
import os
import platform
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Bound", "Row", "print_table", "write_json"]


@dataclass(frozen=True, slots=True)
class Bound:
    """What a value is expected to be.

    Attributes:
        limit: The worst value that is as expected.
        at_least: Whether larger is better.
        of_ratio: Whether the ratio to the floor is meant instead of the value.
    """

    limit: float
    at_least: bool = False
    of_ratio: bool = False

    def __str__(self) -> str:
        sign, unit = "≥" if self.at_least else "≤", "x" if self.of_ratio else ""
        return f"{sign} {_number(self.limit)}{unit}"


@dataclass(frozen=True, slots=True)
class Row:
    """One measured value.

    Attributes:
        case: The case that measured it; `python -m bench CASE` measures it again.
        what: What it is.
        unit: Its unit.
        value: It.
        floor: The same of what does nothing else, where there is such a thing: a C loop of `send()`,
            or a bare msgpack link for calls.
        bound: What is expected at this stage.
    """

    case: str
    what: str
    unit: str
    value: float
    floor: float | None = None
    bound: Bound | None = None

    @property
    def ratio(self) -> float | None:
        """The value in units of the floor's."""
        return self.value / self.floor if self.floor else None

    @property
    def is_as_expected(self) -> bool | None:
        """Whether the bound holds; None without one."""
        if self.bound is None:
            return None
        value = self.ratio if self.bound.of_ratio else self.value
        if value is None:
            raise AssertionError("a bound on a ratio needs a floor")
        return value >= self.bound.limit if self.bound.at_least else value <= self.bound.limit


_HEADINGS = ("what", "measured", "", "floor", "ratio", "expected", "", "command")
_LEFT = {0, 2, 7}


def print_table(rows: Iterable[Row]) -> None:
    """Print the rows, aligned."""
    cells = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        aligned = (
            cell.ljust(width) if index in _LEFT else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join(aligned).rstrip())


def _cells(row: Row) -> tuple[str, ...]:
    verdict = {None: "", True: "yes", False: "NO"}[row.is_as_expected]
    return (
        row.what,
        _number(row.value),
        row.unit,
        "" if row.floor is None else _number(row.floor),
        "" if row.ratio is None else f"{row.ratio:.2f}x",
        "" if row.bound is None else str(row.bound),
        verdict,
        f"python -m bench {row.case}",
    )


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def write_json(path: Path, rows: Iterable[Row], connections: int) -> None:
    """Write the rows, and on what machine they were measured, for programs to read."""
    result = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {
            "cpus": os.cpu_count(),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "python": platform.python_version(),
            "load_average": os.getloadavg(),
        },
        "connections": connections,
        "rows": [
            {**asdict(row), "ratio": row.ratio, "as_expected": row.is_as_expected} for row in rows
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")
