"""The tables of `docs/commands.md`, written from the settings' declarations and the commands."""

from collections.abc import Iterable
from typing import Final

import click

from businessworker.settings import WorkerSettings
from gateway.commands import cli
from gateway.settings import GatewaySettings
from gateway_process.settings import Settings, Spec, specs_of
from gateway_process.shared import MemberSettings, SharedSettings
from register.settings import RegisterSettings

HEAD: Final = ("flag", "default", "meaning")


def shared_settings() -> str:
    """Give the settings that all roles have."""
    return _settings(specs_of(SharedSettings))


def register_settings() -> str:
    """Give the settings that only a register has."""
    return _settings(_own(RegisterSettings, SharedSettings))


def gateway_settings() -> str:
    """Give the settings that only a gateway has, and the one of every member of a cluster."""
    return _settings(
        [*_own(MemberSettings, SharedSettings), *_own(GatewaySettings, MemberSettings)]
    )


def worker_settings() -> str:
    """Give the settings that only a business worker has; it also finds registers as a gateway does."""
    return _settings(_own(WorkerSettings, MemberSettings))


def connections_options() -> str:
    """Give the options of `connections`, which is the same in every program."""
    return _options(cli.commands["connections"])


def dev_options() -> str:
    """Give the options of `gateway dev` that are no settings of a gateway."""
    return _options(cli.commands["dev"])


def send_options() -> str:
    """Give the options of `gateway send`."""
    return _options(cli.commands["send"], of_settings=True)


def queues_options() -> str:
    """Give the options of `gateway queues` beside those of `gateway send`."""
    return _options(cli.commands["queues"])


def _own(settings: type[Settings], base: type[Settings]) -> list[Spec]:
    inherited = {spec.name for spec in specs_of(base)}
    return [spec for spec in specs_of(settings) if spec.name not in inherited]


def _settings(specs: Iterable[Spec]) -> str:
    return _table((_flags(spec), _default(spec), _meaning(spec)) for spec in specs)


def _flags(spec: Spec) -> str:
    name = spec.name.replace("_", "-")
    if spec.is_switch:
        return f"`--{name}/--no-{name}`"
    flags = [f"`--{each.replace('_', '-')} {_metavar(spec)}`" for each in spec.names]
    if spec.file_variant is not None:
        flags.append(f"`--{name}-file FILE`")
    return ", ".join(flags)


def _metavar(spec: Spec) -> str:
    metavar = spec.says.metavar or spec.kind.metavar
    return metavar.replace("|", "\\|")


def _default(spec: Spec) -> str:
    if spec.is_switch:
        return "on" if spec.default else "off"
    shown = spec.shown(spec.default)
    return f"`{shown}`" if shown else ""


def _meaning(spec: Spec) -> str:
    repeated = " Several: comma-separated, or given again." if spec.many else ""
    hot = " *Reload.*" if spec.says.hot else ""
    return f"{spec.says.help}{repeated}{hot}"


def _options(command: click.Command, *, of_settings: bool = False) -> str:
    settings = {
        name for spec in specs_of(GatewaySettings) for name in (spec.name, spec.file_variant)
    }
    return _table(
        (f"`{_spelling(option)}`", _help(option))
        for option in command.params
        if isinstance(option, click.Option) and (of_settings or option.name not in settings)
    )


def _spelling(option: click.Option) -> str:
    if option.secondary_opts:
        return f"{option.opts[0]}/{option.secondary_opts[0]}"
    metavar = "" if option.is_flag else f" {option.metavar}"
    return f"{', '.join(option.opts)}{metavar}"


def _help(option: click.Option) -> str:
    """Give the help without the variable that it ends with: the page says how those are called."""
    text = option.help or ""
    return text.partition("  [")[0]


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    found = list(rows)
    head = HEAD if len(found[0]) == len(HEAD) else (HEAD[0], HEAD[-1])
    lines = [head, ("---",) * len(head), *found]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
