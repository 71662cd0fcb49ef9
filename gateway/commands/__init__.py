"""The command line of the gateway: one module per command, besides those that every program has."""

import click

from gateway.commands.check import check
from gateway.commands.dev import dev
from gateway.commands.queues import queues
from gateway.commands.send import send
from gateway.commands.start import start
from gateway.program import GATEWAY
from gateway_process.admin_commands import add_instance_commands
from gateway_process.flags import version_option
from gateway_wire.hello import SOFTWARE

__all__ = ["cli"]


@click.group()
@version_option(SOFTWARE)
def cli() -> None:
    """Holds the browsers' connections and pushes to them."""


for _command in (start, dev, check, send, queues):
    cli.add_command(_command)
add_instance_commands(cli, GATEWAY)
