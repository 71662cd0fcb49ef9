"""Waking a thread that waits in poll."""

from __future__ import annotations

import gc
import select
from pathlib import Path

from gateway_client.blocking.waker import Waker


def _is_ready(waker: Waker) -> bool:
    poller = select.poll()
    poller.register(waker.fd, select.POLLIN)
    return bool(poller.poll(0))


def test_a_wait_ends_until_the_bytes_are_taken_out() -> None:
    """Once for all that woke meanwhile."""
    waker = Waker()
    assert not _is_ready(waker)
    waker.wake()
    waker.wake()
    assert _is_ready(waker)
    waker.rest(0.0)
    assert not _is_ready(waker)
    waker.rest(0.0)
    waker.close()


def test_a_full_pipe_wakes_as_well() -> None:
    """Nobody is blocked by it."""
    waker = Waker()
    for _ in range(70_000):  # a pipe of Linux takes 65,536
        waker.wake()
    assert _is_ready(waker)
    waker.close()


def test_a_closed_one_is_harmless() -> None:
    """Whoever is late to wake, or closes again, does nothing."""
    waker = Waker()
    fd = waker.fd
    waker.close()
    waker.close()
    waker.wake()
    assert repr(waker) == "<Waker closed>"
    waker = Waker()
    assert repr(waker) == f"<Waker fd {fd}>"
    waker.close()


def test_a_forgotten_one_closes_its_pipe() -> None:
    """No descriptor is left behind."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    Waker()
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
