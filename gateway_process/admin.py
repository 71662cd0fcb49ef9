"""What the commands about running instances do: choose one, ask it, stop it, start it again.

An instance is asked on its control socket. Only a stop does without: where nobody answers there, because
the process is frozen or its loop is stuck, it goes on by signal, and in the end by SIGKILL.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from gateway_process.control import Control
from gateway_process.errors import (
    NotRunning,
    ProcessError,
    RunError,
    SettingsError,
    StartupError,
)
from gateway_process.inspection import ConnectionPage, ConnectionQuery
from gateway_process.instance import Instance, RunDir
from gateway_process.signals import Order
from gateway_process.status_view import Sample

__all__ = ["Asked", "Unclean", "choose", "restart_command", "start_again", "stop"]

ANSWER_TIME: Final = 5.0
"""Seconds in which an instance must answer; a supervisor itself waits a part of it for its children."""
END_GRACE: Final = 5.0
"""Seconds beyond what a stop may take until the process is killed: it ends itself a little earlier."""
LOOK: Final = 0.05
"""Seconds between two looks whether a process has ended: no system tells it of others everywhere."""
_SIGNALS: Final = {Order.STOP: "SIGTERM", Order.DRAIN: "SIGQUIT"}


def choose(run_dir: RunDir, program: str, name: str | None) -> Instance:
    """Find the instance that a command is about.

    Args:
        run_dir: where the instances of this user are.
        program: whose command it is.
        name: what was asked for; None for the only one of this program.

    Raises:
        NotRunning: there is none.
        SettingsError: there are several, or the name is another program's.
    """
    running = run_dir.running()
    if name is None:
        return _only([each for each in running if each.program == program], run_dir)
    found = next((each for each in running if each.name == name), None)
    if found is None:
        others = _listed([each for each in running if each.program == program])
        raise NotRunning(f"{name!r} is not running{others} (looked in {run_dir.path})")
    if found.program != program:
        remedy = f"use the command {found.program}"
        raise SettingsError("--name", f"is a {found.program}", remedy, value=name)
    return found


def _only(running: list[Instance], run_dir: RunDir) -> Instance:
    if not running:
        raise NotRunning(f"not running (looked in {run_dir.path})")
    if len(running) > 1:
        raise SettingsError("--name", f"is needed{_listed(running)}", "name one of them")
    return running[0]


def _listed(running: list[Instance]) -> str:
    return f"; running: {', '.join(map(str, running))}" if running else ""


class Unclean(RunError):
    """An instance has ended as it was told, but not cleanly."""


class Asked:
    """An instance that answers, over one connection.

    Args:
        instance: which.
        control: the connection.
    """

    def __init__(self, instance: Instance, control: Control) -> None:
        self.instance = instance
        self._control = control

    def __repr__(self) -> str:
        return f"<Asked {self.instance}>"

    @classmethod
    @contextmanager
    def of(cls, run_dir: RunDir, instance: Instance) -> Iterator["Asked"]:
        """Connect to an instance.

        Raises:
            NoAnswer: nobody listens.
        """
        with Control(run_dir.socket_of(instance.name), ANSWER_TIME) as control:
            yield cls(instance, control)

    def sample(self) -> Sample:
        """Ask how the processes are.

        Raises:
            ProcessError: it did not answer.
        """
        processes = self._control.ask("status")["processes"]
        return Sample.read(time.monotonic(), processes)

    def connections(self, query: ConnectionQuery) -> ConnectionPage:
        """Ask for connections until the page is full: each answer is of those that one look finds.

        Raises:
            ProcessError: it did not answer, or the query is wrong.
        """
        found = ConnectionPage(next=query.after)
        while True:
            rest = replace(query, limit=query.limit - len(found.rows), after=found.next)
            part = ConnectionPage(**self._control.ask("connections", query=asdict(rest)))
            found.rows.extend(part.rows)
            found.silent.extend(part.silent)
            found = replace(found, next=part.next)
            if not part.next or len(found.rows) >= query.limit:
                return found

    def reload(self, tell: Callable[[str], None]) -> dict[str, Any]:
        """Have it reload, and wait until every process has, or was replaced; Ctrl-C ends the waiting.

        Args:
            tell: takes what should be said meanwhile.

        Returns:
            `applied` and `needs_restart`, the settings that have changed, and `replaced`, the number
            of processes that were.

        Raises:
            ProcessError: it did not answer, its settings are wrong now, a process could not take
                them over or be replaced, or the waiting was interrupted.
        """
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        still = "still reloading; Ctrl-C ends the waiting, not the reload"
        try:
            return self._control.ask(Order.RELOAD.value, on_wait=lambda: tell(still))
        except KeyboardInterrupt:
            raise RunError("not waited for; the reload goes on") from None
        finally:
            signal.signal(signal.SIGINT, before)

    def end(self, order: Order) -> float:
        """Have it stop or drain; gives the seconds that its stop may take.

        Raises:
            ProcessError: it did not answer.
        """
        limit: float = self._control.ask(order.value)["stop_timeout"]
        return limit

    def last_word(self) -> str:
        """Give why it did not end cleanly, once it has ended; empty if it did or cannot say."""
        return self._control.last_word()


def stop(
    run_dir: RunDir,
    instance: Instance,
    order: Order,
    tell: Callable[[str], None],
    *,
    grace: float = END_GRACE,
) -> None:
    """Stop an instance and wait until it has ended.

    A drain takes as long as its peers do, up to the instance's own deadline. The first Ctrl-C is
    answered, the second ends the waiting; the instance goes on with its stop.

    Args:
        run_dir: where it is.
        instance: which.
        order: STOP or DRAIN.
        tell: takes what should be said meanwhile.
        grace: seconds beyond what its stop may take, after which it is killed.

    Raises:
        Unclean: it had to be killed, or says that not all of it stopped as it should.
        RunError: the waiting was interrupted.
    """
    with run_dir.watching(instance) as lives, _interruptible(tell), ExitStack() as stack:
        asked, limit = _order_end(run_dir, instance, order, tell, stack)
        deadline = None if order is Order.DRAIN else time.monotonic() + limit + grace
        if not _ended(lives, deadline):
            _kill(run_dir, instance, signal.SIGKILL)
            raise Unclean(f"{instance} did not stop in time and was killed")
        if asked is not None and (why := asked.last_word()):
            raise Unclean(f"{instance} has ended, but not cleanly: {why}")


def _order_end(
    run_dir: RunDir,
    instance: Instance,
    order: Order,
    tell: Callable[[str], None],
    stack: ExitStack,
) -> tuple[Asked | None, float]:
    """Have it stop; give the connection to it, if there is one, and how long its stop may take."""
    try:
        asked = stack.enter_context(Asked.of(run_dir, instance))
        return asked, asked.end(order)
    except ProcessError:
        name = _SIGNALS[order]
        tell(f"{instance} does not answer; stopping it by {name}")
        _kill(run_dir, instance, signal.Signals[name])
        _kill(run_dir, instance, signal.SIGCONT)  # one that was frozen can stop in order now
        return None, instance.stop_timeout


def _kill(run_dir: RunDir, instance: Instance, number: signal.Signals) -> None:
    if not run_dir.owns(instance):
        raise RunError(f"pid {instance.pid} is not a process of the instance's user; not signalled")
    with suppress(ProcessLookupError):
        os.kill(instance.pid, number)


def _ended(lives: Callable[[], bool], deadline: float | None) -> bool:
    while lives():
        if deadline is not None and time.monotonic() > deadline:
            return False
        time.sleep(LOOK)
    return True


@contextmanager
def _interruptible(tell: Callable[[str], None]) -> Iterator[None]:
    """Answer the first Ctrl-C, and let the second end the block."""
    interrupted = False

    def on_interrupt(_number: int, _frame: object) -> None:
        nonlocal interrupted
        if interrupted:
            raise KeyboardInterrupt
        interrupted = True
        tell("still stopping; Ctrl-C again ends the waiting, not the stop")

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    except KeyboardInterrupt:
        raise RunError("not waited for; it goes on stopping") from None
    finally:
        signal.signal(signal.SIGINT, before)


def restart_command(run_dir: RunDir, instance: Instance, *, daemon: bool) -> list[str]:
    """Give the command line that starts an instance as it was started.

    Args:
        run_dir: where it is.
        instance: which; it still runs.
        daemon: in the background, also if it was not.

    Raises:
        SettingsError: it was given a secret as a flag, which is kept nowhere.
        StartupError: it is another user's, or its working directory is gone.
    """
    if not run_dir.is_ours(instance):  # what its file says would be run by us
        raise StartupError(f"{instance} is another user's; restart it as that user")
    if instance.left_out:
        remedy = "stop it and start it anew, with the secret in a file, for which restart works"
        problem = "was given as a flag and is kept nowhere"
        raise SettingsError(", ".join(instance.left_out), problem, remedy)
    if not Path(instance.folder).is_dir():
        raise StartupError(f"its working directory {instance.folder} is gone; stop it and start it")
    background = ["-d"] if daemon or instance.background else []
    here = ["--name", instance.name, "--run-dir", str(run_dir.path)]
    arguments = [*instance.arguments, *here, *background]
    return [sys.executable, "-P", "-m", instance.package, *arguments]


def start_again(command: list[str]) -> None:
    """Become the start command; does not return."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command[0], command)  # noqa: S606 -- our own command line, no shell
