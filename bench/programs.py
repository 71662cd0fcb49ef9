"""Processes under measurement: started, spoken to in lines, read from /proc, ended.

Every program here prints lines of words and `key=value` pairs, and may obey lines on its stdin.
"""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["BUILD", "HERE", "BenchError", "Program", "can_compile", "compiled"]

HERE: Final = Path(__file__).parent
BUILD: Final = HERE.parent / "build" / "bench"
"""Where compiled programs, logs and results lie."""

PATIENCE: Final = 60.0
"""Seconds to wait for a line before a run is given up: several times what any step takes."""

GRACE: Final = 10.0
"""Seconds a program has to end when it is asked to."""


class BenchError(Exception):
    """The bench cannot go on; the text says why."""


def can_compile() -> bool:
    """Whether there is a C compiler, and zlib's header."""
    command = ["cc", "-E", "-include", "zlib.h", "-x", "c", os.devnull]
    try:
        return not subprocess.run(command, capture_output=True, check=False).returncode
    except FileNotFoundError:
        return False


def compiled(name: str) -> Path:
    """Compile `bench/NAME*.c` if something here is newer than the program, and give the program.

    Raises:
        BenchError: If there is no C compiler, or it refuses.
    """
    sources, program = sorted(HERE.glob(f"{name}*.c")), BUILD / name
    newest = max(path.stat().st_mtime for path in (*sources, *HERE.glob("*.h")))
    if program.exists() and program.stat().st_mtime >= newest:
        return program
    BUILD.mkdir(parents=True, exist_ok=True)
    flags = ["-O2", "-std=gnu11", "-Wall", "-Wextra"]
    command = ["cc", *flags, "-o", str(program), *map(str, sources), "-lz"]
    try:
        subprocess.run(command, check=True)
    except FileNotFoundError:
        raise BenchError("no C compiler (cc): `make bench` installs one where it can") from None
    except subprocess.CalledProcessError as error:
        raise BenchError(f"cc refuses {name} (exit code {error.returncode})") from None
    return program


class Program:
    """One process; a context manager that ends it.

    Attributes:
        command: Its command line.
    """

    def __init__(self, name: str, command: Sequence[str | Path]) -> None:
        """Start it.

        Args:
            name: Its name in messages, and of the log that takes its stderr.
            command: Its command line.
        """
        self.command: Final = [str(part) for part in command]
        self._name = name
        self._log = BUILD / f"{name}.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, bufsize=0
            )
        self._unread = b""

    def __repr__(self) -> str:
        return f"<Program {self._name} pid {self._process.pid}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def tell(self, line: str) -> None:
        """Write a line to its stdin."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    def line(self, starting_with: str, timeout: float = PATIENCE) -> dict[str, str]:
        """Wait for a line that starts so; give its `key=value` pairs.

        Raises:
            BenchError: If the program ends or says nothing in time.
        """
        while True:
            while b"\n" not in self._unread:
                self._read(starting_with, timeout)
            line, self._unread = self._unread.split(b"\n", 1)
            words = line.decode().split()
            if words and words[0] == starting_with:
                return dict(word.split("=", 1) for word in words if "=" in word)

    def _read(self, waited_for: str, timeout: float) -> None:
        assert self._process.stdout is not None
        out = self._process.stdout.fileno()
        if not select.select([out], [], [], timeout)[0]:
            raise BenchError(f"{self._name} did not say {waited_for!r} within {timeout:g} s")
        data = os.read(out, 1 << 16)
        if not data:
            raise BenchError(f"{self._name} ended before {waited_for!r}{self._last_words()}")
        self._unread += data

    def _last_words(self) -> str:
        """What it said last, and where the rest stands."""
        lines = self._log.read_text(errors="replace").splitlines()
        return f"{': ' + lines[-1] if lines else ''}; see {self._log}"

    def cpu_ns(self) -> int:
        """Return the CPU time of its threads and of its children, user and system, in nanoseconds."""
        return sum(map(_cpu_ns, _family(self._process.pid)))

    def resident_bytes(self) -> int:
        """Return the memory that is resident now, of it and of its children (RSS)."""
        return sum(_memory_bytes(pid, "Rss:") for pid in _family(self._process.pid))

    def proportional_bytes(self) -> int:
        """Return the same where a page that several processes share counts once among them (PSS)."""
        return sum(_memory_bytes(pid, "Pss:") for pid in _family(self._process.pid))

    def close(self) -> None:
        """End it: politely first; harmless when it has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _cpu_ns(pid: int) -> int:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def _memory_bytes(pid: int, kind: str) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(kind):
            return int(line.split()[1]) * 1024
    raise BenchError(f"the kernel does not tell the {kind} of a process")
