"""`start -d` from its beginning to the ready line, and the ways in which it does not get there."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gateway_process.errors import ExitCode
from tests.gateway_process.probing import ENVIRONMENT
from tests.support.instances import Instances
from tests.support.waiting import eventually


@pytest.fixture
def probes() -> Iterator[Instances]:
    """A run directory for probes."""
    with Instances(ENVIRONMENT) as instances:
        yield instances


def test_a_daemon_has_no_terminal_and_cannot_get_one(probes: Instances, tmp_path: Path) -> None:
    """It is no session's leader, reads nothing, writes into its log, and stays where it was started."""
    daemon = psutil.Process(int(probes.start("probe").pid))
    assert os.getsid(daemon.pid) != daemon.pid
    assert daemon.terminal() is None
    assert daemon.cwd() == str(Path.cwd())
    files = [str(Path(f"/proc/{daemon.pid}/fd/{fd}").readlink()) for fd in range(3)]
    assert files == ["/dev/null", *[str(probes.path / "probe.log")] * 2]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("refuse", "probe: no register at 127.0.0.1:9; start one\n"),
        ("bug", "probe: KeyError: 'oops'; --log-level debug shows where\n"),
        ("die", "probe: probe #0 ended with exit code 9 before it was ready\n"),
    ],
)
def test_what_keeps_it_from_starting_is_told_here(
    probes: Instances, fault: str, message: str
) -> None:
    """The command ends with the failure's message and exit code; no process and no file stays but the log."""
    done = probes("probe", "start", "-d", "--fault", fault)
    assert (done.code, done.out, done.err) == (ExitCode.STARTUP, "", message)
    assert probes.running() == []
    assert [file.name for file in probes.path.iterdir()] == ["probe.log"]


def test_wrong_settings_are_told_before_anything_is_made(probes: Instances) -> None:
    """As in the foreground, with exit code 2."""
    done = probes("probe", "start", "-d", "--processes", "0")
    assert (done.code, "is below 1" in done.err) == (ExitCode.USAGE, True)
    assert not probes.path.exists()


def test_warnings_are_told_here_and_logged(probes: Instances) -> None:
    """Who types a secret sees at once what is wrong with that."""
    done = probes("probe", "start", "-d", "--secret-key", "hush-hush")
    assert (done.code, "everybody on this machine can read flags" in done.err) == (
        ExitCode.OK,
        True,
    )
    assert "everybody on this machine can read flags" in probes.log("probe")


def test_a_log_file_of_ones_own_is_used(probes: Instances, tmp_path: Path) -> None:
    """--log-file takes the place of the one in the run directory."""
    log = tmp_path / "own.log"
    probes.start("probe", "--log-file", str(log))
    assert "probe #0 is ready" in log.read_text()
    assert not (probes.path / "probe.log").exists()


def test_a_log_file_that_cannot_be_opened_is_told(probes: Instances) -> None:
    """Before anything goes to the background."""
    done = probes("probe", "start", "-d", "--log-file", "/dev/null/x")
    assert (done.code, "log file /dev/null/x cannot be opened" in done.err) == (
        ExitCode.STARTUP,
        True,
    )


def test_an_interrupt_while_it_starts_ends_it(probes: Instances) -> None:
    """Ctrl-C before it is ready leaves nothing behind that starts on unseen."""
    with probes.launch("probe", "start", "-d", "--fault", "wait") as starting:
        eventually(lambda: "waiting" in probes.log("probe"))
        assert starting.stderr is not None
        assert "starting takes long" in starting.stderr.readline()
        starting.send_signal(signal.SIGINT)
        assert "interrupted before it was ready" in starting.stderr.readline()
        assert starting.wait() == ExitCode.STARTUP
    probes.ended()


def test_one_that_is_killed_while_it_starts_is_missed(probes: Instances) -> None:
    """The pipe's end says that nobody starts any more."""
    with probes.launch("probe", "start", "-d", "--fault", "wait") as starting:
        eventually(lambda: "waiting" in probes.log("probe"))
        os.kill(probes.the("probe").pid, signal.SIGKILL)
        _, errors = starting.communicate()
    assert (starting.returncode, "ended before it was ready" in errors) == (ExitCode.STARTUP, True)


def test_one_that_is_stopped_while_it_starts_is_said_to_be(probes: Instances) -> None:
    """Who waits for it to be ready hears that somebody else has stopped it."""
    with probes.launch("probe", "start", "-d", "--fault", "wait") as starting:
        eventually(lambda: "waiting" in probes.log("probe"))
        assert probes("probe", "stop").code == ExitCode.OK
        _, errors = starting.communicate()
    assert starting.returncode == ExitCode.STARTUP
    assert errors.endswith("probe: it was stopped before it was ready\n")


def test_why_it_ended_is_a_line_of_the_log(probes: Instances) -> None:
    """Written as every other line is, for whoever reads the log by program."""
    slow = ("--fault", "slow-stop", "--stop-timeout", "0.1")
    probes.start("probe", "--log-format", "json", *slow)
    probes("probe", "stop")
    last = json.loads(probes.log("probe").splitlines()[-1])
    assert (last["level"], "probe #0 failed (stop took longer" in last["message"]) == (
        "error",
        True,
    )
