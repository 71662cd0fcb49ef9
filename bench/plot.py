"""Draws what was measured: `python -m bench.plot [RESULT.json] [FOLDER]`, after `make bench-full`.

Pictures are SVG with text as text, and the same result gives the same bytes. Needs matplotlib: the
dependency group `plots`, which only the full bench installs.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

try:
    import matplotlib as mpl
    from matplotlib.figure import Figure
except ModuleNotFoundError as error:
    sys.exit(f"bench.plot: {error}; install it: .venv/bin/python -m pip install --group plots")

from bench.programs import BUILD, HERE
from bench.table import Series

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

__all__ = ["main"]

INCHES: Final = (7.0, 3.6)

STYLE: Final = {
    "svg.fonttype": "none",  # text stays text, so a picture is small
    "svg.hashsalt": "gatewayworker",  # ids do not change from run to run
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "legend.edgecolor": "none",
    "legend.framealpha": 1.0,
}


def main(arguments: list[str] | None = None) -> int:
    """Draw what the result has the data for, and say where."""
    parser = argparse.ArgumentParser(prog="python -m bench.plot", description="Draw a result.")
    help_text = "what the bench has written [default: build/bench/full.json]"
    default = BUILD / "full.json"
    parser.add_argument("result", nargs="?", type=Path, default=default, help=help_text)
    help_text = "where the pictures go [default: docs/plots]"
    default = HERE.parent / "docs" / "plots"
    parser.add_argument("folder", nargs="?", type=Path, default=default, help=help_text)
    options = parser.parse_args(arguments)
    try:
        series, rows = _read(options.result)
    except (OSError, ValueError, KeyError, TypeError) as error:
        parser.error(f"{options.result} is no result of the bench: {error}")
    with mpl.rc_context(STYLE):
        _draw(options.folder / "cost.svg", _costs(series, rows))
        _draw(options.folder / "latency.svg", _latencies(series))
    return 0


def _read(path: Path) -> tuple[list[Series], list[dict[str, Any]]]:
    result = json.loads(path.read_text())
    series = [
        Series(**{**one, "points": tuple(map(tuple, one["points"]))}) for one in result["series"]
    ]
    return series, result["rows"]


def _costs(series: Iterable[Series], rows: Iterable[dict[str, Any]]) -> Figure | None:
    """Cost per delivery against connections, with the C loop's beside it."""
    chosen = [
        one
        for one in series
        if one.over.startswith("connections") and one.what.startswith("delivery")
    ]
    if not chosen:
        return None
    figure, axes = _picture("connections", "CPU per delivery, µs")
    for one in chosen:
        _line(axes, one, marker="o")
    floors = [row["floor"] for row in rows if row["what"] == "spaced: CPU per delivery"]
    for floor in floors:
        axes.axhline(floor, color="#777777", linestyle="--", label="C loop, one message")
    axes.set_xscale("log", base=2)
    sizes = [size for size, _ in chosen[0].points]
    axes.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure


def _latencies(series: Iterable[Series]) -> Figure | None:
    """Latency of ten broadcasts a second: what share of the deliveries took less."""
    chosen = [one for one in series if one.case == "latency"]
    if not chosen:
        return None
    figure, axes = _picture("percent of deliveries", "latency below, ms")
    for one in chosen:
        _line(axes, one)
    axes.set_xlim(0, 100)
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure


def _picture(across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=INCHES, layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    return figure, axes


def _line(axes: Axes, series: Series, marker: str = "") -> None:
    sizes, values = zip(*series.points, strict=True)
    axes.plot(sizes, values, marker=marker, label=series.what)


def _draw(path: Path, figure: Figure | None) -> None:
    if figure is None:
        print(f"{path.name}: the result has nothing for it")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    print(f"drawn: {path}")


if __name__ == "__main__":
    main()
