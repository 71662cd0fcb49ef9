"""`python -m businessworker`, and what the console script `businessworker` calls."""

import sys
from typing import TYPE_CHECKING

from gateway_process.entry import begin

if TYPE_CHECKING:
    import click


def main() -> int:
    """Run the command line, or a child of a supervisor; return the exit code."""
    from businessworker.program import BUSINESSWORKER
    from gateway_process.program import main as run_program

    return run_program(BUSINESSWORKER, _commands)


def _commands() -> "click.Command":
    from businessworker.commands import cli

    return cli


if __name__ == "__main__":
    begin()
    sys.exit(main())
