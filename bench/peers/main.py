"""The command line: `python -m bench.peers`."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from bench.arguments import allow_files, browsers, result_file
from bench.peers.catalogue import CONTESTANTS, Contestant
from bench.peers.contestants import start
from bench.peers.installing import install
from bench.peers.report import Missing, Result, print_results, write_results
from bench.peers.trial import Pace, measure
from bench.plan import CONNECTIONS
from bench.programs import BUILD, BenchError

__all__ = ["main"]

DESCRIPTION: Final = "Measure other gateways and ours, each beside a C loop of send()."


def main(arguments: list[str] | None = None, pace: Pace | None = None) -> int:
    """Measure, print, write; the exit code is 1 if there is nobody who could be measured.

    Args:
        arguments: The command line.
        pace: How much is sent.
    """
    options = _parser().parse_args(arguments)
    allow_files(options.connections)
    chosen = [each for each in CONTESTANTS if each.name in (options.names or [each.name])]
    results = [_try(contestant, options.connections, pace) for contestant in chosen]
    print_results(results)
    write_results(options.json, results)
    print(f"\nwritten to {options.json}")
    return int(all(isinstance(result, Missing) for result in results))


def _try(contestant: Contestant, connections: int, pace: Pace | None) -> Result | Missing:
    size = min(connections, contestant.most)
    try:
        version = install(contestant)
        print(f"measuring {contestant.title} {version}...", file=sys.stderr)
        with start(contestant) as running:
            figures, floor = measure(running, size, contestant.options, pace)
    except BenchError as error:
        print(f"bench: {contestant.name}: {error}", file=sys.stderr)
        return Missing(contestant, str(error))
    return Result(contestant, version, size, figures, floor)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=DESCRIPTION)
    names = [contestant.name for contestant in CONTESTANTS]
    help_text = f"whom to measure: {', '.join(names)}; everybody if none is named"
    parser.add_argument("names", nargs="*", metavar="NAME", type=_name, help=help_text)
    help_text = f"browsers at each; {CONNECTIONS:,}, and fewer at who could not take so many"
    parser.add_argument(
        "--connections", metavar="NUMBER", type=browsers, default=CONNECTIONS, help=help_text
    )
    help_text = "where the result goes [default: build/bench/peers.json]"
    default = BUILD / "peers.json"
    parser.add_argument("--json", metavar="FILE", type=result_file, default=default, help=help_text)
    return parser


def _name(name: str) -> str:
    names = [contestant.name for contestant in CONTESTANTS]
    if name not in names:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(names)}")
    return name
