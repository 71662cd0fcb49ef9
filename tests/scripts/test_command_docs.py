"""Checks of the tables of commands and settings."""

from collections.abc import Callable

import pytest

from businessworker.settings import WorkerSettings
from gateway.settings import GatewaySettings
from gateway_process.settings import Settings, specs_of
from gateway_process.shared import MemberSettings
from register.settings import RegisterSettings
from scripts.command_docs import (
    connections_options,
    dev_options,
    gateway_settings,
    queues_options,
    register_settings,
    send_options,
    shared_settings,
    worker_settings,
)


@pytest.mark.parametrize(
    ("settings", "own"),
    [(RegisterSettings, register_settings), (GatewaySettings, gateway_settings)],
)
def test_every_setting_stands_in_one_table(
    settings: type[Settings], own: Callable[[], str]
) -> None:
    """What a role has is in its own table, or in the one of all roles, and in one of them only."""
    rows = [*own().splitlines()[2:], *shared_settings().splitlines()[2:]]
    assert len(rows) == len(specs_of(settings))
    for spec in specs_of(settings):
        flag = f"`--{spec.name.replace('_', '-')}"
        assert [row for row in rows if row.startswith((f"| {flag} ", f"| {flag}/"))]


def test_a_workers_table_has_what_it_alone_has() -> None:
    """The registers' addresses stand with the gateway's, which says them as a worker does."""
    own = {spec.name for spec in specs_of(WorkerSettings)}
    shared = {spec.name for spec in specs_of(MemberSettings)}
    assert len(worker_settings().splitlines()) - 2 == len(own - shared)


def test_a_row_says_all_that_a_declaration_does() -> None:
    """Aliases, file variants, switches, defaults, lists and reloads are written out."""
    gateway, shared = gateway_settings(), shared_settings()
    assert "| `--advertise HOST`, `--lan-ip HOST` | `auto` | The host under" in gateway
    assert "| `--init-message/--no-init-message` | on | Tell each" in gateway
    assert "`--api-key SECRET`, `--api-key-file FILE` |  | The key" in shared
    assert "`--log-level [debug\\|info\\|" in shared
    assert "Several: comma-separated" in gateway
    assert "do not all come back at once. *Reload.* |" in gateway


def test_a_commands_own_options_stand_in_its_table() -> None:
    """Those of `dev` without the gateway's settings; those of `send` all."""
    dev, send = dev_options(), send_options()
    assert "| `--demo/--no-demo` |" in dev
    assert "| `--demo-listen HOST:PORT` |" in dev
    assert "--ping-interval" not in dev
    for flag in ("--register, --register-address", "--secret-key SECRET", "--json", "-c, --config"):
        assert f"| `{flag}" in send
    assert "| `--after TEXT` |" in connections_options()
    assert "| `--json` | All that is known" in queues_options()
