"""Checks of the helper that starts daemons."""

import signal
from pathlib import Path

import pytest

from tests.support.daemons import Daemon, DaemonFailed, Ready

OBEDIENT = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("something else", flush=True)
print("ready toy ws=ws://127.0.0.1:1 http=127.0.0.1:2", flush=True)
signal.pause()
"""
FAILING = """
import sys
sys.exit("port in use")
"""


def toy(folder: Path, source: str) -> Daemon:
    """Make a daemon of this source."""
    (folder / "toy.py").write_text(source)
    return Daemon("toy", environment={"PYTHONPATH": str(folder)})


def test_a_ready_line_gives_its_values_as_attributes() -> None:
    """Each key of a ready line is an attribute; another name says which there are."""
    ready = Ready("ready gateway ws=ws://127.0.0.1:1 http=127.0.0.1:2")
    assert (ready.role, ready.ws, ready.http) == ("gateway", "ws://127.0.0.1:1", "127.0.0.1:2")
    with pytest.raises(AttributeError, match="names no 'demo'"):
        assert ready.demo


def test_a_daemon_is_started_when_it_says_so_and_stops_when_asked(tmp_path: Path) -> None:
    """Entering waits for the ready line, stop sees the exit code."""
    with toy(tmp_path, OBEDIENT) as daemon:
        assert daemon.ready.role == "toy"
        daemon.freeze()
        daemon.thaw()
        daemon.stop()


def test_an_unclean_end_is_a_failure(tmp_path: Path) -> None:
    """Stop fails the test when the exit code is another."""
    with toy(tmp_path, OBEDIENT) as daemon, pytest.raises(AssertionError, match="ended with -9"):
        daemon.stop(signal.SIGKILL)


def test_a_failed_start_carries_what_the_daemon_said(tmp_path: Path) -> None:
    """A daemon that ends before it is ready fails the test with its stderr."""
    with pytest.raises(DaemonFailed, match=r"(?s)ended with 1 .*port in use"):
        toy(tmp_path, FAILING).start()
