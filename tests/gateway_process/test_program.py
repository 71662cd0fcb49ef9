import os
import resource
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway_process.errors import ExitCode
from tests.gateway_process.probing import ENVIRONMENT, Talk, probe, refused
from tests.support.daemons import MODULE, Daemon, run


def test_ready_line_names_real_addresses_and_pid() -> None:
    """Port 0 becomes a real port in the ready line; the pid is the daemon's own."""
    with probe() as daemon, Talk(daemon) as talk:
        assert daemon.ready.role == "probe"
        assert daemon.ready.pid == str(daemon.pid) == talk.ask("pid")


def test_alone_a_role_runs_on_uvloop() -> None:
    """One process is the role itself, on the fast loop."""
    pytest.importorskip("uvloop")
    with probe() as daemon, Talk(daemon) as talk:
        assert talk.ask("loop") == "uvloop"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_signal_stops_cleanly(number: signal.Signals) -> None:
    """SIGTERM and SIGINT stop the role and end with 0."""
    with probe() as daemon:
        daemon.stop(number)
        assert daemon.line() == "stopping"


def test_quit_signal_waits_for_the_peers() -> None:
    """SIGQUIT drains: the process ends when the last peer has left."""
    with probe() as daemon, Talk(daemon) as talk:
        talk.ask("pid")
        daemon.send_signal(signal.SIGQUIT)
        daemon.line(starting_with="draining")
        assert talk.ask("pid") == str(daemon.pid)
        talk.close()
        assert daemon.wait() == ExitCode.OK


def test_stop_signal_cuts_a_drain_short() -> None:
    """SIGTERM after SIGQUIT stops at once, and cleanly: it is the first stop."""
    with probe() as daemon, Talk(daemon) as talk:
        talk.ask("pid")
        daemon.send_signal(signal.SIGQUIT)
        daemon.line(starting_with="draining")
        daemon.stop()


def test_stop_while_starting_is_clean() -> None:
    """A role that waits for another process can be stopped before it is ready."""
    daemon = probe("--fault", "wait")
    daemon.launch()
    daemon.line(starting_with="waiting")
    daemon.stop()


@pytest.mark.parametrize("fault", ["slow-stop", "stuck-stop"])
@pytest.mark.parametrize("processes", ["1", "2"])
def test_second_stop_signal_ends_at_once(fault: str, processes: str) -> None:
    """A second signal does not wait, neither for a slow stop nor for a stuck loop."""
    with probe("--fault", fault, "--processes", processes) as daemon:
        daemon.send_signal(signal.SIGTERM)
        daemon.line(starting_with="stopping")
        daemon.stop(signal.SIGINT, code=ExitCode.FAILED)
        assert "second signal" in daemon.stderr


@pytest.mark.parametrize("fault", ["slow-stop", "stuck-stop"])
def test_stop_timeout_ends_what_does_not_end(fault: str) -> None:
    """A stop is bounded, also when the loop is stuck; the exit code is 1."""
    with probe("--fault", fault, "--stop-timeout", "0.1") as daemon:
        daemon.stop(code=ExitCode.FAILED)
        told = "stop_timeout (0.1 s)" if fault == "slow-stop" else "Timeout"
        assert told in daemon.stderr


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_reload_reads_the_file_again(tmp_path: Path, number: signal.Signals) -> None:
    """SIGHUP and SIGUSR1 apply hot settings and name those that need a restart."""
    file = tmp_path / "c.toml"
    file.write_text('[gateway]\ngreeting = "one"\n')
    with probe("-c", str(file)) as daemon, Talk(daemon) as talk:
        assert talk.ask("greet") == "one"
        file.write_text('[gateway]\ngreeting = "two"\ncold = "x"\n')
        daemon.send_signal(number)
        daemon.line(starting_with="reloaded two")
        assert talk.ask("greet") == "two"
        daemon.stop()
        assert "changed, but needs a restart: cold" in daemon.stderr


def test_role_that_fails_ends_with_one_line_and_exit_code_one() -> None:
    """What a role finds out while running is told in one line."""
    with probe("--log-level", "error") as daemon, Talk(daemon) as talk:
        talk.say("fail")
        assert daemon.wait() == ExitCode.FAILED
        assert daemon.stderr == "probe: the key was refused; check --secret-key-file\n"


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("refuse", "probe: no register at 127.0.0.1:9; start one\n"),
        ("bug", "probe: KeyError: 'oops'; --log-level debug shows where\n"),
    ],
)
def test_failed_start_is_one_line_and_exit_code_three(
    processes: str, fault: str, message: str
) -> None:
    """A start that fails says so in one line, however many processes there are."""
    flags = ("--processes", processes, "--fault", fault, "--log-level", "error")
    assert refused(*flags) == (ExitCode.STARTUP, message)


def test_failed_start_shows_its_traceback_at_debug() -> None:
    """Where it came from is there for who asks."""
    assert "Traceback" in refused("--fault", "bug", "--log-level", "debug")[1]


@pytest.mark.parametrize("processes", ["1", "3"])
def test_port_in_use_is_told_with_its_holder(processes: str) -> None:
    """The message names flag, address, who holds it and the remedy; exit code 3."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        flags = ("--listen", f"127.0.0.1:{port}", "--processes", processes, "--log-level", "error")
        code, stderr = refused(*flags)
    assert code == ExitCode.STARTUP
    assert stderr.startswith(f"probe: --listen: 127.0.0.1:{port} is in use by ")
    assert f"(pid {os.getpid()}); stop it or choose another port" in stderr


@pytest.mark.parametrize(
    ("flags", "environment", "message"),
    [
        (["--lisen", "x"], {}, "Did you mean '--listen'?"),
        (["--listen", "x"], {}, "probe: --listen: 'x' has no port; write 127.0.0.1:1236"),
        (["--processes", "0"], {}, "probe: --processes: '0' is below 1; give 1 or more"),
        (
            [],
            {"GATEWAYWORKER_GATEWAY__PROCESSES": "two"},
            "probe: GATEWAYWORKER_GATEWAY__PROCESSES: 'two' is not a whole number",
        ),
        (["--cold", "hello"], {}, "probe: --cold: 'hello' equals the greeting; give another"),
    ],
)
def test_wrong_settings_end_with_exit_code_two(
    flags: list[str], environment: dict[str, str], message: str
) -> None:
    """What is wrong is told with the name the user wrote, its value and the remedy."""
    code, stderr = refused(*flags, **environment)
    assert (code, "Traceback" in stderr) == (ExitCode.USAGE, False)
    assert message in stderr


def test_unknown_variable_is_a_warning() -> None:
    """A variable nobody knows does not keep a daemon from starting."""
    with probe(GATEWAYWORKER_GATEWAY__PROCESES="1") as daemon:
        daemon.stop()
        assert "did you mean GATEWAYWORKER_GATEWAY__PROCESSES?" in daemon.stderr


def test_limit_of_open_files_is_raised() -> None:
    """A daemon started with few files has as many as it may have."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
        try:
            daemon = stack.enter_context(probe())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        talk = stack.enter_context(Talk(daemon))
        assert int(talk.ask("limit")) == min(before[1], 1_048_576)


def test_command_without_its_extra_names_it(tmp_path: Path) -> None:
    """Where a package of the server extra is missing, the message says what to install."""
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError('No click', name='click')\n")
    script = (
        "import sys, probe.role as r, gateway_process.program as p; sys.exit(p.main(r.PROBE, p))"
    )
    path = f"{tmp_path}{os.pathsep}{ENVIRONMENT['PYTHONPATH']}"
    daemon = Daemon(environment={"PYTHONPATH": path}, launcher=[sys.executable, "-c", script])
    daemon.launch()
    assert daemon.wait() == ExitCode.STARTUP
    assert daemon.stderr == 'probe: No click; pip install "gatewayworker[server]"\n'


def test_help_is_complete() -> None:
    """Every setting of the role and every shared one stands in `--help`."""
    code, stdout, _ = run("probe", "start", "--help", environment=ENVIRONMENT)
    assert code == ExitCode.OK
    for flag in (
        "--listen",
        "--processes",
        "--register",
        "--secret-key-file",
        "--log-format",
        "-c",
    ):
        assert f" {flag}" in stdout


def test_a_daemon_nobody_listens_to_goes_on() -> None:
    """A closed standard output costs the ready line and nothing else."""
    reading, writing = os.pipe()
    os.close(reading)
    daemon = subprocess.Popen(
        [*MODULE, "probe", "start", "--log-level=debug"],
        env=os.environ | ENVIRONMENT,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    with daemon:
        assert daemon.stderr is not None
        assert any("ready probe" in line for line in iter(daemon.stderr.readline, ""))
        daemon.terminate()
    assert daemon.returncode == ExitCode.OK


def test_running_needs_no_click() -> None:
    """What a child runs imports neither click nor, before its loop, uvloop."""
    script = "import sys, gateway_process.program; print(*{'click', 'uvloop'} & set(sys.modules))"
    daemon = Daemon(launcher=[sys.executable, "-c", script], environment=ENVIRONMENT)
    daemon.launch()
    assert daemon.line() == ""
    assert daemon.wait() == ExitCode.OK
