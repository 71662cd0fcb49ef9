"""The command line of the bench."""

from __future__ import annotations

import argparse
import resource
import sys
from pathlib import Path
from typing import Final

from bench.cases import CASES
from bench.programs import BUILD, BenchError
from bench.stage import Stage
from bench.table import Row, print_table, write_json

__all__ = ["main"]

DESCRIPTION: Final = "Measure what the gateway costs, beside a C loop of send() in the same run."

CONNECTIONS: Final = 4_000
"""Browsers of a run, as in the figures of other gateways that ours are held beside."""

FILES: Final = 20_000
"""Open files that a process of a run may need at the most."""


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write; the exit code is 1 if something could not be measured.

    A value that is not as expected is no failure of the bench: the table says so.
    """
    options = _parser().parse_args(arguments)
    _allow_files()
    try:
        rows = _measure(options.connections, options.cases or list(CASES))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print_table(rows)
    write_json(options.json, rows, options.connections)
    print(f"\nwritten to {options.json}")
    return 0


def _measure(connections: int, cases: list[str]) -> list[Row]:
    rows: list[Row] = []
    print(f"connecting {connections:,} browsers...", file=sys.stderr)
    with Stage(connections) as stage:
        for name in cases:
            print(f"measuring {name}...", file=sys.stderr)
            rows += CASES[name](stage)
    return rows


def _allow_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=DESCRIPTION)
    help_text = f"what to measure: {', '.join(CASES)}; all if none is named"
    parser.add_argument("cases", nargs="*", metavar="CASE", type=_case, help=help_text)
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="browsers")
    parser.add_argument("--json", type=Path, default=BUILD / "result.json", help="result file")
    return parser


def _case(name: str) -> str:
    if name not in CASES:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(CASES)}")
    return name
