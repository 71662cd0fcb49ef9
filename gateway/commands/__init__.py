"""The command line of the gateway: one module per command."""

import click

from gateway.commands.start import start

__all__ = ["cli"]


@click.group()
def cli() -> None:
    """Holds the browsers' connections and pushes to them."""


cli.add_command(start)
