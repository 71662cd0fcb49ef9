"""Pid files and control sockets in a run directory, held by this process and by others."""

import multiprocessing
import os
import resource
import signal
import socket
import stat
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_process.errors import StartupError
from gateway_process.instance import Instance, RunDir, RunDirUnusable, default_run_dir
from tests.gateway_process.probing import an_instance
from tests.support.daemons import new_run_dir


def test_a_claim_is_found_until_it_is_released(run_dir: RunDir) -> None:
    """Whoever looks reads all that the owner wrote, and nothing once it is gone."""
    instance = an_instance()
    claim = run_dir.claim(instance)
    assert run_dir.find("web") == instance
    assert run_dir.running() == [instance]
    claim.release()
    assert (run_dir.running(), list(run_dir.path.iterdir())) == ([], [])


def test_only_its_user_can_connect_to_the_socket(run_dir: RunDir) -> None:
    """The mode is right from the beginning, whatever the umask."""
    before = os.umask(0)
    try:
        claim = run_dir.claim(an_instance())
    finally:
        os.umask(before)
    assert stat.S_IMODE(run_dir.socket_of("web").stat().st_mode) == 0o600
    claim.release()


def test_a_name_is_claimed_once(run_dir: RunDir) -> None:
    """The second one is told who has it, and disturbs nothing."""
    claim = run_dir.claim(an_instance())
    with pytest.raises(
        StartupError, match=rf"gateway 'web' is already running \(pid {os.getpid()}\)"
    ):
        run_dir.claim(an_instance())
    assert run_dir.socket_of("web").is_socket()
    claim.release()


def test_looking_does_not_keep_others_from_starting(run_dir: RunDir) -> None:
    """A look at a stale file shares its lock for an instant; a start waits that long."""
    (run_dir.path / "web.pid").write_text("1\n{}\n")
    assert run_dir.find("web") is None
    run_dir.claim(an_instance()).release()


def test_a_claim_ends_with_its_process(run_dir: RunDir) -> None:
    """However a process ends, its name is free and its files are taken over."""
    context = multiprocessing.get_context("fork")
    reading, writing = context.Pipe()

    def hold() -> None:
        claim = run_dir.claim(replace(an_instance(), pid=os.getpid()))
        writing.send(claim.instance.pid)
        signal.pause()

    process = context.Process(target=hold)
    process.start()
    assert reading.recv() == process.pid
    found = run_dir.find("web")
    assert found is not None
    with run_dir.watching(found) as lives:
        assert lives()
        process.kill()
        process.join()
        assert not lives()
    assert run_dir.find("web") is None
    run_dir.claim(an_instance()).release()


def test_an_end_is_seen_when_the_process_has_ended(run_dir: RunDir) -> None:
    """The files go a moment earlier: whoever waits for an end waits for the lock."""
    claim = run_dir.claim(an_instance())
    with run_dir.watching(claim.instance) as lives:
        claim.release()
        assert run_dir.find("web") is None
        assert lives()


def test_a_claim_that_fails_leaves_nothing(run_dir: RunDir) -> None:
    """What is in the way of the socket is told, and the pid file goes again."""
    run_dir.socket_of("web").mkdir()
    with pytest.raises(RunDirUnusable, match="name another with --run-dir"):
        run_dir.claim(an_instance())
    assert [file.name for file in run_dir.path.iterdir()] == ["web.sock"]


def test_a_path_that_is_too_long_for_a_socket_is_told() -> None:
    """The limit is the system's; the message names the path and the remedy."""
    run_dir = RunDir(new_run_dir() / ("x" * 100))
    run_dir.make()
    with pytest.raises(StartupError, match=r"longer than a socket may have .* --run-dir"):
        run_dir.claim(an_instance())
    assert list(run_dir.path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_can_write_is_refused(run_dir: RunDir, mode: int) -> None:
    """Others could put a pid file there, or a socket that answers in our name."""
    run_dir.path.chmod(mode)
    for use in (run_dir.make, run_dir.running):
        with pytest.raises(StartupError, match="can be written by other users; chmod go-w it"):
            use()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_for_root_to_look_at_only(run_dir: RunDir) -> None:
    """Root may stop what others run, but starts nothing where another user could lay a trap."""
    os.chown(run_dir.path, 12_345, 12_345)
    with pytest.raises(StartupError, match="belongs to another user"):
        run_dir.make()
    assert run_dir.running() == []


def as_another_user(ask: Callable[[], object]) -> str:
    """Give the message of what it raises in a process of another user."""
    context = multiprocessing.get_context("fork")
    reading, writing = context.Pipe(duplex=False)

    def run() -> None:
        os.setuid(12_345)
        try:
            writing.send(repr(ask()))
        except StartupError as error:
            writing.send(str(error))

    process = context.Process(target=run)
    process.start()
    process.join()
    assert process.exitcode == 0
    said: str = reading.recv()
    return said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_another_user_may_not_see_is_not_said_to_be_gone(run_dir: RunDir) -> None:
    """A monitor without permission hears that, not that nothing runs."""
    assert "Permission denied); ask as the user" in as_another_user(run_dir.running)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        public = RunDir(Path(folder))
        claim = public.claim(an_instance())
        assert "web.pid cannot be read (Permission denied)" in as_another_user(public.running)
        claim.release()


def test_a_file_under_another_name_is_no_instance(run_dir: RunDir) -> None:
    """What a pid file says of itself cannot lead to the files of another instance."""
    claim = run_dir.claim(an_instance())
    run_dir.path.joinpath("web.pid").write_bytes(an_instance("../web").written())
    assert run_dir.running() == []
    claim.release()


def test_a_claim_on_a_full_disk_leaves_nothing(run_dir: RunDir) -> None:
    """A start that goes on without files must not hold a name that says nothing."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # no byte can be written
    try:
        with pytest.raises(RunDirUnusable, match="cannot be used"):
            run_dir.claim(an_instance())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(run_dir.path.iterdir()) == []
    run_dir.claim(an_instance()).release()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_pid_of_another_user_is_seen(run_dir: RunDir) -> None:
    """A pid file cannot point root's signals at a process that its writer does not own."""
    claim = run_dir.claim(an_instance())
    assert run_dir.owns(claim.instance)
    os.chown(run_dir.path / "web.pid", 12_345, 12_345)
    assert not run_dir.owns(claim.instance)
    claim.release()


def test_a_folder_that_cannot_be_made_is_told() -> None:
    """A read-only system, or a file in the way: named, with the remedy."""
    with pytest.raises(RunDirUnusable, match=r"/dev/null/run cannot be used .* --run-dir"):
        RunDir(Path("/dev/null/run")).make()


def test_a_file_in_place_of_the_folder_is_told() -> None:
    """To who starts and to who looks: that nothing runs would be a guess."""
    run_dir = RunDir(new_run_dir())
    run_dir.path.touch()
    with pytest.raises(RunDirUnusable, match=r"cannot be used \(it is a file\); name another with"):
        run_dir.make()
    with pytest.raises(RunDirUnusable, match=r"cannot be used \(it is a file, or lies below one\)"):
        run_dir.running()


def test_a_linked_pid_file_is_not_followed(run_dir: RunDir) -> None:
    """What it leads to is left alone; the message says what to remove."""
    target = run_dir.path / "precious"
    target.write_text("precious")
    (run_dir.path / "web.pid").symlink_to(target)
    with pytest.raises(StartupError, match=r"web\.pid is a symbolic link, .*; remove the link"):
        run_dir.claim(an_instance())
    assert (run_dir.running(), target.read_text()) == ([], "precious")


def test_a_folder_that_is_not_there_has_no_instances() -> None:
    """Looking makes nothing."""
    run_dir = RunDir(new_run_dir())
    assert run_dir.running() == []
    assert not run_dir.path.exists()


@pytest.mark.parametrize(
    ("uid", "session", "expected"),
    [
        (0, "/run/user/0", "/run/gatewayworker"),
        (7, "/run/user/7", "/run/user/7/gatewayworker"),
        (7, "", f"{tempfile.gettempdir()}/gatewayworker-7"),
        (7, None, f"{tempfile.gettempdir()}/gatewayworker-7"),
    ],
)
def test_the_default_depends_on_the_user(uid: int, session: str | None, expected: str) -> None:
    """Root's is where daemons have theirs; others have the session's, or one of their own."""
    assert default_run_dir(uid, session) == Path(expected)


def test_a_pid_file_that_is_being_written_is_waited_for(run_dir: RunDir) -> None:
    """Between the lock and the content there is a moment, which is no instance yet."""
    assert Instance.read(b"") is None
    assert Instance.read(b"4711\n{") is None
    assert Instance.read(an_instance().written()) is not None


def test_a_stale_socket_is_replaced(run_dir: RunDir) -> None:
    """What a crash left under the socket's name is not connected to."""
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(run_dir.socket_of("web")))
    claim = run_dir.claim(an_instance())
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(run_dir.socket_of("web")))
    claim.release()
