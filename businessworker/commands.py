"""The command line of the business worker."""

from dataclasses import replace

import click

from businessworker.program import BUSINESSWORKER
from businessworker.settings import WorkerSettings
from gateway_process.admin_commands import add_instance_commands
from gateway_process.flags import daemon_option, settings_options, version_option
from gateway_process.loader import Loader
from gateway_process.program import run
from gateway_wire.hello import SOFTWARE

__all__ = ["cli"]


@click.group()
@version_option(SOFTWARE)
def cli() -> None:
    """Runs your handlers: what browsers do, as calls of your application."""


@cli.command()
@click.argument("target", metavar="[MODULE[:EVENTS]]", required=False)
@settings_options(WorkerSettings, "businessworker")
@daemon_option
def start(target: str | None, loader: Loader[WorkerSettings], *, daemon: bool) -> int:
    """Run your handlers, in the module or in the class or object that MODULE:EVENTS names.

    A handler is a function on_worker_start, on_connect, on_websocket_connect, on_message, on_close or
    on_worker_stop, def or async def. Start it on as many machines as you like; a reload replaces its
    processes without losing a browser or an event.
    """
    if target is not None:
        loader = replace(loader, flags={**loader.flags, "events": target})
    return run(BUSINESSWORKER, loader, daemon=daemon)


add_instance_commands(cli, BUSINESSWORKER)
