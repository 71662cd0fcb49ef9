"""`python -m gatewayworker`, and what the console script `gatewayworker` calls."""

import sys
from typing import TYPE_CHECKING

from gateway_process.entry import begin

if TYPE_CHECKING:
    import click


def main() -> int:
    """Run the command line; return the exit code."""
    from gateway_process.program import main_of_commands

    return main_of_commands("gatewayworker", _commands)


def _commands() -> "click.Command":
    from gatewayworker.commands import cli

    return cli


if __name__ == "__main__":
    begin()
    sys.exit(main())
