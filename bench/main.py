"""The command line of the bench."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from bench.arguments import allow_files, browsers, result_file, seconds
from bench.cases import CASES
from bench.plan import CONNECTIONS, Plan
from bench.programs import BUILD, BenchError
from bench.table import Row, Series, print_series, print_table, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from bench.table import Measured

__all__ = ["main"]

DESCRIPTION: Final = "Measure what the gateway costs, beside a C loop of send() in the same run."


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write; the exit code is 1 if something could not be measured.

    A value that is not as expected is no failure of the bench: the table says so. Where nothing could
    be measured, no result is written over an earlier one.
    """
    options = _parser().parse_args(arguments)
    if options.list:
        _list_cases()
        return 0
    allow_files(options.connections)
    measured, errors = _measure(Plan(options.connections, options.seconds), _chosen(options))
    if measured:
        _tell(measured, options.json, options.connections)
    return int(errors > 0)


def _chosen(options: argparse.Namespace) -> list[str]:
    short = [name for name, case in CASES.items() if case.is_short]
    return options.cases or (list(CASES) if options.full else short)


def _measure(plan: Plan, cases: list[str]) -> tuple[Measured, int]:
    """Measure one case after the other; one that cannot be measured does not keep the others."""
    measured: Measured = []
    errors = 0
    with plan:
        for name in cases:
            print(f"measuring {name}...", file=sys.stderr)
            try:
                measured += CASES[name].measure(plan)
            except BenchError as error:
                errors += 1
                print(f"bench: {name}: {error}", file=sys.stderr)
    return measured, errors


def _tell(measured: Measured, path: Path, connections: int | None) -> None:
    rows = [one for one in measured if isinstance(one, Row)]
    series = [one for one in measured if isinstance(one, Series)]
    print_table(rows)
    print_series(series)
    if connections is not None:
        print(f"\n--connections {connections}; what is expected is meant for the default")
    write_json(path, rows, connections, series)
    print(f"\nwritten to {path}")


def _list_cases() -> None:
    width = max(map(len, CASES))
    for name, case in CASES.items():
        print(
            f"{name.ljust(width)}  {case.summary}{'' if case.is_short else ' (only with --full)'}"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=DESCRIPTION)
    help_text = "what to measure, as --list names it; the short set if none is named"
    parser.add_argument("cases", nargs="*", metavar="CASE", type=_case, help=help_text)
    parser.add_argument("--full", action="store_true", help="measure every case")
    parser.add_argument("--list", action="store_true", help="say what can be measured, and end")
    help_text = f"browsers; {CONNECTIONS:,} unless a case is about another number"
    parser.add_argument("--connections", metavar="NUMBER", type=browsers, help=help_text)
    help_text = "how long cases go on that wait for time to pass"
    parser.add_argument("--seconds", metavar="NUMBER", type=seconds, help=help_text)
    help_text = "where the result goes [default: build/bench/result.json]"
    default = BUILD / "result.json"
    parser.add_argument("--json", metavar="FILE", type=result_file, default=default, help=help_text)
    return parser


def _case(name: str) -> str:
    if name not in CASES:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(CASES)}")
    return name
