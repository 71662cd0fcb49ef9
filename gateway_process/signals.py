"""Signals as orders: what an administrator's signal asks of a process.

    SIGTERM, SIGINT    STOP     close everything in order, within the stop timeout
    SIGQUIT            DRAIN    wait for the peers to leave, then STOP
    SIGHUP, SIGUSR1    RELOAD   read hot settings, certificates and the log file anew

SIGHUP also comes when the terminal is closed that a process was started from; then nobody is left to
stop it, so it means STOP. `nohup` is for those who want it to go on.

A second stop signal ends the process at once, unless it is the first one again: whoever signals a process
and then its group, as `timeout` of coreutils does, gives one order. Handlers are plain `signal.signal` handlers, so the
second one works even when the event loop is stuck; they hand orders to the loop and do nothing
else. Where a platform lacks a signal (Windows: SIGQUIT, SIGHUP, SIGUSR1) its order cannot be given.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from enum import Enum
from types import FrameType
from typing import Final

__all__ = ["Order", "listen"]


AGAIN: Final = 0.1
"""Seconds within which the same signal is the same order: a hundred times what passes between the two of one
that is sent twice, and less than a hand needs for a second ctrl-C."""


class Order(Enum):
    """What a running process may be asked to do."""

    STOP = "stop"
    DRAIN = "drain"
    RELOAD = "reload"


_ORDERS: Final = {
    "SIGTERM": Order.STOP,
    "SIGINT": Order.STOP,
    "SIGQUIT": Order.DRAIN,
    "SIGHUP": Order.RELOAD,
    "SIGUSR1": Order.RELOAD,
}


def listen(give: Callable[[Order], None], end_now: Callable[[], None]) -> None:
    """Turn signals into orders from now on; call it on the main thread, inside the running loop.

    Args:
        give: takes an order, on the loop.
        end_now: called from the signal handler itself when a stop signal follows another.
    """
    loop = asyncio.get_running_loop()
    # The first stop signal and when it came.
    stopping: tuple[int, float] | None = None
    is_left_alone = _outlives_its_terminal() or not _has_terminal()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        name = signal.Signals(number).name
        closed = name == "SIGHUP" and not is_left_alone and not _has_terminal()
        order = Order.STOP if closed else _ORDERS[name]
        if order is Order.STOP:
            now = time.monotonic()
            if stopping is None:
                stopping = number, now
            elif number == stopping[0] and now - stopping[1] < AGAIN:
                return
            else:
                end_now()
        if not loop.is_closed():
            loop.call_soon_threadsafe(give, order)

    for name in _ORDERS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), on_signal)


def _has_terminal() -> bool:
    """Whether this process has a terminal that is still there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _outlives_its_terminal() -> bool:
    """Whether whoever started us wants it so, as `nohup` does; a hang-up is then a reload."""
    return hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
