import sys

import click

from gateway_process.flags import settings_options
from gateway_process.loader import Loader
from gateway_process.program import main, run
from probe.role import PROBE, ProbeSettings  # type: ignore[import-not-found]  # found by PYTHONPATH


@click.group()
def cli() -> None:
    """Probe."""


@cli.command()
@settings_options(ProbeSettings, "gateway")
def start(loader: Loader[ProbeSettings]) -> int:
    """Start it."""
    return run(PROBE, loader)


if __name__ == "__main__":
    sys.exit(main(PROBE, lambda: cli))
