import sys

import click

from gateway_process.admin_commands import add_instance_commands
from gateway_process.flags import daemon_option, settings_options
from gateway_process.loader import Loader
from gateway_process.program import main, run
from probe.role import PROBE, ProbeSettings  # type: ignore[import-not-found]  # found by PYTHONPATH


@click.group()
def cli() -> None:
    """Probe."""


@cli.command()
@settings_options(ProbeSettings, "gateway")
@daemon_option
def start(loader: Loader[ProbeSettings], *, daemon: bool) -> int:
    """Start it."""
    return run(PROBE, loader, daemon=daemon)


add_instance_commands(cli, PROBE)


if __name__ == "__main__":
    sys.exit(main(PROBE, lambda: cli))
