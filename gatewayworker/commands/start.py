"""`gatewayworker start`."""

import click

from gateway_process.flags import daemon_option, settings_options
from gateway_process.launch import launch
from gateway_process.loader import Loader
from gateway_process.shared import MemberSettings
from gatewayworker.commands.cluster import CLUSTER, check, serve

__all__ = ["start"]


@click.command()
@settings_options(CLUSTER.settings, CLUSTER.name)
@daemon_option
def start(loader: Loader[MemberSettings], *, daemon: bool) -> int:
    """Run every role that the file has a section for.

    All run under one master.

    The options are the settings that all roles share; those of one role stand in its section. With a
    [register] section the others find that register, unless another one is named.
    """
    check(loader)  # what is wrong in it is told before anything is made
    return launch(CLUSTER.name, CLUSTER.name, loader, serve, daemon=daemon)
