"""What ends a wait in poll from outside: a pipe to oneself.

Another thread writes a byte, or a signal handler does in the middle of the wait. A byte too many costs one turn of the
loop, and a full pipe wakes as well as any. The lock keeps a byte from going where the pipe has just been.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Final

__all__ = ["Waker"]

_ENOUGH: Final = 4096
"""Bytes taken out at once: one for each time that somebody woke the waiting thread."""


class Waker:
    """A pipe whose reading end is polled.

    Attributes:
        fd: The reading end; -1 when it is closed.
    """

    __slots__ = ("_lock", "_writing", "fd")

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal handler may come while its own thread has it
        self.fd, self._writing = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._writing, False)

    def __repr__(self) -> str:
        return f"<Waker {'closed' if self.fd < 0 else f'fd {self.fd}'}>"

    def __del__(self) -> None:
        if hasattr(self, "_writing"):  # the constructor got that far
            self.close()

    def wake(self) -> None:
        """End a wait, or the next one; harmless when closed."""
        with self._lock, contextlib.suppress(BlockingIOError):
            if self.fd >= 0:
                os.write(self._writing, b"\0")

    def rest(self, _now: float) -> None:
        """Take out what has been written, once the pipe is ready."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.fd, _ENOUGH)

    def close(self) -> None:
        """Close the pipe; harmless when closed."""
        with self._lock:
            fd, self.fd = self.fd, -1
            if fd >= 0:
                os.close(fd)
                os.close(self._writing)
