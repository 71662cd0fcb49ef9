import asyncio
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from gateway_process.signals import Order, listen
from tests.gateway_process.probing import ENVIRONMENT
from tests.support.daemons import MODULE
from tests.support.waiting import PATIENCE

TAKE_TERMINAL = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGHUP, signal.SIG_DFL)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
NAMES = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = {name: signal.getsignal(getattr(signal, name)) for name in NAMES}
    yield
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


@pytest.mark.parametrize(
    ("number", "order"),
    [
        (signal.SIGTERM, Order.STOP),
        (signal.SIGINT, Order.STOP),
        (signal.SIGQUIT, Order.DRAIN),
        (signal.SIGHUP, Order.RELOAD),
        (signal.SIGUSR1, Order.RELOAD),
    ],
)
async def test_each_signal_is_its_order(number: signal.Signals, order: Order) -> None:
    """Signals arrive as orders on the loop."""
    orders: asyncio.Queue[Order] = asyncio.Queue()
    listen(orders.put_nowait, lambda: pytest.fail("ended"))
    signal.raise_signal(number)
    assert await orders.get() is order


async def test_second_stop_signal_ends_at_once() -> None:
    """Whatever the first stop signal was, the next one does not wait for the loop."""
    ended: list[bool] = []
    listen(lambda _: None, lambda: ended.append(True))
    signal.raise_signal(signal.SIGQUIT)
    signal.raise_signal(signal.SIGINT)
    assert ended == []
    signal.raise_signal(signal.SIGTERM)
    assert ended == [True]


async def test_a_signal_that_comes_twice_at_once_is_one_order() -> None:
    """`timeout` signals the process and then its group: it is stopped in order all the same."""
    orders: list[Order] = []
    ended: list[bool] = []
    listen(orders.append, lambda: ended.append(True))
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    await asyncio.sleep(0)
    assert (orders, ended) == ([Order.STOP], [])
    while not ended:
        signal.raise_signal(signal.SIGTERM)


def _in_a_terminal(*command: str) -> tuple[subprocess.Popen[str], int]:
    """Start a daemon in a terminal of its own; give it and the terminal's other end."""
    ours, its = pty.openpty()
    daemon = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, *command, *MODULE, "probe", "start"],
        env=os.environ | ENVIRONMENT,
        stdin=its,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    os.close(its)
    assert daemon.stdout is not None
    assert daemon.stdout.readline().startswith("ready")
    return daemon, ours


def test_closing_the_terminal_stops_what_runs_in_it() -> None:
    """The hang-up that a closed terminal sends is a stop: nobody is left to send another."""
    daemon, terminal = _in_a_terminal()
    with daemon:
        os.close(terminal)
        assert daemon.wait(PATIENCE) == 0


def test_a_hang_up_is_a_reload_while_the_terminal_is_there() -> None:
    """Sent by hand it reads settings anew, and the daemon goes on until it is stopped."""
    daemon, terminal = _in_a_terminal()
    with daemon:
        daemon.send_signal(signal.SIGHUP)
        assert daemon.stderr is not None
        assert any("reloaded" in line for line in iter(daemon.stderr.readline, ""))
        daemon.terminate()
        assert daemon.wait(PATIENCE) == 0
    os.close(terminal)


def test_nohup_lets_a_daemon_outlive_its_terminal() -> None:
    """Who starts it so wants it to go on; a hang-up is a reload then, as one sent by hand is."""
    daemon, terminal = _in_a_terminal("nohup")
    with daemon:
        os.close(terminal)
        assert daemon.stderr is not None
        assert any("reloaded" in line for line in iter(daemon.stderr.readline, ""))
        daemon.terminate()
        assert daemon.wait(PATIENCE) == 0
