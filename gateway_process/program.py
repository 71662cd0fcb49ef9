"""The front door: a role with its settings and its package, and the ways to run it.

A package that is a daemon has one `Program`, and a `__main__` of a few lines:

    # gateway/program.py
    GATEWAY = Program(name="gateway", package="gateway", settings=GatewaySettings,
                      bind=bind, role=make_role)

    # gateway/__main__.py; the console script, in `entry`, calls main too
    def main() -> int:
        return run_program(GATEWAY, _command)   # program.main, both imported in here

    def _command() -> "click.Command":
        from gateway.commands import cli
        return cli

    if __name__ == "__main__":
        begin()
        sys.exit(main())

    # gateway/commands/start.py
    @cli.command()
    @settings_options(GatewaySettings, "gateway")
    def start(loader: Loader[GatewaySettings]) -> int:
        return run(GATEWAY, loader)

Several roles under one supervisor: `supervise("dev", [*children_of(REGISTER, ...), ...])`.
"""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, NoReturn, TypeVar

from gateway_process import collector, logs
from gateway_process.child import inherited_fd, run_child
from gateway_process.daemon import Addresses, Daemon, RoleFactory, Sockets, ready_line
from gateway_process.daemon import run as run_to_end
from gateway_process.errors import ExitCode, StartupError
from gateway_process.loader import Loaded, Loader
from gateway_process.rlimit import raise_open_files
from gateway_process.settings import reloaded
from gateway_process.shadow import refuse_shadow
from gateway_process.shared import SharedSettings
from gateway_process.signals import listen
from gateway_process.supervisor import Child, Supervisor

if TYPE_CHECKING:
    import click

__all__ = ["Program", "announce", "children_of", "main", "prepare", "run", "say", "supervise"]

logger = logging.getLogger(__package__)

S = TypeVar("S", bound=SharedSettings)
SERVER_EXTRA: Final = frozenset({"aiohttp", "click", "httptools", "prometheus_client"})
"""What `pip install "gatewayworker[server]"` brings and a plain installation lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program(Generic[S]):
    """A role that can be run.

    Attributes:
        name: the role's name: section in a file, part of variables, word in the ready line.
        package: `python -m` of it starts a child; its `__main__` calls `main`.
        settings: the class that declares its settings.
        bind: binds the listening sockets of every process, in process order: as many mappings as
            processes (`sockets.bind(..., count=n)`). Called once, where the command runs. Raises
            `ProcessError`.
        role: makes the role in its process; import what is heavy only in there.
        replaces: a reload replaces its processes, one after another, instead of telling them new
            settings; such a program always runs under a supervisor.
    """

    name: str
    package: str
    settings: type[S]
    bind: Callable[[S], Sequence[Sockets]]
    role: RoleFactory[S]
    replaces: bool = False


def main(program: Program[S], command: Callable[[], "click.Command"]) -> int:
    """Be what `python -m PACKAGE` and the console script are: a child, or the command line.

    Args:
        program: what a child of this package runs.
        command: gives the command line; imported only when it is wanted.

    Returns:
        The exit code.
    """
    fd = inherited_fd(sys.argv[1:])
    if fd is not None:
        return run_child(program, fd)
    try:
        from gateway_process.flags import run_command

        return run_command(command(), program.name)
    except ModuleNotFoundError as error:
        if error.name not in SERVER_EXTRA:
            raise
        sys.stderr.write(f'{program.name}: {error}; pip install "gatewayworker[server]"\n')
        return ExitCode.STARTUP


def run(program: Program[S], loader: Loader[S]) -> ExitCode:
    """Run a program in the foreground: in this process, or in children when it has several.

    Args:
        program: what to run.
        loader: where its settings are; a reload looks there again.

    Returns:
        OK, after a clean stop.

    Raises:
        ProcessError: everything else; `run_command` tells it and gives its exit code.
    """
    settings = prepare(loader.load())
    per_process = program.bind(settings)
    if len(per_process) == 1:
        return _run_alone(program, settings, per_process[0], lambda: loader.load().settings)
    children = _children(program, settings, per_process)
    return supervise(program.name, children, reread=lambda: _hand_down(loader, children))


def prepare(loaded: Loaded[S]) -> S:
    """Make this process ready for what its settings say: log, warnings, limit of open files."""
    settings = loaded.settings
    logs.set_up(settings.log_level, settings.log_format, settings.log_file)
    limit, low = raise_open_files()
    logger.debug("open files: %s", limit)
    for warning in (*loaded.warnings, *([low] if low else [])):
        logger.warning("%s", warning)
    return settings


def children_of(program: Program[S], settings: S) -> list[Child]:
    """Bind a program's sockets and give a child for each of its processes, not yet started.

    Raises:
        ProcessError: a socket cannot be bound.
    """
    return _children(program, settings, program.bind(settings))


def supervise(
    name: str,
    children: Sequence[Child],
    *,
    reread: Callable[[], None] = lambda: None,
    on_ready: Callable[[Addresses], None] | None = None,
) -> ExitCode:
    """Run children under this process until it is told to stop; call `prepare` before.

    Args:
        name: stands in the ready line.
        children: of one program or of several.
        reread: puts settings read anew into `child.settings`, for a reload.
        on_ready: called once with all addresses instead of printing the ready line.

    Returns:
        OK, after a clean stop of all.

    Raises:
        ProcessError: a child could not start, or did not stop cleanly.
    """
    if os.name != "posix":
        raise StartupError("several processes need a POSIX system; run one role with one process")
    for package in {child.package for child in children}:
        refuse_shadow(package)
    ready = on_ready or (lambda addresses: announce(name, addresses))
    supervisor = Supervisor(children, announce=ready, reread=reread)

    def end_now() -> NoReturn:
        supervisor.kill()
        _end_now()

    async def live() -> None:
        listen(supervisor.order, end_now)
        await supervisor.live()

    run_to_end(live(), fast=False)
    return ExitCode.OK


def announce(name: str, addresses: Addresses) -> None:
    """Print the ready line; in the log it stands at DEBUG, since a terminal shows both."""
    line = ready_line(name, addresses, os.getpid())
    logger.debug("%s", line)
    say(line)


def say(line: str) -> None:
    """Print a line past Python's buffer: nobody may be listening, and that must not end a daemon."""
    with suppress(OSError):
        os.write(1, f"{line}\n".encode())


def _run_alone(
    program: Program[S], settings: S, sockets: Sockets, reread: Callable[[], S]
) -> ExitCode:
    def ready(addresses: Addresses) -> None:
        collector.calm()
        announce(program.name, addresses)

    daemon = Daemon(
        settings,
        program.role,
        name=program.name,
        sockets=sockets,
        announce=ready,
        reread=reread,
    )

    async def live() -> None:
        listen(daemon.order, _end_now)
        await daemon.live()

    run_to_end(live())
    return ExitCode.OK


def _children(program: Program[S], settings: S, per_process: Sequence[Sockets]) -> list[Child]:
    return [
        Child(program.name, program.package, settings, sockets, number)
        for number, sockets in enumerate(per_process)
    ]


def _hand_down(loader: Loader[S], children: Sequence[Child]) -> None:
    """Read settings anew and give the children what may change while they run."""
    change = reloaded(children[0].settings, loader.load().settings)
    logs.set_level(change.settings.log_level)
    if change.needs_restart:
        logger.warning("changed, but needs a restart: %s", ", ".join(change.needs_restart))
    for child in children:
        child.settings = change.settings


def _end_now() -> NoReturn:
    os.write(2, b"second signal: ended at once\n")
    os._exit(ExitCode.FAILED)
