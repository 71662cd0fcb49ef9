"""A few threads for work that may block.

The threads share one queue and wake each other one at a time. Handing in a job wakes at most one sleeper,
and none while a woken one has not yet looked; a thread that takes a job and sees more behind it wakes the next
before it begins. Short jobs so run in a burst on one thread, without a switch for each; and if one
blocks, the next thread has already been called.

`concurrent.futures` has a lock and a future for each job, which cost more than most handlers do.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ThreadPool"]

_logger = logging.getLogger(__name__)


class ThreadPool:
    """Runs jobs on threads, in the order they were handed in.

    Args:
        size: How many threads there are; they start with the first job. They are daemons: one
            that is stuck in a job does not keep the process from ending.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._jobs: deque[Callable[[], object]] = deque()
        self._sleepers: list[threading.Lock] = []
        self._threads: list[threading.Thread] = []
        self._is_woken = False  # a thread was woken and has not yet looked
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<ThreadPool of {self._size}, {self.busy} busy, {len(self._jobs)} jobs wait>"

    @property
    def busy(self) -> int:
        """How many threads are in a job, or on their way to one."""
        return len(self._threads) - len(self._sleepers)

    def put(self, job: Callable[[], object]) -> None:
        """Hand in a job; from one thread at a time. What it raises is logged."""
        self._jobs.append(job)
        if not self._threads:
            self._start()
        elif not self._is_woken:
            self._wake()

    def close(self) -> None:
        """Let the threads end; jobs that have not begun are forgotten."""
        self._is_closed = True
        self._jobs.clear()
        while self._sleepers:
            self._wake()

    def _start(self) -> None:
        self._threads = [
            threading.Thread(target=self._work, name=f"handlers-{number}", daemon=True)
            for number in range(self._size)
        ]
        for thread in self._threads:
            thread.start()

    def _wake(self) -> None:
        try:
            alarm = self._sleepers.pop()  # the last to fall asleep: its caches are warm
        except IndexError:
            return  # all are at work, and look again before they sleep
        self._is_woken = True
        alarm.release()

    def _work(self) -> None:
        alarm = threading.Lock()
        alarm.acquire()
        while not self._is_closed:
            try:
                job = self._jobs.popleft()
            except IndexError:
                self._sleep(alarm)
                continue
            if self._jobs and not self._is_woken:
                self._wake()
            try:
                job()
            except Exception:
                _logger.exception("a job of a handler's thread failed")
            del job  # a sleeping thread must not keep the last client's data

    def _sleep(self, alarm: threading.Lock) -> None:
        self._sleepers.append(alarm)
        # A job that came after the last look found no sleeper: look again, now that one can be seen.
        if self._jobs or self._is_closed:
            with suppress(ValueError):  # somebody has woken this one already
                self._sleepers.remove(alarm)
                return
        alarm.acquire()
        self._is_woken = False
