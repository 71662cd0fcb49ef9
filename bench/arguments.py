"""Values of the command lines, looked at before anything is started, and the limit of open files.

A run takes minutes: what would spoil it at its end, or be taken for something else, is told at once.
"""

from __future__ import annotations

import math
import os
import resource
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Final

from bench.programs import BenchError

__all__ = ["allow_files", "browsers", "check_files", "result_file", "seconds"]

FEWEST: Final = 16
"""Browsers: some cases begin with a sixteenth of them."""

FILES: Final = 20_000
"""Open files that a process of a run needs at the most, where no larger crowd is asked for."""

SPARE: Final = 200
"""Open files of a process that are not browsers."""


def browsers(text: str) -> int:
    """Read a number of browsers."""
    if not text.isdecimal() or int(text) < FEWEST:
        raise ArgumentTypeError(f"{text!r} is no number of browsers; give {FEWEST} or more")
    return int(text)


def seconds(text: str) -> float:
    """Read a time."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ArgumentTypeError(f"{text!r} is no time; give seconds above 0")
    return value


def result_file(text: str) -> Path:
    """Read where a result goes, and make its folder."""
    path = Path(text)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentTypeError(f"{text}: no folder for it: {error.strerror}") from None
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ArgumentTypeError(f"{text} cannot be written; give a file")
    return path


def allow_files(connections: int | None = None) -> None:
    """Raise the limit of open files of this process, and so of those it starts.

    Args:
        connections: Browsers that were asked for.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(FILES, (connections or 0) + SPARE)
    wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def check_files(connections: int) -> None:
    """See whether a process may hold so many browsers.

    Raises:
        BenchError: If its limit of open files is lower.
    """
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if connections + SPARE > limit:
        raise BenchError(
            f"{connections:,} browsers are more than {limit:,} open files allow;"
            " give a smaller number of --connections, or raise the limit (ulimit -Hn)"
        )
