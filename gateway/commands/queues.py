"""`gateway queues`: what waits for consumers, in all gateways together, by way of the client library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import click

from gateway.commands.asking import client_of, cluster_options, settings_of
from gateway.settings import GatewaySettings
from gateway_client import GatewayError, PartialResult
from gateway_process.errors import ExitCode, RunError
from gateway_process.loader import Loader
from gateway_process.status_view import table_of

__all__ = ["queues"]

_COLUMNS: Final = ("waiting", "unacknowledged", "consumers", "paused", "age", "redelivered", "dead")
"""What the table shows of a queue, beside its topic; JSON has all."""


@click.command()
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="All that is known of each, as one object.")
def queues(loader: Loader[GatewaySettings], *, as_json: bool) -> int:
    """Say what waits in the queues, who consumes them, and how old the oldest message is.

    The gateways are added up; a consumer has a link to each, and counts once. Age is in seconds. Gateways
    that could not be asked are named on standard error; the exit code is 1 when none could be.
    """
    with client_of(settings_of(loader)) as gateway:
        try:
            states = gateway.get_all_queues()
        except PartialResult as partial:
            states = partial.value
            for failure in (*partial.not_sent, *partial.unknown):
                click.echo(f"not counted: {failure}", err=True)
        except GatewayError as error:
            raise RunError(str(error)) from error
    click.echo(json.dumps(states, sort_keys=True) if as_json else "\n".join(_lines(states)))
    return ExitCode.OK


def _lines(states: Mapping[str, Mapping[str, int | float]]) -> list[str]:
    rows: list[dict[str, Any]] = [
        {"topic": topic, **{name: state[name] for name in _COLUMNS}}
        for topic, state in sorted(states.items())
    ]
    return table_of(rows) if rows else ["no queues"]
