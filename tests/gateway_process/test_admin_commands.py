"""The commands of every program, typed at a probe that runs."""

import json
import os
import shlex
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gateway_process.errors import ExitCode
from tests.gateway_process.probing import ENVIRONMENT, Talk, probe
from tests.support.daemons import Ready
from tests.support.instances import Instances
from tests.support.waiting import eventually


@pytest.fixture
def probes() -> Iterator[Instances]:
    """A run directory for probes."""
    with Instances(ENVIRONMENT) as instances:
        yield instances


def test_one_in_the_background_is_started_asked_and_stopped(probes: Instances) -> None:
    """`start -d` returns with the ready line; status tells of it; stop leaves the log alone behind."""
    ready = probes.start("probe")
    assert ready.role == "probe"
    status = probes("probe", "status")
    assert status.code == ExitCode.OK
    assert status.out.startswith(f"probe (pid {ready.pid}, since ")
    assert f" {ready.probe} " in status.out
    stopped = probes("probe", "stop")
    assert (stopped.code, stopped.out[:19]) == (ExitCode.OK, f"stopped probe (pid {ready.pid}"[:19])
    assert [file.name for file in probes.path.iterdir()] == ["probe.log"]


def test_the_files_are_their_users_alone(probes: Instances) -> None:
    """The control socket has mode 0600, the folder that was made for it 0700."""
    probes.start("probe")
    modes = [
        stat.S_IMODE(path.stat().st_mode) for path in (probes.path, probes.path / "probe.sock")
    ]
    assert modes == [0o700, 0o600]


def test_the_pid_stands_first_in_the_pid_file(probes: Instances) -> None:
    """Tools that know pid files, systemd among them, read the first line as a number."""
    ready = probes.start("probe")
    assert (probes.path / "probe.pid").read_text().splitlines()[0] == ready.pid


def test_in_the_foreground_it_is_found_too(probes: Instances) -> None:
    """A start without -d is an instance: it is asked, told and stopped by the same commands."""
    with probe(GATEWAYWORKER_RUN_DIR=str(probes.path)) as daemon:
        assert f" {daemon.pid} " in probes("probe", "status").out
        assert probes("probe", "reload").code == ExitCode.OK
        daemon.line(starting_with="reloaded")
        assert probes("probe", "stop").code == ExitCode.OK
        assert daemon.wait() == ExitCode.OK


def test_status_for_programs_says_everything(probes: Instances) -> None:
    """`--json` is one object: the instance, and each process with counters and rates."""
    ready = probes.start("probe", "--processes", "2")
    said = json.loads(probes("probe", "status", "--json").out)
    assert (said["name"], said["program"], said["pid"]) == ("probe", "probe", int(ready.pid))
    first, second = said["processes"]
    assert (first["number"], second["number"]) == (0, 1)
    assert first.keys() == {
        "role", "number", "pid", "state", "uptime", "restarts", "last_failure", "memory",
        "listening", "answers", "connections", "messages_in", "messages_out", "send_failures",
        "event_lag", "messages_in_per_second", "messages_out_per_second",
    }  # fmt: skip
    assert (first["state"], first["answers"], first["memory"] > 0) == ("ready", True, True)


def test_watch_goes_on_until_it_is_interrupted(probes: Instances) -> None:
    """With --watch there is a sample each second; Ctrl-C is its way to end, with exit code 0."""
    probes.start("probe")
    with probes.launch("probe", "status", "--watch", "--json") as watching:
        assert watching.stdout is not None
        pids = {json.loads(watching.stdout.readline())["pid"] for _ in range(2)}
        watching.send_signal(signal.SIGINT)
        assert watching.wait() == ExitCode.OK
    assert pids == {probes.the("probe").pid}


def test_an_interrupted_status_is_no_success(probes: Instances) -> None:
    """Without --watch nothing was shown yet; a frozen process makes sure of that here."""
    ready = probes.start("probe")
    os.kill(int(ready.pid), signal.SIGSTOP)
    with probes.launch("probe", "status") as asking:
        eventually(lambda: psutil.Process(asking.pid).net_connections("unix"))
        asking.send_signal(signal.SIGINT)
        assert asking.wait() == ExitCode.FAILED
    os.kill(int(ready.pid), signal.SIGCONT)


def test_watch_ends_with_its_instance(probes: Instances) -> None:
    """When what is watched ends, so does the watching, and says why."""
    probes.start("probe")
    with probes.launch("probe", "status", "--watch") as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith("probe (pid ")
        assert probes("probe", "stop").code == ExitCode.OK
        _, errors = watching.communicate()
    assert (watching.returncode, "(it has ended)" in errors) == (ExitCode.FAILED, True)


def test_a_second_of_the_same_name_is_refused(probes: Instances) -> None:
    """One name is one instance; the message says which pid has it and how to have two."""
    ready = probes.start("probe")
    told = f"probe: probe is already running (pid {ready.pid}); stop it, or give this one another --name\n"
    for flags in ([], ["-d"]):
        again = probes("probe", "start", "--log-level=error", *flags)
        assert (again.code, again.err) == (ExitCode.STARTUP, told)
    assert str(probes.the("probe").pid) == ready.pid


def test_with_several_a_name_is_asked_for(probes: Instances) -> None:
    """A command that could mean two instances lists them and does nothing."""
    first, second = probes.start("probe", "--name", "a"), probes.start("probe", "--name", "b")
    done = probes("probe", "stop")
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert f"a (pid {first.pid}, since " in done.err
    assert f"b (pid {second.pid}, since " in done.err
    assert probes("probe", "stop", "--name", "a").code == ExitCode.OK
    assert [each.name for each in probes.running()] == ["b"]
    assert probes("probe", "stop").code == ExitCode.OK  # the only one now


@pytest.mark.parametrize("command", ["stop", "restart", "reload", "status", "connections"])
def test_where_nothing_runs_the_exit_code_is_four(probes: Instances, command: str) -> None:
    """Scripts tell an instance that is not there from one that does not answer."""
    done = probes("probe", command)
    told = f"probe: not running (looked in {probes.path})\n"
    assert (done.code, done.err) == (ExitCode.NOT_RUNNING, told)
    named = probes("probe", command, "--name", "x")
    assert (named.code, "'x' is not running" in named.err) == (ExitCode.NOT_RUNNING, True)


def test_name_and_run_dir_may_stand_in_the_file(tmp_path: Path) -> None:
    """What `start -c` read, the other commands read from the same file, and nothing else of it."""
    file = tmp_path / "c.toml"
    elsewhere = tmp_path / "run"
    file.write_text(f'name = "web"\nsecret_key_file = "gone"\nrun_dir = "{elsewhere}"\n')
    unset = Instances(ENVIRONMENT | {"GATEWAYWORKER_RUN_DIR": ""})
    done = unset("probe", "status", "-c", str(file))
    assert done.err == f"probe: 'web' is not running (looked in {elsewhere})\n"


def test_killed_under_d_it_is_started_again_and_shown(probes: Instances) -> None:
    """A process that dies in the background comes back; status says how often and why."""
    probes.start("probe")
    (process,) = json.loads(probes("probe", "status", "--json").out)["processes"]
    os.kill(process["pid"], signal.SIGKILL)

    def back() -> str:
        done = probes("probe", "status", "--json")
        (now,) = json.loads(done.out)["processes"]
        assert (now["state"], now["restarts"]) == ("ready", 1)
        assert now["pid"] != process["pid"]
        return str(now["last_failure"])

    assert "signal 9" in eventually(back)


def test_killed_itself_it_leaves_nothing_that_is_in_the_way(probes: Instances) -> None:
    """After kill -9 the files are stale: not running for all, and taken over by the next start."""
    ready = probes.start("probe")
    os.kill(int(ready.pid), signal.SIGKILL)
    probes.ended()
    assert probes("probe", "status").code == ExitCode.NOT_RUNNING
    assert probes.start("probe").pid != ready.pid
    assert probes("probe", "status").code == ExitCode.OK


def test_the_pid_of_another_process_is_no_instance(probes: Instances) -> None:
    """A stale pid file whose pid somebody else has got now: the lock tells, not the pid."""
    ready = probes.start("probe")
    os.kill(int(ready.pid), signal.SIGKILL)
    probes.ended()
    file = probes.path / "probe.pid"
    file.write_text(file.read_text().replace(ready.pid, str(os.getpid())))
    assert probes("probe", "stop").code == ExitCode.NOT_RUNNING
    assert probes.start("probe").role == "probe"


@pytest.mark.parametrize("order", [[], ["-g"]])
def test_a_frozen_one_is_stopped_by_signal(probes: Instances, order: list[str]) -> None:
    """Where nobody answers on the control socket, stop goes on by signal, and says so."""
    ready = probes.start("probe")
    os.kill(int(ready.pid), signal.SIGSTOP)
    done = probes("probe", "stop", *order)
    assert (done.code, "does not answer; stopping it by SIG" in done.err) == (ExitCode.OK, True)
    assert probes.running() == []


def test_a_graceful_stop_waits_for_the_peers(probes: Instances) -> None:
    """`stop -g` drains: it ends when the last peer has left."""
    daemon = probe(GATEWAYWORKER_RUN_DIR=str(probes.path))
    with daemon, Talk(daemon) as talk:
        talk.ask("pid")
        with probes.launch("probe", "stop", "-g") as stopping:
            daemon.line(starting_with="draining")
            assert talk.ask("pid") == str(daemon.pid)
            assert stopping.poll() is None
            talk.close()
            assert stopping.wait() == ExitCode.OK
        assert daemon.wait() == ExitCode.OK


def test_a_graceful_stop_ends_with_a_frozen_child_too(probes: Instances) -> None:
    """It does not answer and does not drain: it is stopped, then killed, and that is told."""
    probes.start("probe", "--stop-timeout", "0")
    (process,) = json.loads(probes("probe", "status", "--json").out)["processes"]
    os.kill(process["pid"], signal.SIGSTOP)
    done = probes("probe", "stop", "-g")
    assert done.code == ExitCode.FAILED
    assert "has ended, but not cleanly: probe #0 did not stop in time; killed" in done.err
    assert "probe #0 did not drain in time; stopping" in probes.log("probe")


def test_the_second_interrupt_ends_the_waiting_for_a_stop(probes: Instances) -> None:
    """Ctrl-C while a stop is waited for is answered; the second one ends the command alone."""
    daemon = probe(GATEWAYWORKER_RUN_DIR=str(probes.path))
    with daemon, Talk(daemon) as talk:
        talk.ask("pid")
        with probes.launch("probe", "stop", "-g") as stopping:
            daemon.line(starting_with="draining")
            assert stopping.stderr is not None
            stopping.send_signal(signal.SIGINT)
            assert "still stopping; Ctrl-C again" in stopping.stderr.readline()
            stopping.send_signal(signal.SIGINT)
            assert stopping.wait() == ExitCode.FAILED
        assert talk.ask("pid") == str(daemon.pid)


def test_a_restart_keeps_the_flags_and_the_folder(tmp_path: Path) -> None:
    """It is started as it was: same flags, relative paths and all, and in the background again."""
    (tmp_path / "c.toml").write_text('[gateway]\ngreeting = "hi"\n')
    with Instances(ENVIRONMENT, folder=tmp_path) as probes:
        before = probes.start("probe", "-c", "c.toml", "--name", "web", "--processes=2")
        elsewhere = Instances(ENVIRONMENT | {"GATEWAYWORKER_RUN_DIR": str(probes.path)})
        done = elsewhere("probe", "restart")
        assert done.code == ExitCode.OK, done.err
        assert done.out.startswith(f"stopped web (pid {before.pid}")
        after = Ready(done.out.splitlines()[1])
        assert (after.role, after.pid != before.pid) == ("probe", True)
        said = json.loads(probes("probe", "status", "--json").out)
        assert (said["name"], said["background"], len(said["processes"])) == ("web", True, 2)


def test_a_restart_with_settings_that_are_wrong_now_stops_nothing(
    probes: Instances, tmp_path: Path
) -> None:
    """What could not be started again is left running, and what is wrong is told."""
    file = tmp_path / "c.toml"
    file.write_text("[gateway]\n")
    ready = probes.start("probe", "-c", str(file))
    file.write_text("[gateway]\nprocesses = 0\n")
    done = probes("probe", "restart")
    assert done.code == ExitCode.USAGE
    assert "is left running" in done.err
    assert "processes: 0 is below 1" in done.err
    assert str(probes.the("probe").pid) == ready.pid


def test_a_stop_that_was_not_clean_is_told(probes: Instances) -> None:
    """The command ends with exit code 1, as the daemon does, and says why."""
    probes.start("probe", "--fault", "slow-stop", "--stop-timeout", "0.1")
    done = probes("probe", "stop")
    assert (done.code, done.out) == (ExitCode.FAILED, "")
    assert "has ended, but not cleanly: probe #0 failed (stop took longer" in done.err


def test_a_restart_goes_on_after_a_stop_that_was_not_clean(probes: Instances) -> None:
    """One that hangs is restarted all the more."""
    before = probes.start("probe", "--fault", "slow-stop", "--stop-timeout", "0.1")
    done = probes("probe", "restart")
    assert (done.code, "not cleanly" in done.err) == (ExitCode.OK, True)
    assert Ready(done.out.strip()).pid != before.pid


def test_a_secret_flag_is_kept_nowhere(probes: Instances) -> None:
    """Its value is in no file; restart says that it cannot, and leaves the instance running."""
    ready = probes.start("probe", "--secret-key", "hush-hush")
    files = [file.read_text() for file in probes.path.iterdir() if not file.is_socket()]
    assert not any("hush-hush" in text for text in files)
    done = probes("probe", "restart")
    assert (done.code, "--secret-key: was given as a flag" in done.err) == (ExitCode.USAGE, True)
    assert str(probes.the("probe").pid) == ready.pid


def test_the_next_page_is_a_command_to_paste(probes: Instances) -> None:
    """What stands behind `more:` finds the same instance and filter, typed into a shell as it is."""
    daemon = probe(GATEWAYWORKER_RUN_DIR=str(probes.path))
    with daemon, Talk(daemon) as one, Talk(daemon) as other:
        one.ask("pid")
        other.ask("pid")
        elsewhere = Instances(ENVIRONMENT)
        here = ["--run-dir", str(probes.path), "--address", "127.", "--limit", "1"]
        first = elsewhere("probe", "connections", *here).out
        second = elsewhere(*shlex.split(first.rpartition("\nmore: ")[2]))
    assert second.code == ExitCode.OK, second.err
    assert "more: " not in second.out
    assert len({*first.splitlines()[:2], *second.out.splitlines()}) == 3


def test_a_reload_names_what_needs_a_restart(probes: Instances, tmp_path: Path) -> None:
    """The command itself says what a reload has changed and what it could not."""
    file = tmp_path / "c.toml"
    file.write_text("")
    probes.start("probe", "-c", str(file))
    file.write_text('[gateway]\ngreeting = "two"\ncold = "x"\n')
    done = probes("probe", "reload")
    assert done.code == ExitCode.OK
    assert done.err.endswith("changed, but needs a restart: cold\n")
    assert done.out.rstrip().endswith("changed: greeting")
    eventually(lambda: "reloaded two" in probes.log("probe"))


def test_a_reload_of_what_is_wrong_changes_nothing(probes: Instances, tmp_path: Path) -> None:
    """The error of the file comes to the one who typed the command, with its exit code."""
    file = tmp_path / "c.toml"
    file.write_text("")
    probes.start("probe", "-c", str(file))
    file.write_text("[gateway]\ngreting = 1\n")
    done = probes("probe", "reload")
    assert (done.code, "did you mean greeting?" in done.err) == (ExitCode.USAGE, True)
    assert probes("probe", "status").code == ExitCode.OK


def test_a_reload_that_the_role_cannot_take_over_fails(probes: Instances, tmp_path: Path) -> None:
    """The command ends with exit code 1 and the role's reason; the instance goes on."""
    file = tmp_path / "c.toml"
    file.write_text("")
    probes.start("probe", "-c", str(file))
    file.write_text('[gateway]\ngreeting = "bad"\n')
    done = probes("probe", "reload")
    assert (done.code, done.out) == (ExitCode.FAILED, "")
    assert done.err.endswith("greeting: bad; give another\n")
    assert probes("probe", "status").code == ExitCode.OK


def test_a_reload_opens_the_log_of_d_anew(probes: Instances) -> None:
    """Rotation moves the log away; after a reload nothing is written to the old one, prints included."""
    probes.start("probe")
    log = probes.path / "probe.log"
    log.rename(probes.path / "old.log")
    assert probes("probe", "reload").code == ExitCode.OK
    eventually(lambda: "reloaded; changed: nothing" in log.read_text())
    assert probes("probe", "stop").code == ExitCode.OK
    assert "stopping\n" in log.read_text()  # the probe's own print
    assert "stopping" not in (probes.path / "old.log").read_text()


@pytest.mark.parametrize("flags", [["--limit", "0"], ["--limit", "101"], ["--bogus"]])
def test_wrong_options_end_with_exit_code_two(probes: Instances, flags: list[str]) -> None:
    """A query that cannot be is refused before anybody is asked."""
    assert probes("probe", "connections", *flags).code == ExitCode.USAGE
