"""Which instance a command is about, and stops that do not go as they should."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway_process import admin
from gateway_process.control import Steering, serving
from gateway_process.errors import NotRunning, RunError, SettingsError, StartupError
from gateway_process.inspection import ConnectionPage, ConnectionQuery, ProcessStatus
from gateway_process.instance import Claim, RunDir
from gateway_process.settings import Reloaded
from gateway_process.signals import Order
from tests.gateway_process.probing import ENVIRONMENT, an_instance
from tests.support.instances import Instances

HERE = an_instance()


@pytest.fixture
def claims(run_dir: RunDir) -> Iterator[Sequence[Claim]]:
    """A gateway and a register, both of this process."""
    made = [
        run_dir.claim(HERE),
        run_dir.claim(replace(HERE, name="register", program="register")),
    ]
    yield made
    for claim in made:
        claim.release()


def test_the_only_one_of_a_program_needs_no_name(run_dir: RunDir, claims: Sequence[Claim]) -> None:
    """Other programs' instances are no candidates."""
    assert admin.choose(run_dir, "gateway", None) == claims[0].instance
    assert admin.choose(run_dir, "gateway", "web") == claims[0].instance
    with pytest.raises(NotRunning):
        admin.choose(run_dir, "businessworker", None)


def test_a_name_that_does_not_run_lists_those_that_do(
    run_dir: RunDir, claims: Sequence[Claim]
) -> None:
    """A typing mistake is seen at once."""
    with pytest.raises(NotRunning, match=r"'wev' is not running; running: web \(pid \d+, since "):
        admin.choose(run_dir, "gateway", "wev")


def test_the_name_of_another_program_is_refused(run_dir: RunDir, claims: Sequence[Claim]) -> None:
    """`gateway stop --name register` stops no register."""
    with pytest.raises(SettingsError, match="'register' is a register; use the command register"):
        admin.choose(run_dir, "gateway", "register")


def test_the_command_of_a_restart(run_dir: RunDir, claims: Sequence[Claim]) -> None:
    """The same package and arguments, under the name and in the folder where it was found."""
    command = admin.restart_command(run_dir, HERE, daemon=False)
    here = ["--name", "web", "--run-dir", str(run_dir.path)]
    begin = [sys.executable, "-P", "-m", "gateway", "start", "--processes", "2", *here]
    assert command == begin
    assert admin.restart_command(run_dir, HERE, daemon=True) == [*begin, "-d"]
    back = replace(HERE, background=True)
    assert admin.restart_command(run_dir, back, daemon=False) == [*begin, "-d"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_another_user_wrote_is_not_run(run_dir: RunDir, claims: Sequence[Claim]) -> None:
    """Root's restart would run what that user's file says, as root; it stops nothing either."""
    os.chown(run_dir.path / "web.pid", 12_345, 12_345)
    with pytest.raises(StartupError, match="is another user's; restart it as that user"):
        admin.restart_command(run_dir, HERE, daemon=False)


def test_a_restart_that_cannot_come_back_is_refused(
    run_dir: RunDir, claims: Sequence[Claim]
) -> None:
    """Before anything is stopped: a secret that is kept nowhere, a folder that is gone."""
    with pytest.raises(SettingsError, match="--api-key: was given as a flag"):
        admin.restart_command(run_dir, replace(HERE, left_out=("--api-key",)), daemon=False)
    with pytest.raises(StartupError, match="/gone is gone"):
        admin.restart_command(run_dir, replace(HERE, folder="/gone"), daemon=False)


class Sparse:
    """Has numbered connections, and finds at most one at each look, at every third none."""

    async def status(self) -> list[ProcessStatus]:
        return []

    async def connections(self, query: ConnectionQuery) -> ConnectionPage:
        here = int(query.after or 0)
        rows = [{"n": here}] if here % 3 and query.limit else []
        return ConnectionPage(rows=rows, next=str(here + 1) if here < 9 else "")

    def order(self, order: Order) -> None:
        raise AssertionError(order)

    async def reload(self) -> Reloaded:
        raise AssertionError


async def test_a_page_is_filled_by_as_many_looks_as_it_takes(
    run_dir: RunDir, claims: Sequence[Claim]
) -> None:
    """An instance looks at a part of its connections at a time; who asks sees whole pages."""

    def ask(**query: Any) -> ConnectionPage:
        with admin.Asked.of(run_dir, HERE) as asked:
            return asked.connections(ConnectionQuery(**query))

    steering = Steering(stop_timeout=lambda: 1.0)
    async with serving(claims[0], Sparse(), steering):
        first = await asyncio.to_thread(ask, limit=3)
        second = await asyncio.to_thread(ask, after=first.next)
    assert ([row["n"] for row in first.rows], first.next) == ([1, 2, 4], "5")
    assert ([row["n"] for row in second.rows], second.next) == ([5, 7, 8], "")


def test_one_that_does_not_end_is_killed() -> None:
    """A process that is stuck and takes no signal either is ended all the same, and that is told."""
    with Instances(ENVIRONMENT) as probes:
        probes.start("probe", "--stop-timeout", "0.1", "--fault", "stuck-stop")
        (instance,) = probes.running()
        sooner = -10.0  # than it ends itself
        with pytest.raises(RunError, match="did not stop in time and was killed"):
            admin.stop(RunDir(probes.path), instance, Order.STOP, lambda _line: None, grace=sooner)
        probes.ended()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_pid_of_somebody_else_is_not_signalled(run_dir: RunDir) -> None:
    """Root's stop does not end what a pid file of another user points at."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        claim = run_dir.claim(replace(HERE, pid=other.pid))
        os.chown(run_dir.path / "web.pid", 12_345, 12_345)
        run_dir.socket_of("web").unlink()
        with pytest.raises(RunError, match="not a process of the instance's user"):
            admin.stop(run_dir, claim.instance, Order.STOP, lambda _line: None)
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0
    claim.release()
