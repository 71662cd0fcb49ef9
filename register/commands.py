"""The command line of the register."""

import click

from gateway_process.admin_commands import add_instance_commands
from gateway_process.flags import daemon_option, settings_options, version_option
from gateway_process.loader import Loader
from gateway_process.program import run
from gateway_wire.hello import SOFTWARE
from register.program import REGISTER
from register.settings import RegisterSettings

__all__ = ["cli"]


@click.group()
@version_option(SOFTWARE)
def cli() -> None:
    """The directory of the cluster: which gateways are alive."""


@cli.command()
@settings_options(RegisterSettings, "register")
@daemon_option
def start(loader: Loader[RegisterSettings], *, daemon: bool) -> int:
    """Run a register.

    Start it on one machine, or on several for safety: gateways announce to all, and clients use the
    union of the answers. It keeps nothing on disk; after a restart it knows everything again in
    seconds.
    """
    return run(REGISTER, loader, daemon=daemon)


add_instance_commands(cli, REGISTER)
