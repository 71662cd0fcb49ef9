"""Where a command begins: before anything of ours that is heavy, or that others may have a name for.

Three things can go wrong while a command is still importing. Ctrl-C would be a traceback out of the middle
of a library. Standard files that are closed would leave their numbers to sockets, which logs were written
into then. And PYTHONPATH comes before the installed packages, so that in a project with a `register/` of
its own the command would import that. So the console scripts are here, and not in the packages that
they start; packages are words here, and nothing is imported at the top but the standard library.
"""

import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Final

from gateway_process.errors import StartupError
from gateway_process.shadow import refuse_shadow

__all__ = ["begin", "businessworker", "gateway", "gatewayworker", "register"]

OURS: Final = (
    "gateway_wire",
    "gateway_client",
    "register",
    "gateway",
    "businessworker",
    "gatewayworker",
)
"""What the commands import of ours."""

_HOME: Final = Path(__file__).parents[1]
"""Where all of it lies side by side."""


def begin() -> None:
    """Prepare for the imports of a command; ends the process if they would not be ours.

    Standard files that were closed lead to nothing. From now Ctrl-C ends it without a word. A daemon
    listens for signals later, and a child, which is told by its supervisor, not at all until then.
    """
    _open_standard_files()
    is_child = len(sys.argv) == 3 and sys.argv[2].startswith("--inherited-fd=")
    signal.signal(signal.SIGINT, signal.SIG_IGN if is_child else signal.SIG_DFL)
    try:
        for package in OURS:
            refuse_shadow(package, _HOME / package / "__init__.py")
    except StartupError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


def _open_standard_files() -> None:
    """See that standard input, output and error are open, if only to nothing."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets this number, the lowest that is free
            os.set_inheritable(fd, True)  # noqa: FBT003 -- its only form
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 -- open to the end
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def businessworker() -> int:
    """Be the console script `businessworker`."""
    return _start("businessworker")


def gateway() -> int:
    """Be the console script `gateway`."""
    return _start("gateway")


def gatewayworker() -> int:
    """Be the console script `gatewayworker`."""
    return _start("gatewayworker")


def register() -> int:
    """Be the console script `register`."""
    return _start("register")


def _start(package: str) -> int:
    begin()
    code: int = importlib.import_module(f"{package}.__main__").main()
    return code
