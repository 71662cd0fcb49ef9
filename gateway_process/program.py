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
    @daemon_option
    def start(loader: Loader[GatewaySettings], *, daemon: bool) -> int:
        return run(GATEWAY, loader, daemon=daemon)

    add_instance_commands(cli, GATEWAY)   # stop, restart, reload, status, connections

Several roles under one supervisor: `supervise("dev", [*children_of(REGISTER, ...), ...])`; where their
settings may change too, each is a `part.Part`.
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar

from gateway_process import collector, control
from gateway_process.child import inherited_fd, run_child
from gateway_process.daemon import (
    STUCK_GRACE,
    Addresses,
    Daemon,
    RoleFactory,
    Sockets,
    ready_line,
)
from gateway_process.daemon import run as run_to_end
from gateway_process.errors import ExitCode, StartupError
from gateway_process.instance import Claim
from gateway_process.launch import Launch, launch, prepare, say
from gateway_process.loader import Loader
from gateway_process.part import Part, reread
from gateway_process.place import KILL_GRACE, Child
from gateway_process.shadow import refuse_shadow
from gateway_process.shared import SharedSettings
from gateway_process.signals import listen
from gateway_process.supervisor import Supervisor

if TYPE_CHECKING:
    import click

__all__ = [
    "Program",
    "announce",
    "children_of",
    "main",
    "main_of_commands",
    "prepare",
    "run",
    "say",
    "supervise",
]

logger = logging.getLogger(__package__)

S = TypeVar("S", bound=SharedSettings)
SERVER_EXTRA: Final = frozenset({"aiohttp", "click", "prometheus_client", "watchfiles"})
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
        stop_stage: under a supervisor of several programs, whoever has a lower one has ended before
            this one is told to stop.
    """

    name: str
    package: str
    settings: type[S]
    bind: Callable[[S], Sequence[Sockets]]
    role: RoleFactory[S]
    replaces: bool = False
    stop_stage: int = 0


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
    return main_of_commands(program.name, command)


def main_of_commands(name: str, command: Callable[[], "click.Command"]) -> int:
    """Be the command line of something that is no role by itself; see `main`.

    Returns:
        The exit code.
    """
    try:
        from gateway_process.flags import run_command

        return run_command(command(), name)
    except ModuleNotFoundError as error:
        if error.name not in SERVER_EXTRA:
            raise
        sys.stderr.write(f'{name}: {error}; pip install "gatewayworker[server]"\n')
        return ExitCode.STARTUP


def run(program: Program[S], loader: Loader[S], *, daemon: bool = False) -> ExitCode:
    """Run a program: in this process, in children when it has several, or in the background.

    Args:
        program: what to run.
        loader: where its settings are; a reload looks there again.
        daemon: go on in the background, under a supervisor, and return when it is ready.

    Returns:
        OK, after a clean stop; with `daemon` when it is ready.

    Raises:
        ProcessError: everything else; `run_command` tells it and gives its exit code.
    """
    return launch(program.name, program.package, loader, partial(_serve, program), daemon=daemon)


def _serve(program: Program[S], start: Launch[S]) -> ExitCode:
    per_process = program.bind(start.settings)
    if len(per_process) == 1 and not start.background and not program.replaces:
        return _run_alone(program, start, per_process[0])
    part = Part(start.loader, _children(program, start.settings, per_process))
    return supervise(program.name, part.children, parts=[part], claim=start.claim, tell=start.tell)


def children_of(program: Program[S], settings: S, *, mendable: bool = False) -> list[Child]:
    """Bind a program's sockets and give a child for each of its processes, not yet started.

    Args:
        program: what they run.
        settings: what they are told.
        mendable: whether one that cannot start waits to be replaced, instead of ending the others.

    Raises:
        ProcessError: a socket cannot be bound.
    """
    return _children(program, settings, program.bind(settings), mendable=mendable)


def supervise(
    name: str,
    children: Sequence[Child],
    *,
    parts: Sequence[Part[Any]] = (),
    claim: Claim | None = None,
    tell: Callable[[str], None] = say,
    on_ready: Callable[[Addresses], None] | None = None,
    beside: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> ExitCode:
    """Run children under this process until it is told to stop; call `prepare` before.

    Args:
        name: stands in the ready line.
        children: of one program or of several.
        parts: those of the children whose settings a reload reads anew.
        claim: the instance that this is, for its control socket.
        tell: takes the ready line.
        on_ready: called once with all addresses instead.
        beside: runs on the loop for as long as the children do.

    Returns:
        OK, after a clean stop of all.

    Raises:
        ProcessError: a child could not start, or did not stop cleanly.
    """
    if os.name != "posix":
        raise StartupError("several processes need a POSIX system; run one role with one process")
    for package in {child.package for child in children}:
        refuse_shadow(package)
    ready = on_ready or (lambda addresses: announce(name, addresses, tell))
    supervisor = Supervisor(children, announce=ready, reread=lambda: reread(parts))
    steering = control.Steering(
        stop_timeout=lambda: max(child.settings.stop_timeout for child in children) + KILL_GRACE,
    )

    def end_now() -> NoReturn:
        supervisor.kill()
        _end_now()

    async def live() -> None:
        listen(supervisor.order, end_now)
        async with control.serving(claim, supervisor, steering), _running(beside):
            await supervisor.live()

    run_to_end(live(), fast=False)
    return ExitCode.OK


@asynccontextmanager
async def _running(beside: Callable[[], Coroutine[Any, Any, None]] | None) -> AsyncIterator[None]:
    if beside is None:
        yield
        return
    task = asyncio.create_task(beside())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.result()


def announce(name: str, addresses: Addresses, tell: Callable[[str], None] = say) -> None:
    """Tell the ready line; in the log it stands at DEBUG, since a terminal shows both."""
    line = ready_line(name, addresses, os.getpid())
    logger.debug("%s", line)
    tell(line)


def _run_alone(program: Program[S], start: Launch[S], sockets: Sockets) -> ExitCode:
    def ready(addresses: Addresses) -> None:
        collector.calm()
        announce(program.name, addresses, start.tell)

    def reread() -> S:
        return start.loader.load().settings

    daemon = Daemon(
        start.settings,
        program.role,
        name=program.name,
        sockets=sockets,
        announce=ready,
        reread=reread,
    )
    steering = control.Steering(
        stop_timeout=lambda: daemon.settings.stop_timeout + STUCK_GRACE,
    )

    async def live() -> None:
        listen(daemon.order, _end_now)
        async with control.serving(start.claim, daemon, steering):
            await daemon.live()

    run_to_end(live())
    return ExitCode.OK


def _children(
    program: Program[S], settings: S, per_process: Sequence[Sockets], *, mendable: bool = False
) -> list[Child]:
    return [
        Child(
            program.name,
            program.package,
            settings,
            sockets,
            number,
            replaces=program.replaces,
            stop_stage=program.stop_stage,
            mendable=mendable,
        )
        for number, sockets in enumerate(per_process)
    ]


def _end_now() -> NoReturn:
    os.write(2, b"second signal: ended at once\n")
    os._exit(ExitCode.FAILED)
