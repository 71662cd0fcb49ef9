import os
import shutil
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from gateway_process.errors import ExitCode
from tests.gateway_process.probing import ENVIRONMENT, ROLES, ROOT, Talk, children, probe
from tests.support.daemons import Daemon
from tests.support.waiting import eventually


def test_one_ready_line_for_all_children() -> None:
    """Children are announced together: shared addresses once, the pid is the supervisor's."""
    with probe("--processes", "3") as daemon:
        assert daemon.ready.probe.count(":") == 1
        assert sorted(daemon.ready.number.split(",")) == ["0", "1", "2"]
        assert daemon.ready.pid == str(daemon.pid)
        assert len(children(daemon)) == 3


def test_crashed_child_is_started_again() -> None:
    """A child that crashes is replaced; the others and the port stay."""
    with probe("--processes", "2") as daemon:
        before = {child.pid for child in children(daemon)}
        with Talk(daemon) as talk:
            victim = int(talk.ask("pid"))
            assert talk.ask("crash") == ""
        assert victim in before
        eventually(lambda: len(now := {c.pid for c in children(daemon)}) == 2 and victim not in now)
        eventually(lambda: daemon.stderr.count("is ready") == 3)
        assert before - {victim} <= {child.pid for child in children(daemon)}
        daemon.stop()
        assert "ended with exit code 7; starting it again in 0.5 s" in daemon.stderr


def test_connections_queue_while_a_child_is_replaced() -> None:
    """Nobody is refused while a child is away: the supervisor holds its socket open."""
    with probe("--processes", "2") as daemon, ExitStack() as stack:
        with Talk(daemon) as talk:
            talk.ask("crash")
        talks = [stack.enter_context(Talk(daemon)) for _ in range(20)]
        pids = {talk.ask("pid") for talk in talks}
        assert pids == {str(child.pid) for child in children(daemon)}


def test_stop_signal_to_everybody_is_one_stop() -> None:
    """Ctrl-C and systemd signal all processes of a group: that is a clean stop, not a second."""
    with probe("--processes", "2") as daemon:
        os.killpg(daemon.pid, signal.SIGINT)
        assert daemon.wait() == ExitCode.OK
        assert "second signal" not in daemon.stderr


def test_quit_signal_drains_every_child() -> None:
    """SIGQUIT waits for the peers of all children."""
    with probe("--processes", "2") as daemon, Talk(daemon) as talk:
        talk.ask("pid")
        daemon.send_signal(signal.SIGQUIT)
        daemon.line(starting_with="draining")
        assert talk.ask("pid") in {str(child.pid) for child in children(daemon)}
        talk.close()
        assert daemon.wait() == ExitCode.OK


def test_reload_reaches_every_child(tmp_path: Path) -> None:
    """Hot settings go to all children, and to those started later; cold ones are named once."""
    file = tmp_path / "c.toml"
    file.write_text('[gateway]\nprocesses = 2\ngreeting = "one"\n')
    with probe("-c", str(file)) as daemon, Talk(daemon) as talk:
        file.write_text('[gateway]\nprocesses = 3\ngreeting = "two"\n')
        daemon.send_signal(signal.SIGHUP)
        for _ in range(2):
            daemon.line(starting_with="reloaded two")
        talk.ask("crash")
        eventually(lambda: daemon.stderr.count("is ready") == 3)
        with ExitStack() as stack:
            talks = [stack.enter_context(Talk(daemon)) for _ in range(20)]
            assert {each.ask("greet") for each in talks} == {"two"}
        daemon.stop()
        assert daemon.stderr.count("needs a restart: processes") == 1


def test_reload_with_wrong_settings_changes_nothing(tmp_path: Path) -> None:
    """A mistake in the file is logged, and everything goes on."""
    file = tmp_path / "c.toml"
    file.write_text("[gateway]\nprocesses = 2\n")
    with probe("-c", str(file)) as daemon:
        file.write_text("[gateway]\nproceses = 2\n")
        daemon.send_signal(signal.SIGHUP)
        eventually(lambda: "reload changed nothing" in daemon.stderr)
        daemon.stop()
        assert "did you mean processes?" in daemon.stderr


def test_child_that_does_not_stop_is_killed() -> None:
    """A stuck child does not keep the supervisor: it ends within its bound, with exit code 1."""
    with probe("--processes", "2", "--stop-timeout", "0.1") as daemon, Talk(daemon) as talk:
        talk.ask("stick")
        daemon.stop(code=ExitCode.FAILED)


def test_child_that_dies_before_it_is_ready_fails_the_start() -> None:
    """What never worked is not tried for ever: the start fails and says which child."""
    daemon = probe("--processes", "2", "--fault", "die", "--log-level", "error")
    daemon.launch()
    assert daemon.wait() == ExitCode.STARTUP
    assert "ended with exit code 9 before it was ready" in daemon.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="stuck children die with it on Linux only")
@pytest.mark.parametrize("stuck", [False, True])
def test_killed_supervisor_leaves_no_child(stuck: bool) -> None:
    """When the supervisor is killed, its children die, even one whose loop is stuck."""
    with probe("--processes", "2") as daemon, Talk(daemon) as talk:
        if stuck:
            talk.ask("stick")
        left = children(daemon)
        daemon.send_signal(signal.SIGKILL)
        assert daemon.wait() == -signal.SIGKILL
        _, alive = psutil.wait_procs(left, timeout=10)
        assert alive == []


def test_stop_leaves_no_child() -> None:
    """After a clean stop nothing of it runs."""
    with probe("--processes", "2") as daemon:
        left = children(daemon)
        daemon.stop()
        assert not any(child.is_running() for child in left)


def test_working_directory_does_not_shadow_a_package(tmp_path: Path) -> None:
    """A user's own folder of our package's name in the working directory does no harm."""
    (tmp_path / "probe").mkdir()
    (tmp_path / "probe" / "__init__.py").write_text("raise SystemExit('shadow')")
    path = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROLES}"}
    flags = ("probe", "start", "--processes", "2")
    with Daemon(*flags, environment=path, folder=tmp_path) as daemon:
        daemon.stop()


def test_package_in_the_way_is_named(tmp_path: Path) -> None:
    """What PYTHONPATH puts in front of our package is told with its path."""
    shutil.copytree(ROLES / "probe", tmp_path / "probe")
    script = f"import sys, runpy; sys.path[:0] = [{str(ROOT)!r}, {str(ROLES)!r}]; runpy.run_module('probe', run_name='__main__')"
    daemon = Daemon(
        "start", "--processes", "2",
        environment={"PYTHONPATH": str(tmp_path)},
        launcher=[sys.executable, "-c", script],
    )  # fmt: skip
    daemon.launch()
    assert daemon.wait() == ExitCode.STARTUP
    assert f"{tmp_path / 'probe' / '__init__.py'} stands in the way of our package" in daemon.stderr


def test_several_roles_under_one_supervisor_are_told_apart() -> None:
    """With different roles, each address stands in the ready line under its role's name."""
    with Daemon("pair", environment=ENVIRONMENT) as daemon:
        assert daemon.ready.role == "dev"
        assert list(daemon.ready.addresses) == [
            "probe.probe", "probe.number", "echo.probe", "echo.number", "pid",
        ]  # fmt: skip
        daemon.stop()


def test_frozen_child_does_not_stop_the_others_from_stopping() -> None:
    """A child that takes no orders is killed after its bound; the exit code says so."""
    with probe("--processes", "2", "--stop-timeout", "0") as daemon:
        children(daemon)[0].suspend()
        daemon.stop(code=ExitCode.FAILED)
