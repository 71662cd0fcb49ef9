"""The command line of a whole cluster on one machine: every role that a file has a section for."""

import click

from gateway_process.admin_commands import add_instance_commands
from gateway_process.flags import version_option
from gateway_wire.hello import SOFTWARE
from gatewayworker.commands.cluster import CLUSTER
from gatewayworker.commands.start import start

__all__ = ["cli"]


@click.group()
@version_option(SOFTWARE)
def cli() -> None:
    """Runs register, gateway and business workers of one file together."""


cli.add_command(start)
add_instance_commands(cli, CLUSTER)
