"""What came out: rows, printed as a table and written as JSON."""

from __future__ import annotations

import json
import os
import platform
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from pathlib import Path

__all__ = [
    "Bound",
    "Measured",
    "Row",
    "Series",
    "machine",
    "number",
    "print_series",
    "print_table",
    "write_json",
]


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
        return f"{sign} {number(self.limit)}{unit}"


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


@dataclass(frozen=True, slots=True)
class Series:
    """One value measured at several sizes of something else.

    Attributes:
        case: The case that measured it.
        what: What it is.
        unit: Its unit.
        over: What is varied.
        points: How much of that, and the value.
    """

    case: str
    what: str
    unit: str
    over: str
    points: tuple[tuple[float, float], ...]


Measured = list[Row | Series]
"""What a case gives."""

_HEADINGS = ("what", "measured", "", "floor", "ratio", "expected", "", "command")
_LEFT = {0, 2, 7}
_MOST_COLUMNS = 10


def print_table(rows: Iterable[Row]) -> None:
    """Print the rows, aligned."""
    _print_aligned([_HEADINGS, *(_cells(row) for row in rows)], _LEFT)


def print_series(series: Iterable[Series]) -> None:
    """Print what was measured over the same sizes in one table, the sizes in its head.

    Series that are too long for a terminal are left to plots.
    """
    tables: dict[tuple[str, str, tuple[float, ...]], list[tuple[str, ...]]] = {}
    for one in series:
        sizes = tuple(size for size, _ in one.points)
        if len(sizes) > _MOST_COLUMNS:
            continue
        lines = tables.setdefault((one.case, one.over, sizes), [])
        lines.append((one.what, *(number(value) for _, value in one.points), one.unit))
    for (case, over, sizes), lines in tables.items():
        print(f"\npython -m bench {case}, over {over}")
        _print_aligned([("", *(f"{size:,.0f}" for size in sizes), ""), *lines], {0, len(sizes) + 1})


def _print_aligned(cells: Sequence[tuple[str, ...]], left: Container[int]) -> None:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        aligned = (
            cell.ljust(width) if index in left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join(aligned).rstrip())


def _cells(row: Row) -> tuple[str, ...]:
    verdict = {None: "", True: "yes", False: "NO"}[row.is_as_expected]
    return (
        row.what,
        number(row.value),
        row.unit,
        "" if row.floor is None else number(row.floor),
        "" if row.ratio is None else f"{row.ratio:.2f}x",
        "" if row.bound is None else str(row.bound),
        verdict,
        f"python -m bench {row.case}",
    )


def number(value: float) -> str:
    """Give a value with the digits that matter."""
    size = abs(value)
    if size >= 99.95:  # what would be rounded to 100.0
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"


def write_json(
    path: Path, rows: Iterable[Row], connections: int | None, series: Iterable[Series] = ()
) -> None:
    """Write what was measured, and on what machine, for programs to read.

    Args:
        path: The file.
        rows: The values.
        connections: Browsers that were asked for; None if each case had its own number of them.
        series: What was measured at several sizes.
    """
    result = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "connections": connections,
        "rows": [
            {**asdict(row), "ratio": row.ratio, "as_expected": row.is_as_expected} for row in rows
        ],
        "series": [asdict(one) for one in series],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


def machine() -> dict[str, object]:
    """Say where a run was measured, and what else ran there."""
    return {
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load_average": os.getloadavg(),
    }
