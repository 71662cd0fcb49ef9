"""What is kept of a command line, and starts where nothing can be written."""

from pathlib import Path

import pytest

from gateway_process.errors import ExitCode
from gateway_process.launch import kept_arguments
from gateway_process.shared import MemberSettings
from tests.gateway_process.probing import probe, refused


@pytest.mark.parametrize(
    ("typed", "kept", "left_out"),
    [
        ("start --log-level debug -c x", "start --log-level debug -c x", []),
        ("start --log-level=debug -d --insecure x", "start --log-level=debug --insecure x", []),
        ("start --name web --run-dir=/r --daemon", "start", []),
        ("start --secret-key s --api-key=k x", "start x", ["--secret-key", "--api-key"]),
        ("start --secret-key-file s", "start --secret-key-file s", []),
        ("start --log-file --name --insecure", "start --log-file --name --insecure", []),
        ("start --name", "start", []),
    ],
)
def test_what_is_kept_of_a_command_line(typed: str, kept: str, left_out: list[str]) -> None:
    """All but secrets, and what a restart gives anew; a value that looks like a flag is a value."""
    assert kept_arguments(typed.split(), MemberSettings) == (kept.split(), left_out)


def test_a_foreground_start_goes_on_where_nothing_can_be_written() -> None:
    """In a container that is read-only it warns: signals still stop it."""
    with probe(GATEWAYWORKER_RUN_DIR="/dev/null/run") as daemon:
        daemon.stop()
        assert "run directory /dev/null/run cannot be used" in daemon.stderr
        assert "stop and status do not find this instance" in daemon.stderr


def test_why_it_ended_stands_in_its_log_file_too(tmp_path: Path) -> None:
    """Whoever reads the file alone sees how the story ends."""
    log = tmp_path / "own.log"
    slow = ("--fault", "slow-stop", "--stop-timeout", "0.1")
    with probe("--log-file", str(log), *slow) as daemon:
        daemon.stop(code=ExitCode.FAILED)
    assert "ERROR gateway_process" in log.read_text().splitlines()[-1]
    assert "stop took longer than" in daemon.stderr


def test_in_the_background_a_run_directory_is_needed() -> None:
    """There a start without files would be one that nobody can stop."""
    code, stderr = refused("-d", GATEWAYWORKER_RUN_DIR="/dev/null/run")
    assert (code, "name another with --run-dir" in stderr) == (ExitCode.STARTUP, True)


@pytest.mark.parametrize("name", ["a/b", ".hidden", "-d", "", "x" * 65, "two words"])
def test_a_name_is_one_that_files_can_have(name: str) -> None:
    """A name cannot lead out of the run directory."""
    code, stderr = refused(f"--name={name}")
    assert (code, "is no name for files; give letters" in stderr) == (ExitCode.USAGE, True)


@pytest.mark.parametrize("flags", [[], ["-d"]])
def test_a_folder_that_others_can_write_is_refused(
    tmp_path_factory: pytest.TempPathFactory, flags: list[str]
) -> None:
    """Whoever could put files there could have others killed in the user's name."""
    folder = tmp_path_factory.mktemp("r")
    folder.chmod(0o777)
    code, stderr = refused("--log-level=error", *flags, GATEWAYWORKER_RUN_DIR=str(folder))
    assert (code, "chmod go-w it" in stderr) == (ExitCode.STARTUP, True)
    assert list(folder.iterdir()) == []
