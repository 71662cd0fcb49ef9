"""Settings as flags of a click command: options, `--help`, and how a command ends.

click reads the command line and prints help; it does not layer sources (see
docs/decisions/settings.md). Every option arrives as it was typed and is read by `loader` like a
value from anywhere else.

    @click.command()
    @settings_options(GatewaySettings, "gateway")
    @daemon_option
    def start(loader: Loader[GatewaySettings], *, daemon: bool) -> int:
        return program.run(GATEWAY, loader, daemon=daemon)

With `admin_commands` the only modules of this package that import click.
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from gateway_process.errors import ExitCode, ProcessError
from gateway_process.loader import Loader
from gateway_process.settings import Settings, Spec, specs_of
from gateway_process.sources import variable

__all__ = [
    "Option",
    "config_option",
    "daemon_option",
    "run_command",
    "setting_options",
    "settings_options",
    "version_option",
]

R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
_CONFIG: Final = (
    "TOML file with sections [register] [gateway] [businessworker] and shared settings."
)


def version_option(software: str) -> Callable[[F], F]:
    """Give a command group `--version`.

    Args:
        software: name and version, as links say it: `gatewayworker/0.1.0`.
    """
    name, _, version = software.partition("/")
    return click.version_option(version, message=f"{name} %(version)s")


def settings_options(
    settings: type[Settings], role: str, offered: Callable[[Spec], bool] = lambda _spec: True
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Give a command every setting of a class as an option, and `-c/--config`.

    The command's function gets one argument for all of them, `loader`; nothing is read before its
    `load()` is called.

    Args:
        settings: the class that declares them.
        role: whose section and variables apply.
        offered: which of the settings are options of this command; all of them are read from
            environment and file.
    """
    specs = [spec for spec in specs_of(settings) if offered(spec)]
    names = [name for spec in specs for name in (spec.name, spec.file_variant) if name]

    def decorate(function: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(function)
        def command(*args: Any, config: Path | None, **options: Any) -> R:
            written = {name: options.pop(name) for name in names}
            flags = {name: raw for name, raw in written.items() if raw not in (None, ())}
            loader = Loader(settings=settings, role=role, flags=flags, config=config)
            return function(*args, loader=loader, **options)

        decorated: Callable[..., R] = command
        for option in reversed([config_option(), *setting_options(specs, role)]):
            decorated = option(decorated)
        return decorated

    return decorate


Option = Callable[[Callable[..., Any]], Callable[..., Any]]
"""What `click.option` gives: it decorates a command's function."""

daemon_option: Final[Option] = click.option(
    "-d",
    "--daemon",
    is_flag=True,
    help="Go on in the background: return when it is ready; see stop, status and --run-dir.",
)
"""Gives a `start` command `-d`; its function gets `daemon`."""


def config_option() -> Option:
    """Give `-c/--config`; the function gets `config`."""
    return click.option(
        "-c", "--config", type=click.Path(path_type=Path), metavar="FILE", help=_CONFIG
    )


def setting_options(specs: Iterable[Spec], role: str) -> list[Option]:
    """Give the options of some settings; the function gets each as it was typed, None if not given."""
    return [option for spec in specs for option in _options(spec, role)]


def _options(spec: Spec, role: str) -> list[Option]:
    env = variable(spec, role)
    text = f"{spec.says.help}  [{_default(spec)}env: {env}]"
    if spec.is_switch:
        name = spec.name.replace("_", "-")
        return [click.option(f"--{name}/--no-{name}", spec.name, default=None, help=text)]
    metavar = spec.says.metavar or spec.kind.metavar
    value = click.option(
        *(_flag(name) for name in spec.names),
        spec.name,
        metavar=f"{metavar}[,...]" if spec.many else metavar,
        multiple=spec.many,
        help=text,
    )
    return (
        [value]
        if spec.file_variant is None
        else [value, _file_option(spec, spec.file_variant, env)]
    )


def _file_option(spec: Spec, name: str, env: str) -> Option:
    text = f"Read {_flag(spec.name)} from this file.  [env: {env}_FILE]"
    return click.option(_flag(name), name, metavar="FILE", help=text)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _default(spec: Spec) -> str:
    shown = spec.shown(spec.default)
    return f"default: {shown}; " if shown else ""


def run_command(command: click.Command, name: str, args: Sequence[str] | None = None) -> int:
    """Run a command line to its end and give the exit code; errors are one line on stderr.

    Args:
        command: what to run; an `int` (or `ExitCode`) it returns is the exit code.
        name: the program's name in messages.
        args: the arguments; those of the process by default.
    """
    try:
        result = command.main(args, prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.FAILED
    except ProcessError as error:
        click.echo(f"{name}: {error}", err=True)
        return error.exit_code
    return result if isinstance(result, int) else ExitCode.OK
