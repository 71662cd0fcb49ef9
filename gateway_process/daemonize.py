"""`start -d`: go on in the background, and let the starting command tell how it went.

    command ── fork ── setsid ── fork ── the daemon
       │                                    │
       └───────── reads a pipe ◄────────────┘   pid; then ready, or failed; the end of the pipe is a crash

The daemon has no terminal and can never get one. It keeps its working directory, because settings may
name files by relative paths; its standard output and error are the log. The command waits until all
is ready; when it is interrupted, it ends what it began.
"""

import json
import logging
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from gateway_process.errors import ChildError, ExitCode, ProcessError, StartupError

__all__ = ["Report", "in_background"]

logger = logging.getLogger(__package__)

LONG: Final = 3.0
"""Seconds of starting after which the command says where to look meanwhile."""
READ: Final = 65_536

Message = dict[str, Any]


class Report:
    """The daemon's end of the pipe.

    Args:
        fd: the descriptor.
    """

    def __init__(self, fd: int) -> None:
        self._fd: int | None = fd

    def __repr__(self) -> str:
        return f"<Report {'done' if self._fd is None else 'open'}>"

    def ready(self, line: str) -> None:
        """Say that it is ready, with the line to print; the command ends."""
        self._last({"ready": line})

    def failed(self, error: ProcessError) -> bool:
        """Say why it ends; false if nobody hears it any more."""
        return self._last({"failed": str(error), "exit_code": error.exit_code})

    def alive(self) -> None:
        """Say who it is."""
        self._write({"pid": os.getpid()})

    def _last(self, message: Message) -> bool:
        heard = self._write(message)
        if self._fd is not None:
            os.close(self._fd)
        self._fd = None
        return heard

    def _write(self, message: Message) -> bool:
        if self._fd is None:
            return False
        with suppress(OSError):  # the command has been killed
            os.write(self._fd, json.dumps(message).encode() + b"\n")
            return True
        return False


def in_background(work: Callable[[Report], ExitCode], name: str, log: Path) -> ExitCode:
    """Do the work in a process of its own, without a terminal, and wait until it is ready.

    Args:
        work: what the daemon does; it says `ready` on its report.
        name: the program's name, for what is told meanwhile.
        log: where its standard output and error go.

    Returns:
        In the command OK; in the daemon what `work` gave.

    Raises:
        ProcessError: in the command, what kept the daemon from getting ready.
        StartupError: the log cannot be opened.
    """
    opened = _open(log)
    reading, writing = os.pipe()
    if child := os.fork():
        os.close(writing)
        os.close(opened)
        os.waitpid(child, 0)
        return _await(reading, name, log)
    os.close(reading)
    os.setsid()
    if os.fork():
        os._exit(0)
    _leave_terminal(opened)
    return _work(work, Report(writing))


def _open(log: Path) -> int:
    try:
        return os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    except OSError as error:
        problem = f"log file {log} cannot be opened ({error.strerror})"
        raise StartupError(f"{problem}; choose another with --log-file") from error


def _leave_terminal(log: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup means the command, not what outlives it


def _work(work: Callable[[Report], ExitCode], report: Report) -> ExitCode:
    report.alive()
    try:
        code = work(report)
    except ProcessError as error:
        if not report.failed(error):
            logger.error("%s", error)  # noqa: TRY400 -- one line says it all
        return error.exit_code
    report.failed(StartupError("it was stopped before it was ready"))  # heard by who still waits
    return code


# The command


def _await(reading: int, name: str, log: Path) -> ExitCode:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupted)
    messages = _Messages(reading)
    pid: int | None = None
    try:
        pid = _pid(messages.next())
        if not messages.wait(LONG):
            sys.stderr.write(f"{name}: starting takes long; {log} says why\n")
        last = messages.next()
    except KeyboardInterrupt:
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        raise StartupError("interrupted before it was ready; stopped it") from None
    return _outcome(last, log)


def _interrupted(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _pid(message: Message | None) -> int | None:
    return None if message is None else message["pid"]


def _outcome(message: Message | None, log: Path) -> ExitCode:
    if message is None:
        raise StartupError(f"it ended before it was ready; {log} may say why")
    if "failed" in message:
        raise ChildError(message["failed"], ExitCode(message["exit_code"]))
    print(message["ready"], flush=True)  # noqa: T201 -- the command's output
    return ExitCode.OK


class _Messages:
    """The command's end of the pipe."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._buffer = b""

    def wait(self, seconds: float) -> bool:
        """Wait for something to come; false if nothing has."""
        return b"\n" in self._buffer or bool(select.select([self._fd], [], [], seconds)[0])

    def next(self) -> Message | None:
        """Give the next message, waiting for it; None if the daemon has ended."""
        while b"\n" not in self._buffer:
            data = os.read(self._fd, READ)
            if not data:
                return None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: Message = json.loads(line)
        return message
