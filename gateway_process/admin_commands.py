"""The commands that every program has besides `start`: stop, restart, reload, status, connections.

    add_instance_commands(cli, GATEWAY)

They read no more of the settings than name and run directory, from the same flags, environment and file as
`start`, so that a secret that cannot be read keeps nobody from stopping a daemon. What they do is in
`admin`, how it looks in `status_view`.
"""

import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial, wraps
from pathlib import Path
from typing import Any, Final, Protocol

import click

from gateway_process import admin
from gateway_process.admin import Asked
from gateway_process.errors import ExitCode, ProcessError, StartupError
from gateway_process.flags import Option, config_option, setting_options
from gateway_process.inspection import MAX_PAGE, ConnectionQuery
from gateway_process.instance import Instance, RunDir
from gateway_process.launch import rehearsal
from gateway_process.loader import Loader
from gateway_process.settings import specs_of
from gateway_process.shared import SharedSettings
from gateway_process.signals import Order
from gateway_process.status_view import Sample, connection_lines, status_lines, status_object

__all__ = ["add_instance_commands"]

BETWEEN_SAMPLES: Final = 1.0
"""Seconds over which rates are measured, and after which `--watch` looks again."""
CLEAR: Final = "\x1b[H\x1b[2J"
"""Puts a terminal's cursor at its top and wipes it."""
ADDRESSED: Final = ("name", "run_dir")
"""The settings that say which instance is meant."""


@dataclass(frozen=True, slots=True)
class _Target:
    """The instance that a command is about, and where it is."""

    run_dir: RunDir
    instance: Instance


class Kind(Protocol):
    """What the commands must know of a program: a `Program`, or several roles under one name."""

    @property
    def name(self) -> str:
        """Its name, as its instances have it."""
        ...

    @property
    def settings(self) -> type[SharedSettings]:
        """Its settings' class, which says what its section of a file may hold."""
        ...


def add_instance_commands(group: click.Group, program: Kind) -> None:
    """Give a program's command group the commands about its running instances.

    Args:
        group: the program's commands.
        program: what their instances run.
    """
    for function, options in _COMMANDS:
        group.add_command(click.command(_addressed(program, function, options)))
    again = partial(restart, commands=group)
    group.add_command(click.command(_addressed(program, wraps(restart)(again), [_DAEMON])))


def _addressed(
    program: Kind, function: Callable[..., int], options: Sequence[Option]
) -> Callable[..., int]:
    """Give a command the options that say which instance is meant, and hand it that one."""
    specs = [spec for spec in specs_of(program.settings) if spec.name in ADDRESSED]

    @wraps(function)
    def command(*, config: Path | None, **given: Any) -> int:
        if os.name != "posix":
            raise StartupError("running instances are found on POSIX systems only; use Ctrl-C here")
        flags = {name: raw for name in ADDRESSED if (raw := given.pop(name)) is not None}
        loader = Loader(settings=program.settings, role=program.name, flags=flags, config=config)
        run_dir = RunDir(loader.find("run_dir"))
        instance = admin.choose(run_dir, program.name, loader.find("name"))
        return function(_Target(run_dir, instance), **given)

    decorated: Callable[..., int] = command
    for option in reversed([*options, config_option(), *setting_options(specs, program.name)]):
        decorated = option(decorated)
    return decorated


def _tell(line: str) -> None:
    click.echo(line, err=True)


def stop(target: _Target, *, graceful: bool) -> int:
    """Stop a running instance and wait until it has ended.

    One that does not answer is stopped by signal, and killed if it takes longer than --stop-timeout.
    """
    order = Order.DRAIN if graceful else Order.STOP
    admin.stop(target.run_dir, target.instance, order, _tell)
    click.echo(f"stopped {target.instance}")
    return ExitCode.OK


def restart(target: _Target, *, daemon: bool, commands: click.Group) -> int:
    """Stop a running instance and start it as it was started.

    With the same flags and in the same folder, in the background if it was there, else in the
    foreground of this command. The environment is this command's. A secret given as a flag is kept
    nowhere: such an instance is left running, and so is one whose settings are wrong now.
    """
    command = admin.restart_command(target.run_dir, target.instance, daemon=daemon)
    os.chdir(target.instance.folder)
    try:
        with rehearsal():
            commands.main(list(target.instance.arguments), standalone_mode=False)
    except (ProcessError, click.ClickException):
        _tell(f"{target.instance} is left running; a start as it was started would fail")
        raise
    try:
        stop(target, graceful=False)
    except admin.Unclean as error:  # a reason more to start it again
        _tell(str(error))
    admin.start_again(command)
    return ExitCode.FAILED  # not reached: this process has become the start


def reload(target: _Target) -> int:
    """Have a running instance read its settings anew.

    Certificates, the entry module and the log file, too; a business worker's processes are replaced one
    after another. Waits until it is done: exit code 1, and why, if a process could not take something
    over or be replaced. Says which settings have changed, and which of those need a restart.
    """
    with Asked.of(target.run_dir, target.instance) as asked:
        change = asked.reload(_tell)
    replaced = f"; replaced: {change['replaced']}" if change["replaced"] else ""
    changed = ", ".join(change["applied"]) or "nothing"
    click.echo(f"reloaded {target.instance}; changed: {changed}{replaced}")
    if change["needs_restart"]:
        _tell(f"changed, but needs a restart: {', '.join(change['needs_restart'])}")
    return ExitCode.OK


def status(target: _Target, *, as_json: bool, watch: bool) -> int:
    """Show how every process of a running instance is.

    Messages a second are measured over one second; failures are counted since the process began.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    clear = CLEAR if watch and not as_json and sys.stdout.isatty() else ""
    ways_to_end = [KeyboardInterrupt] if watch else []
    with suppress(*ways_to_end), Asked.of(target.run_dir, target.instance) as asked:
        for before, now in _samples(asked):
            if as_json:
                click.echo(json.dumps(status_object(target.instance, before, now)))
            else:
                click.echo(clear + "\n".join(status_lines(target.instance, before, now)))
            if not watch:
                break
    return ExitCode.OK


def _samples(asked: Asked) -> Iterator[tuple[Sample, Sample]]:
    before = asked.sample()
    while True:
        time.sleep(BETWEEN_SAMPLES)
        now = asked.sample()
        yield before, now
        before = now


def connections(target: _Target, *, as_json: bool, **query: Any) -> int:
    """Show who is connected to a running instance.

    A page at a time, with a table for each role.
    """
    with Asked.of(target.run_dir, target.instance) as asked:
        page = asked.connections(ConnectionQuery(**query))
    if as_json:
        click.echo(json.dumps(asdict(page)))
        return ExitCode.OK
    click.echo("\n".join(connection_lines(page, _again(target, query))))
    return ExitCode.OK


def _again(target: _Target, query: dict[str, Any]) -> str:
    """Give the command that asks the same once more, fit for a shell."""
    instance, path = target.instance, target.run_dir.path
    given = {"name": instance.name, "run-dir": None if path == RunDir().path else path}
    given |= {name: raw for name, raw in query.items() if name != "after" and raw != MAX_PAGE}
    flags = [f"--{name}={raw}" for name, raw in given.items() if raw is not None]
    return shlex.join([instance.program, "connections", *flags])


_JSON: Final = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
_DAEMON: Final = click.option(
    "-d", "--daemon", is_flag=True, help="Start it in the background, also if it was not."
)
_COMMANDS: Final[Sequence[tuple[Callable[..., int], Sequence[Option]]]] = (
    (
        stop,
        [
            click.option(
                "-g",
                "--graceful",
                is_flag=True,
                help="Let nobody new in and wait for those who are there to leave, up to the"
                " program's own deadline.",
            )
        ],
    ),
    (reload, []),
    (
        status,
        [_JSON, click.option("--watch", is_flag=True, help="Go on every second until Ctrl-C.")],
    ),
    (
        connections,
        [
            _JSON,
            click.option("--uid", metavar="UID", help="Only those bound to this uid."),
            click.option("--group", metavar="GROUP", help="Only members of this group."),
            click.option(
                "--address", metavar="TEXT", help="Only those whose address is this or begins so."
            ),
            click.option(
                "--limit",
                type=click.IntRange(1, MAX_PAGE),
                default=MAX_PAGE,
                show_default=True,
                metavar="NUMBER",
                help="The most to show.",
            ),
            click.option(
                "--after",
                metavar="TEXT",
                default="",
                help="Go on after a page; the page says with what.",
            ),
        ],
    ),
)
"""The commands and their own options; each gets the options that say which instance is meant."""
