"""Real daemons for tests: started as their users start them, ready when they say so.

A daemon prints one line `ready <role> key=value ...` on stdout once it listens; that line is the
event a test waits for and the place where the ports chosen by the kernel stand. Daemons are ended
hard when a test leaves them behind; a test about stopping says how with `stop` or `kill`.

Each has a run directory of its own, so that all may be called by their program's name.
"""

import atexit
import itertools
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from tests.support.waiting import PATIENCE

READY: Final = "ready "

DEV_ON_ANY_PORT: Final = (
    "dev",
    "--listen=ws://127.0.0.1:0",
    "--http=127.0.0.1:0",
    "--start-port=0",
    "--register-listen=127.0.0.1:0",
    "--register-http=127.0.0.1:0",
    "--demo-listen=127.0.0.1:0",
)
"""The command line of `gateway dev` beside others: every port is the kernel's choice."""

MODULE: Final = (sys.executable, "-P", "-m")
"""How our packages run: by this interpreter, without the working directory on the path."""

_numbers: Final = itertools.count()

LineSink = Callable[[str | None], None]
"""Gets each line of a pipe, and None at its end."""


class DaemonFailed(AssertionError):
    """A daemon ended, or said nothing, where it should have become ready; carries its stderr."""


class Ready:
    """What a ready line says; each `key=value` is an attribute, such as `ready.http`."""

    def __init__(self, line: str) -> None:
        role, *pairs = line.removeprefix(READY).split()
        self.role: Final = role
        self.addresses: Final = dict(pair.split("=", 1) for pair in pairs)

    def __getattr__(self, name: str) -> str:
        try:
            return self.addresses[name]
        except KeyError:
            raise AttributeError(f"{self!r} names no {name!r}") from None

    def __repr__(self) -> str:
        return f"<Ready {self.role} {self.addresses}>"


class Daemon:
    """One daemon of ours as a child process.

    `Daemon("register", "start", "--http", "127.0.0.1:0")` runs `python -P -m register start ...`.
    As a context manager it starts on entry and is killed on exit if it still runs.

    Args:
        arguments: The package and its command line.
        environment: Variables added to the test's own (those of `GATEWAYWORKER_*` are taken out).
        folder: Its working directory; the test's own if None.
        launcher: What stands before the arguments; `[".../bin/gateway"]` runs a console script.

    Attributes:
        environment: All its variables; may be changed before it is launched.
    """

    ready: Ready

    def __init__(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        launcher: Sequence[str] = MODULE,
    ) -> None:
        self.command: Final = [*launcher, *arguments]
        self._name = " ".join(arguments)
        self.run_dir: Final = new_run_dir()
        here = {"GATEWAYWORKER_RUN_DIR": str(self.run_dir)}
        self.environment: Final = clean_environment() | here | dict(environment or {})
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._stdout: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stderr: list[str] = []
        self._readers: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        if error is not None:
            error.add_note(f"stderr of {self._name}:\n{self.stderr}")

    def __repr__(self) -> str:
        state = "not started" if self._process is None else f"pid {self._process.pid}"
        return f"<Daemon {self._name}: {state}>"

    # Starting

    def launch(self) -> None:
        """Start the process without waiting for anything, as for one that must refuse to start."""
        process = subprocess.Popen(
            self.command,
            env=self.environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._process = process
        self._stderr.clear()
        self._stdout = queue.SimpleQueue()
        assert process.stdout is not None
        assert process.stderr is not None
        self._readers = [
            _reader(process.stdout, _lines_into(self._stdout)),
            _reader(process.stderr, lambda line: self._stderr.append(line or "")),
        ]

    def start(self) -> Ready:
        """Start the process and wait for its ready line."""
        self.launch()
        return self.become_ready()

    def become_ready(self) -> Ready:
        """Wait for the ready line of one that was launched; so that several start side by side."""
        try:
            self.ready = Ready(self.line(starting_with=READY))
        except BaseException:
            self.kill()
            raise
        return self.ready

    def line(self, *, starting_with: str = "", timeout: float = PATIENCE) -> str:
        """Give the next line on stdout that starts so, waiting for it."""
        while True:
            try:
                line = self._stdout.get(timeout=timeout)
            except queue.Empty:
                raise self._failure(f"no line {starting_with!r} within {timeout} s") from None
            if line is None:
                raise self._failure(f"it ended with {self.wait()} before a line {starting_with!r}")
            if line.startswith(starting_with):
                return line

    # Looking

    @property
    def pid(self) -> int:
        """The process id."""
        return self._running().pid

    @property
    def stderr(self) -> str:
        """What it has written to stderr so far; all of it once it has ended."""
        return "".join(self._stderr)

    # Ending and freezing

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._running().send_signal(number)

    def freeze(self) -> None:
        """Stop it in its tracks (SIGSTOP); its sockets stay open."""
        self.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        self.send_signal(signal.SIGCONT)

    def stop(self, number: signal.Signals = signal.SIGTERM, *, code: int = 0) -> None:
        """Ask it to stop and see that it does, with this exit code."""
        self.send_signal(number)
        ended = self.wait()
        assert ended == code, f"{self!r} ended with {ended}, not {code}:\n{self.stderr}"

    def kill(self) -> None:
        """End it and all its children at once (SIGKILL); harmless when it has ended."""
        if self._process is None:
            return
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self.wait()

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait until it has ended and all it wrote has been read; give its exit code."""
        process = self._running()
        code = process.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
        return code

    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None, f"{self!r}: call start first"
        return self._process

    def _failure(self, what: str) -> DaemonFailed:
        return DaemonFailed(f"{' '.join(self.command)}: {what}; stderr:\n{self.stderr}")


def run(*command: str, environment: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Run one of our commands to its end; give exit code, stdout and stderr."""
    here = {"GATEWAYWORKER_RUN_DIR": str(new_run_dir())}
    done = subprocess.run(
        [*MODULE, *command],
        env=clean_environment() | here | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def new_run_dir() -> Path:
    """Give a run directory that nobody has; it is made by whoever uses it."""
    return run_dirs() / str(next(_numbers))


@cache
def run_dirs() -> Path:
    """Give the folder of all run directories, which goes with this process.

    It is made when it is asked for: processes under test import this too, and end by SIGKILL. Its name is
    short, since the path of a socket may have 100 bytes only.
    """
    made = Path(tempfile.mkdtemp(prefix="gw-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def clean_environment() -> dict[str, str]:
    """Give the test's environment without settings of ours that the machine may have."""
    ours = "GATEWAYWORKER_"
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _lines_into(lines: queue.SimpleQueue[str | None]) -> LineSink:
    return lambda line: lines.put(None if line is None else line.rstrip("\n"))


def _reader(stream: IO[str], sink: LineSink) -> threading.Thread:
    """Read a pipe in the background, so that a talkative daemon never blocks on it."""

    def read() -> None:
        with stream:
            for line in stream:
                sink(line)
        sink(None)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread
