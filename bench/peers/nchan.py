"""Nchan in the system's nginx, and its publisher: pipelined HTTP on one connection that stays open."""

from __future__ import annotations

import socket
import subprocess
import time
from typing import TYPE_CHECKING, BinaryIO, Final, Self

from bench.peers.installing import FOLDER, NGINX, SERVERS
from bench.programs import PATIENCE, BenchError, Program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.peers.catalogue import Contestant

__all__ = ["Nchan", "read_answer"]

PAUSE: Final = 0.05
"""Seconds between two attempts to connect to an nginx that starts: it says nothing when it is ready."""

ADDRESS: Final = "127.0.0.1"


class Nchan:
    """An nginx with one channel."""

    def __init__(self, contestant: Contestant) -> None:
        """Start it."""
        with socket.create_server((ADDRESS, 0)) as free:
            self.port = free.getsockname()[1]  # nginx cannot be told to choose one
        folder = FOLDER / contestant.name
        folder.mkdir(parents=True, exist_ok=True)
        config = (SERVERS / contestant.server).read_text()
        written = folder / "nginx.conf"
        written.write_text(config.replace("PORT", f"{self.port}").replace("FOLDER", f"{folder}"))
        command: list[str | Path] = [NGINX, "-p", folder, "-c", written]
        _check(command)
        self.program = Program(contestant.name, command)
        self._socket = self._connect()
        self._answers = self._socket.makefile("rb")

    def __repr__(self) -> str:
        return f"<Nchan at {self.port}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.close()
        self._socket.close()
        self.program.close()

    def gather(self) -> None:
        """Do nothing: who connects is subscribed."""

    def send(self, texts: Sequence[str]) -> None:
        """Post messages to the channel, and wait for all answers."""
        head = f"POST /publish HTTP/1.1\r\nHost: {ADDRESS}\r\nContent-Length: "
        posts = [f"{head}{len(text)}\r\n\r\n{text}" for text in texts]
        self._socket.sendall("".join(posts).encode())
        for _ in texts:
            read_answer(self._answers)

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return socket.create_connection((ADDRESS, self.port), PATIENCE)
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    self.program.close()
                    raise BenchError(f"nginx does not listen within {PATIENCE:g} s") from None
            time.sleep(PAUSE)


def _check(command: Sequence[str | Path]) -> None:
    """Have nginx read its configuration: when it is started, it could only end.

    Raises:
        BenchError: If it does not accept it, as one without the module.
    """
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    if checked.returncode:
        reason = (checked.stderr.splitlines() or ["no reason"])[0]
        raise BenchError(f"nginx does not accept its configuration: {reason}")


def read_answer(answers: BinaryIO) -> None:
    """Read one answer to its end.

    Raises:
        BenchError: If it is not one of success.
    """
    status, size = answers.readline(), 0
    while (line := answers.readline().strip()) != b"":
        name, value = line.lower().split(b":", 1)
        if name == b"content-length":
            size = int(value)
    answers.read(size)
    if not status.startswith(b"HTTP/1.1 20"):
        raise BenchError(f"Nchan answered {status!r}")
