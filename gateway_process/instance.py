"""Instances: what runs on this machine, by name, and the files by which it is found.

A running instance owns three files in the run directory, which is its user's alone:

    <name>.pid    first line the pid, second line a JSON object; locked for as long as it lives, which
                  alone says whether it runs; see `pid_file`
    <name>.sock   its control socket, mode 0600; see `control`
    <name>.log    what `start -d` writes when no --log-file is given; it stays

No secret is ever written here.
"""

import json
import os
import socket
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from gateway_process.errors import StartupError
from gateway_process.pid_file import LOOK_PAUSE, LOOKS, is_free, lock_file, opened, unreadable

__all__ = [
    "Claim",
    "Instance",
    "RunDir",
    "RunDirUnusable",
    "default_run_dir",
]

BACKLOG: Final = 64
"""Commands that may wait for the control socket; people type them."""
OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class RunDirUnusable(StartupError):
    """Nothing can be written in the run directory; a foreground start goes on without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A running instance as its pid file tells.

    Attributes:
        name: What it is called.
        program: The program that it is, such as `gateway`.
        package: `python -m` of it starts it again.
        pid: Its process; under a supervisor that one's.
        since: When it was started, in seconds of the epoch.
        arguments: Its command line, without secrets, name, run directory and `-d`.
        left_out: Flags that stood in the command line and are secrets.
        background: Whether it was started with `-d`.
        folder: Its working directory.
        stop_timeout: Its setting when it started, in seconds.
    """

    name: str
    program: str
    package: str
    pid: int
    since: float
    arguments: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    background: bool = False
    folder: str
    stop_timeout: float

    def __str__(self) -> str:
        """`gateway (pid 4711, since 2026-08-22 12:00:00)`."""
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return f"{self.name} (pid {self.pid}, since {began})"

    def written(self) -> bytes:
        """Give the content of its pid file."""
        return f"{self.pid}\n{json.dumps(asdict(self))}\n".encode()

    @classmethod
    def read(cls, content: bytes) -> Self | None:
        """Read the content of a pid file; None while it is being written."""
        try:
            said = json.loads(content.split(b"\n")[1])
            lists = {name: tuple(said[name]) for name in ("arguments", "left_out")}
            return cls(**{**said, **lists})
        except (LookupError, ValueError, TypeError):
            return None


def default_run_dir(uid: int, session: str | None) -> Path:
    """Give the folder that is used when none is set.

    Args:
        uid: whose it is.
        session: what $XDG_RUNTIME_DIR says.
    """
    if uid == 0:
        return Path("/run/gatewayworker")
    if session:
        return Path(session) / "gatewayworker"
    return Path(tempfile.gettempdir()) / f"gatewayworker-{uid}"


class Claim:
    """What makes this process an instance: its locked pid file and its listening control socket.

    Args:
        instance: who it is.
        files: its socket, then its pid file: in this order they are removed, since the name is free
            for others once the pid file is gone.
        lock: the descriptor that holds the lock.
        sock: the control socket.
    """

    def __init__(
        self, instance: Instance, files: Sequence[Path], lock: int, sock: socket.socket
    ) -> None:
        self.instance = instance
        self.socket = sock
        self._files = files
        self._lock = lock

    def __repr__(self) -> str:
        return f"<Claim on {self._files[-1]}>"

    def release(self) -> None:
        """Remove the files. The lock goes with the process, so that its end is what others see."""
        for file in self._files:
            file.unlink(missing_ok=True)
        self.socket.close()


class RunDir:
    """The folder of the instances' files.

    Args:
        path: where it is; None for the default.
    """

    def __init__(self, path: Path | None = None) -> None:
        default = default_run_dir(os.geteuid(), os.environ.get("XDG_RUNTIME_DIR"))
        self.path = (path or default).absolute()

    def __repr__(self) -> str:
        return f"<RunDir {self.path}>"

    def log_of(self, name: str) -> Path:
        """Say where `start -d` logs when it is told nothing else."""
        return self.path / f"{name}.log"

    def socket_of(self, name: str) -> Path:
        """Say where an instance's control socket is."""
        return self.path / f"{name}.sock"

    def _pid_file(self, name: str) -> Path:
        return self.path / f"{name}.pid"

    # For a start

    def make(self) -> None:
        """See that the folder is there, and nobody else's to write in.

        Raises:
            RunDirUnusable: it cannot be made, or not be written in.
            StartupError: others could put files of theirs into it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except FileExistsError as error:
            raise self._unusable("it is a file") from error
        except OSError as error:
            raise self._unusable(error.strerror) from error
        self._refuse_others(may_belong_to={0, os.geteuid()})
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise self._unusable("no permission to write")

    def claim(self, instance: Instance) -> Claim:
        """Become an instance.

        Raises:
            StartupError: one of this name runs already, its pid file is a symbolic link, or the
                socket's path is too long.
            RunDirUnusable: the files cannot be written.
        """
        pid_file, control = self._pid_file(instance.name), self.socket_of(instance.name)
        try:
            lock = lock_file(pid_file)
            if lock is None:
                raise self._already(instance.name)
            try:
                os.pwrite(lock, instance.written(), 0)
                os.ftruncate(lock, len(instance.written()))
                sock = _listening(control)
            except BaseException:
                pid_file.unlink()
                os.close(lock)
                raise
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error
        return Claim(instance, (control, pid_file), lock, sock)

    def _already(self, name: str) -> StartupError:
        running = self.find(name)
        if running is None:  # it has ended this very moment, or begins
            return StartupError(f"{name} is being started or stopped; try again")
        what = name if name == running.program else f"{running.program} {name!r}"
        remedy = "stop it, or give this one another --name"
        return StartupError(f"{what} is already running (pid {running.pid}); {remedy}")

    def _unusable(self, reason: str | None) -> RunDirUnusable:
        return RunDirUnusable(
            f"run directory {self.path} cannot be used ({reason}); name another with --run-dir"
        )

    def _refuse_others(self, may_belong_to: set[int]) -> None:
        found = self.path.stat()
        if found.st_uid not in may_belong_to:
            raise StartupError(
                f"run directory {self.path} belongs to another user (uid {found.st_uid}); name your own"
                " with --run-dir"
            )
        if found.st_mode & OTHERS_WRITE:
            raise StartupError(
                f"run directory {self.path} can be written by other users; chmod go-w it, or name"
                " another with --run-dir"
            )

    # For who looks

    def running(self) -> list[Instance]:
        """Give the instances that run, by name.

        Raises:
            StartupError: others could have put files of theirs into the folder, or it is theirs and
                cannot be looked into, or it is a file.
        """
        try:
            files = sorted(self.path.iterdir())
        except FileNotFoundError:
            return []
        except NotADirectoryError as error:
            raise self._unusable("it is a file, or lies below one") from error
        except OSError as error:
            raise unreadable(self.path, error) from error
        me = os.geteuid()
        self._refuse_others(may_belong_to={0, me} if me else {0, self.path.stat().st_uid})
        names = [file.stem for file in files if file.suffix == ".pid"]
        return [found for found in map(self.find, names) if found is not None]

    def find(self, name: str) -> Instance | None:
        """Give the instance of this name, if it runs.

        Raises:
            StartupError: its file is another user's and cannot be read.
        """
        with opened(self._pid_file(name)) as fd:
            for _ in range(LOOKS):
                if fd is None or is_free(fd):
                    return None
                instance = Instance.read(os.pread(fd, os.fstat(fd).st_size, 0))
                if instance is not None and instance.name == name:
                    return instance
                time.sleep(LOOK_PAUSE)  # it is being written
        return None

    @contextmanager
    def watching(self, instance: Instance) -> Iterator[Callable[[], bool]]:
        """Give a question about an instance: whether its process is still there.

        Its files are gone a moment earlier, hence ask before it is told to end.
        """
        with opened(self._pid_file(instance.name)) as fd:
            yield lambda: fd is not None and not is_free(fd)

    def is_ours(self, instance: Instance) -> bool:
        """Say whether its pid file is this user's, and so may say what this user runs."""
        with suppress(FileNotFoundError):  # it has ended meanwhile
            return self._pid_file(instance.name).stat().st_uid == os.geteuid()
        return True

    def owns(self, instance: Instance) -> bool:
        """Say whether the pid is a process of whoever wrote the pid file; true where nobody can tell."""
        with suppress(OSError):
            owner = self._pid_file(instance.name).stat().st_uid
            return Path(f"/proc/{instance.pid}").stat().st_uid == owner
        return True


def _listening(path: Path) -> socket.socket:
    """Open a control socket that only its user may connect to."""
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        sock.bind(str(path))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno is None:  # Python's own check
            remedy = "name a shorter folder with --run-dir"
            problem = f"control socket {path} has a path longer than a socket may have"
            raise StartupError(f"{problem} (about 100 bytes); {remedy}") from error
        raise
    finally:
        os.umask(before)
    sock.setblocking(False)  # noqa: FBT003 -- its only form
    return sock
