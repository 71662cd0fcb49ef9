"""`gateway start`."""

import click

from gateway.program import GATEWAY
from gateway.settings import GatewaySettings
from gateway_process.flags import daemon_option, settings_options
from gateway_process.loader import Loader
from gateway_process.program import run

__all__ = ["start"]


@click.command()
@settings_options(GatewaySettings, "gateway")
@daemon_option
def start(loader: Loader[GatewaySettings], *, daemon: bool) -> int:
    """Run a gateway.

    It announces itself to the registers, lets browsers connect once one of them knows it, and does
    what backends ask through the client library or the HTTP API.
    """
    return run(GATEWAY, loader, daemon=daemon)
