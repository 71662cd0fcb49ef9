"""A locked pid file: the lock says whether an instance runs, never the pid.

The kernel lets go of a lock however its process ends, so a file left behind by a crash is free, whoever
has got its pid since. Only the owner takes the lock for itself, and only while it holds it removes the
file; whoever looks shares it for an instant. What stands in the file is `instance`'s business.
"""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway_process.errors import StartupError

if sys.platform != "win32":
    import fcntl

__all__ = ["LOOKS", "LOOK_PAUSE", "is_free", "lock_file", "opened", "unreadable"]

LOOKS: Final = 20
"""How often a lock is tried: whoever looks at the file holds it for microseconds."""
LOOK_PAUSE: Final = 0.01
"""Seconds between two tries."""


def lock_file(path: Path) -> int | None:
    """Open and lock a file for its owner, a stale one too; None if another process holds it.

    Raises:
        OSError: it cannot be written.
        StartupError: it is a symbolic link.
    """
    for _ in range(LOOKS):
        fd = _open(path)
        if _lock(fd, shared=False) and _is_at(fd, path):
            return fd
        os.close(fd)
        time.sleep(LOOK_PAUSE)
    return None


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        remedy = "remove the link, or name another folder with --run-dir"
        raise StartupError(f"{path} is a symbolic link, which is not followed; {remedy}") from error


@contextmanager
def opened(path: Path) -> Iterator[int | None]:
    """Open a file to look at it; None if there is none, or it is a symbolic link.

    Raises:
        StartupError: it is another user's and cannot be read.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except PermissionError as error:  # that nothing runs would be a guess
        raise unreadable(path, error) from error
    except OSError:
        yield None
        return
    try:
        yield fd
    finally:
        os.close(fd)


def is_free(fd: int) -> bool:
    """Say whether nobody owns an open file; until it is closed, nobody can."""
    return _lock(fd, shared=True)


def unreadable(path: Path, error: OSError) -> StartupError:
    """Give the error about a file or folder of another user."""
    remedy = "ask as the user that it belongs to, or as root"
    return StartupError(f"{path} cannot be read ({error.strerror}); {remedy}")


def _lock(fd: int, *, shared: bool) -> bool:
    """Take a lock on an open file, at once or not at all."""
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(fd: int, path: Path) -> bool:
    """Say whether the path still leads to the open file: its owner may have removed it meanwhile."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
