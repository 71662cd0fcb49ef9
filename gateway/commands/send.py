"""`gateway send`: one message from the command line, by way of the client library."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

import click

from gateway.commands.asking import client_of, cluster_options, settings_of
from gateway.settings import GatewaySettings
from gateway_client import GatewayClient, GatewayError, InvalidClientId, Reached
from gateway_process.errors import ExitCode, RunError
from gateway_process.loader import Loader

__all__ = ["send"]

_SENDS: Final[Mapping[str, Callable[[GatewayClient, str, str], Reached]]] = {
    "uid": lambda gateway, name, message: gateway.send_to_uid(name, message),
    "group": lambda gateway, name, message: gateway.send_to_group(name, message),
    "client": lambda gateway, name, message: gateway.send_to_client(name, message),
}
"""Kind of a target -> how it is sent to."""

_ALL: Final = "all"


@click.command()
@cluster_options
@click.option("--json", "is_json", is_flag=True, help="The message is JSON; it is sent compact.")
@click.argument("target")
@click.argument("message")
def send(loader: Loader[GatewaySettings], target: str, message: str, *, is_json: bool) -> int:
    """Send MESSAGE to TARGET and say how many connections took it.

    TARGET is uid:ID, group:NAME, client:CLIENT_ID or all. Write -- before a message that begins with
    a dash. Gateways that could not be asked are named on standard error; the exit code is 1 when
    nobody could be.
    """
    settings = settings_of(loader)
    act = _action(target, _compact(message) if is_json else message)
    with client_of(settings) as gateway:
        try:
            reached = act(gateway)
        except InvalidClientId as error:
            raise click.BadParameter(str(error), param_hint="TARGET") from error
        except GatewayError as error:
            raise RunError(str(error)) from error
    _tell(reached)
    return ExitCode.OK


def _action(target: str, message: str) -> Callable[[GatewayClient], Reached]:
    """Say what a target asks for."""
    if target == _ALL:
        return lambda gateway: gateway.send_to_all(message)
    kind, _, name = target.partition(":")
    if kind not in _SENDS:
        text = f"{target!r} is no target: write uid:ID, group:NAME, client:CLIENT_ID or all"
        raise click.BadParameter(text, param_hint="TARGET")
    if not name:
        text = f"{target!r} names nobody: write {kind}: and who, as in {kind}:42"
        raise click.BadParameter(text, param_hint="TARGET")
    return lambda gateway: _SENDS[kind](gateway, name, message)


def _compact(message: str) -> str:
    try:
        return json.dumps(json.loads(message), ensure_ascii=False, separators=(",", ":"))
    except ValueError as error:
        text = f"is not JSON ({error}): quote it for the shell, or leave out --json"
        raise click.BadParameter(text, param_hint="MESSAGE") from error


def _tell(reached: Reached) -> None:
    click.echo(f"reached {int(reached)} {'connection' if reached == 1 else 'connections'}")
    for failure in reached.not_sent:
        click.echo(f"not sent: {failure}", err=True)
    for failure in reached.unknown:
        click.echo(f"unknown, it may have been sent or not: {failure}", err=True)
