"""What commands that ask the cluster by way of the client library have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from gateway.settings import GatewaySettings
from gateway_client import GatewayClient
from gateway_process.flags import settings_options

if TYPE_CHECKING:
    from gateway_process.loader import Loader

__all__ = ["client_of", "cluster_options", "settings_of"]

cluster_options: Final = settings_options(
    GatewaySettings, "gateway", lambda spec: spec.name in {"register", "secret_key"}
)
"""The options that say which cluster; the command is given a loader of its settings."""


def settings_of(loader: Loader[GatewaySettings]) -> GatewaySettings:
    """Load the settings, and tell on standard error what is odd about them."""
    loaded = loader.load()
    for warning in loaded.warnings:
        click.echo(f"gateway: {warning}", err=True)
    return loaded.settings


def client_of(settings: GatewaySettings) -> GatewayClient:
    """Return a client of the cluster; it is closed by who asks for it."""
    registers = [str(address) for address in settings.register]
    key, max_message = settings.secret_key.reveal(), settings.max_message
    return GatewayClient(registers, secret_key=key, max_message=max_message)
