"""The limit of open files: a connection is a file, so a daemon raises it as far as it may."""

import sys
from typing import Final

__all__ = ["HIGHEST", "WANTED", "raise_open_files"]

WANTED: Final = 10_000
"""Fewer is worth a warning: ten thousand connections are ordinary for one gateway process."""

HIGHEST: Final = 1_048_576
"""Never ask for more. It is Linux's own ceiling (fs.nr_open); containers may report 10^9, and what a
process closes or counts per possible file would take seconds."""


def raise_open_files(wanted: int = WANTED) -> tuple[int | None, str | None]:
    """Raise the soft limit of open files to the hard one.

    Args:
        wanted: below this the limit is worth a warning.

    Returns:
        The limit now in force (None where the platform has none), and a warning with the remedy
        when it is low.
    """
    if sys.platform == "win32":
        return None, None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    target = HIGHEST if unlimited else min(hard, HIGHEST)
    if soft == resource.RLIM_INFINITY or soft >= target:
        return _judged(HIGHEST if soft == resource.RLIM_INFINITY else soft, wanted)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
    except (ValueError, OSError):  # macOS reports no hard limit and yet refuses large ones
        target = soft
    return _judged(target, wanted)


def _judged(limit: int, wanted: int) -> tuple[int, str | None]:
    if limit >= wanted:
        return limit, None
    remedy = f"raise it: LimitNOFILE={HIGHEST} in systemd, --ulimit nofile in Docker, or ulimit -Hn"
    return limit, f"only {limit} files may be open, and each connection is one; {remedy}"
