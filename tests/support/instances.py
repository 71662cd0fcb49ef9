"""Instances in the background, and the commands about them, as a user types them.

    with Instances() as instances:
        ready = instances.start("register", "--listen=127.0.0.1:0", "--http=127.0.0.1:0")
        assert instances("register", "status").code == 0

All share one run directory; what still runs at the end is killed.
"""

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from gateway_process.instance import Instance, RunDir
from tests.support.daemons import MODULE, Ready, clean_environment, new_run_dir
from tests.support.waiting import PATIENCE, eventually


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Instances:
    """A run directory, and commands that use it.

    Args:
        environment: variables of all commands besides the test's own.
        folder: their working directory; the test's own if None.
    """

    def __init__(
        self, environment: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> None:
        self.path: Final = new_run_dir()
        self._folder = folder
        here = {"GATEWAYWORKER_RUN_DIR": str(self.path)}
        self._environment = clean_environment() | here | dict(environment or {})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for instance in self.running():
            with suppress(ProcessLookupError):
                os.kill(instance.pid, signal.SIGKILL)
        if error is not None:
            for log in self.path.glob("*.log"):
                error.add_note(f"{log.name}:\n{log.read_text()}")

    def __call__(self, *command: str) -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            [*MODULE, *command],
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def launch(self, *command: str) -> "subprocess.Popen[str]":
        """Run a command and go on; its output is piped."""
        return subprocess.Popen(
            [*MODULE, *command],
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start(self, program: str, *flags: str) -> Ready:
        """Start one in the background and give its ready line."""
        done = self(program, "start", "-d", *flags)
        assert done.code == 0, done.err
        return Ready(done.out.strip())

    def running(self) -> list[Instance]:
        """Give those that run."""
        return RunDir(self.path).running()

    def the(self, name: str) -> Instance:
        """Give one that runs."""
        (found,) = (each for each in self.running() if each.name == name)
        return found

    def ended(self) -> None:
        """Wait until none runs."""
        eventually(lambda: not self.running())

    def log(self, name: str) -> str:
        """Give what one has logged in the background."""
        return (self.path / f"{name}.log").read_text()
