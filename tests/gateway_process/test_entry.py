"""Where a command begins, tried with the commands that begin there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway_process.errors import ExitCode
from tests.support.daemons import MODULE, clean_environment
from tests.support.instances import Instances

STUCK = """
import builtins, sys
def block(name, *_args, _import=builtins.__import__, **_kw):
    if name == "asyncio":
        print("importing", flush=True)
        sys.stdin.read()
    return _import(name, *_args, **_kw)
builtins.__import__ = block
from gateway_process import entry
sys.argv = ["gateway", "--help"]
entry.gateway()
"""
"""A command that stands still in the middle of its imports."""


def test_an_interrupt_while_importing_is_no_traceback() -> None:
    """Ctrl-C that comes before a command listens for it ends it, as the shell expects."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", STUCK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (-signal.SIGINT, "")


@pytest.mark.parametrize("command", ["gateway", "register", "businessworker", "gatewayworker"])
@pytest.mark.parametrize("name", ["gateway", "register", "gateway_wire"])
def test_a_package_of_the_users_is_named(tmp_path: Path, command: str, name: str) -> None:
    """A project on PYTHONPATH may have a package called as one of ours is."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("raise AssertionError('imported')")
    script = f"import sys; from gateway_process import entry; sys.exit(entry.{command}())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = f"{tmp_path / name / '__init__.py'} stands in the way of our package {name!r}"
    assert done.stderr.startswith(told)
    assert (done.returncode, done.stderr.count("\n")) == (ExitCode.STARTUP, 1)


@pytest.mark.skipif(os.name != "posix", reason="-d needs a POSIX system")
def test_closed_standard_files_harm_nothing() -> None:
    """Whoever starts it may have closed all three; no socket of ours gets one of their numbers."""
    ports = ("--listen=127.0.0.1:0", "--http=127.0.0.1:0")
    with Instances() as instances:
        command = [*MODULE, "register", "start", "-d", *ports, f"--run-dir={instances.path}"]
        closing = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command]
        done = subprocess.run(closing, env=clean_environment(), check=False)
        assert done.returncode == ExitCode.OK
        assert instances("register", "stop").code == ExitCode.OK
