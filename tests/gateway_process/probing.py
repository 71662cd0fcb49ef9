"""Runs the role in `roles/probe` as a daemon, alone or under a supervisor, and talks to it."""

import os
import socket
import time
from pathlib import Path
from typing import Final, Self

import psutil

from gateway_process.instance import Instance
from tests.support.daemons import Daemon, run
from tests.support.waiting import PATIENCE

ROLES: Final = Path(__file__).parent / "roles"
ROOT: Final = Path(__file__).parents[2]
ENVIRONMENT: Final = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROLES}"}


def probe(*flags: str, **environment: str) -> Daemon:
    """Give the daemon, not yet started."""
    return Daemon("probe", "start", *flags, environment=ENVIRONMENT | environment)


def refused(*flags: str, **environment: str) -> tuple[int, str]:
    """Run it to its end; give exit code and stderr."""
    code, _, stderr = run("probe", "start", *flags, environment=ENVIRONMENT | environment)
    return code, stderr


class Talk:
    """A connection to a probe; each `ask` gives the line that answers."""

    def __init__(self, daemon: Daemon) -> None:
        host, _, port = daemon.ready.probe.rpartition(":")
        self._sock = socket.create_connection((host, int(port)), PATIENCE)
        self._lines = self._sock.makefile("r")

    def ask(self, word: str) -> str:
        """Send a word and give the answer; empty when the probe has ended."""
        self.say(word)
        try:
            return self._lines.readline().strip()
        except ConnectionError:
            return ""

    def say(self, word: str) -> None:
        """Send a word."""
        self._sock.sendall(f"{word}\n".encode())

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def children(daemon: Daemon) -> list[psutil.Process]:
    """Give the processes it has started."""
    return psutil.Process(daemon.pid).children(recursive=True)


def an_instance(name: str = "web") -> Instance:
    """Describe one that is this process."""
    return Instance(
        name=name,
        program="gateway",
        package="gateway",
        pid=os.getpid(),
        since=time.time(),
        arguments=("start", "--processes", "2"),
        folder=str(Path.cwd()),
        stop_timeout=25.0,
    )
