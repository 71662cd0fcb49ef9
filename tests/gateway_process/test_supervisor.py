import asyncio
import os
import shutil
import signal
import sys
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from gateway_process.errors import ExitCode, RunError, SettingsError
from gateway_process.inspection import ConnectionPage, ConnectionQuery, State
from gateway_process.signals import Order
from tests.gateway_process.probing import ENVIRONMENT, ROLES, ROOT, Talk, children, probe
from tests.gateway_process.supervising import AsyncTalk, Supervised, until
from tests.gateway_process.supervising import children as children_here
from tests.support.daemons import Daemon
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("probes")


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


async def test_child_takes_no_signal_as_an_order() -> None:
    """Who has to stop before whom only the supervisor knows."""
    async with Supervised() as running:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
            pid = await running.signal(number)
            assert await running.ask("pid") == str(pid)
        assert (await running.status()).restarts == 0


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


# Reloads that replace


async def test_reload_replaces_one_after_another(caplog: pytest.LogCaptureFixture) -> None:
    """Every process is new in the end, and never were two places at it at once."""
    async with Supervised(processes=3) as running:
        before = children_here()
        running.reload(greeting="two")
        while "every process was replaced" not in caplog.text:
            states = [each.state for each in await running.supervisor.status()]
            assert states.count(State.REPLACING) <= 1
            assert len(children_here()) <= 4
            await asyncio.sleep(0)
        after = children_here()
        assert len(after) == 3
        assert not before & after
        assert {await running.ask("greet") for _ in range(10)} == {"two"}


async def test_reload_ends_where_a_new_process_fails(caplog: pytest.LogCaptureFixture) -> None:
    """All old processes go on, with the settings that they had."""
    async with Supervised(processes=2) as running:
        before, settings = await running.pids(), running.settings
        running.reload(fault="refuse")
        await until(lambda: "the reload ends here; as they were: probe #0, probe #1" in caplog.text)
        assert caplog.text.count("is not replaced") == 1
        assert await running.pids() == before
        assert [child.settings for child in running.children] == [settings] * 2
        running.reload(fault="")
        await until(lambda: "every process was replaced" in caplog.text)


async def test_who_waits_for_a_reload_hears_how_it_went(caplog: pytest.LogCaptureFixture) -> None:
    """What has changed and how many were replaced; or why one was not, and which so are as they were."""
    async with Supervised(processes=2) as running:
        change = await running.supervisor.reload()
        assert (change.applied, change.replaced) == (("greeting",), 2)
        running.change(fault="refuse")
        with pytest.raises(RunError) as caught:
            await running.supervisor.reload()
        log = next(each.message for each in caplog.records if "is not replaced" in each.message)
        assert str(caught.value) == f"{log}; as they were: probe #0, probe #1"
        running.fault = SettingsError("cold", "equals the greeting", "give another text")
        with pytest.raises(SettingsError):
            await running.supervisor.reload()
        assert "reload changed nothing: cold: equals the greeting" in caplog.text


async def test_who_leaves_a_reload_ends_nothing() -> None:
    """The others that wait for it are told as ever."""
    async with Supervised() as running:
        leaving, staying = (asyncio.create_task(running.supervisor.reload()) for _ in range(2))
        await until(lambda: len(children_here()) == 2)
        leaving.cancel()
        assert (await staying).replaced == 1


async def test_a_stop_is_told_to_who_waits_for_a_reload() -> None:
    """To the one whose reload is under way, and to those whose turn has not come."""
    async with Supervised(fault="") as running:
        running.change(fault="wait")
        first = asyncio.create_task(running.supervisor.reload())
        await until(lambda: len(children_here()) == 2)
        second = asyncio.create_task(running.supervisor.reload())
        await asyncio.sleep(0)
        running.supervisor.order(Order.STOP)
        with pytest.raises(RunError, match=r"^probe #0 is not replaced: it is being stopped"):
            await first
        with pytest.raises(RunError, match=r"^not reloaded: it is being stopped"):
            await second
        assert not running.end.done()


async def test_nobody_more_is_replaced_after_a_stop(tmp_path: Path) -> None:
    """A place whose stage to stop has not come is left as it is."""
    gate = tmp_path / "gate"
    async with Supervised(processes=3) as running, AsyncTalk(running) as talk:
        held = running.children[(await running.pids()).index(int(await talk.ask("pid")))]
        later = [child for child in running.children if child is not held]
        held.replaces = False
        for child in later:
            child.stop_stage = 1
        running.change(fault=f"hold {gate}")
        reload = asyncio.create_task(running.supervisor.reload())
        await until(lambda: len(children_here()) == 4)
        running.supervisor.order(Order.DRAIN)
        gate.touch()
        with pytest.raises(RunError, match=rf"^{later[1]} is not replaced: it is being stopped"):
            await reload


async def test_reloads_during_a_reload_are_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """However many come, one more follows, with the settings of then."""
    gate = tmp_path / "gate"
    async with Supervised() as running:
        running.reload(fault=f"hold {gate}")
        await until(lambda: len(children_here()) == 2)
        for greeting in ("two", "three"):
            running.reload(greeting=greeting)
        gate.touch()
        await until(lambda: caplog.text.count("every process was replaced") == 2)
        assert running.rereads == 2
        assert await running.ask("greet") == "three"


async def test_stop_forgets_a_reload_that_was_to_follow() -> None:
    """After a stop nothing is read anew."""
    async with Supervised() as running:
        running.reload(fault="wait")
        await until(lambda: len(children_here()) == 2)
        running.reload()
        running.supervisor.order(Order.STOP)
        running.reload()
        await running.end
        assert running.rereads == 1


async def test_reload_of_both_kinds(caplog: pytest.LogCaptureFixture) -> None:
    """Those that are not replaced take the same reload as ever, and at once."""
    async with Supervised(processes=2) as running:
        running.children[0].replaces = False
        before = await running.pids()
        running.reload(greeting="two")
        await until(lambda: "every process was replaced" in caplog.text)
        after = await running.pids()
        assert after[0] == before[0]
        assert after[1] != before[1]
        async with AsyncExitStack() as stack:
            talks = [await stack.enter_async_context(AsyncTalk(running)) for _ in range(20)]
            assert {await talk.ask("greet") for talk in talks} == {"two"}


async def test_who_waits_hears_who_could_not_reload() -> None:
    """Those with one reason are told together; and so is what went wrong with a replacement."""
    async with Supervised(processes=3) as running:
        for child in running.children[:2]:
            child.replaces = False
        before = await running.pids()
        running.change(greeting="bad")
        could_not = r"^not reloaded: probe #0, probe #1: greeting: bad; give another"
        with pytest.raises(RunError, match=could_not + "$"):
            await running.supervisor.reload()
        after = await running.pids()
        assert (after[:2], after[2] != before[2]) == (before[:2], True)
        running.change(fault="refuse")
        with pytest.raises(RunError, match=could_not + "; probe #2 is not replaced: .*no register"):
            await running.supervisor.reload()
        running.change(greeting="good", fault="")
        assert (await running.supervisor.reload()).replaced == 1


async def test_one_that_does_not_answer_a_reload_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Its time is bounded, and the others have reloaded."""
    async with Supervised(processes=2, replaces=False, start_limit=0.5) as running:
        await running.signal(signal.SIGSTOP)
        with pytest.raises(RunError, match=r"^not reloaded: probe #0: no answer within 0\.5 s$"):
            await running.supervisor.reload()
        assert "probe #0 may not be reloaded: no answer within 0.5 s" in caplog.text


async def test_a_reload_that_a_stop_overtakes_is_told() -> None:
    """The process ends before it has answered."""
    async with Supervised(replaces=False) as running:
        await running.signal(signal.SIGSTOP)
        reload = asyncio.create_task(running.children[0].reload())
        await asyncio.sleep(0)
        running.supervisor.order(Order.STOP)
        running.supervisor.kill()
        assert await reload == "it is being stopped"
        assert await running.children[0].reload() == ""


# Questions


async def test_status_of_all() -> None:
    """Each place has its entry, in order, with what its process says."""
    async with Supervised(processes=2) as running, AsyncTalk(running) as talk:
        await talk.ask("pid")
        first, second = await running.supervisor.status()
        assert (first.role, first.number, second.number) == ("probe", 0, 1)
        assert {first.pid, second.pid} == children_here()
        for each in (first, second):
            assert each.state is State.READY
            assert each.uptime > 0
            assert each.listening["number"] == str(each.number)
            if sys.platform == "linux":
                assert each.memory > 1_000_000
        assert first.work is not None
        assert second.work is not None
        assert first.work.connections + second.work.connections == 1


async def test_frozen_child_does_not_hold_up_the_others() -> None:
    """It is told without its work, and asked again once it has answered."""
    async with Supervised(processes=2) as running:
        await running.signal(signal.SIGSTOP)
        first, second = await running.supervisor.status()
        assert (first.state, first.work) == (State.READY, None)
        assert second.work is not None
        assert (await running.supervisor.connections(ConnectionQuery())).silent == ["probe #0"]
        await running.signal(signal.SIGCONT)
        await running.until_status(lambda now: now.work is not None)
        assert (await running.supervisor.connections(ConnectionQuery())).silent == []


async def test_pages_go_through_all_children() -> None:
    """Page after page gives each connection once, and says whose it is."""
    async with Supervised(processes=2) as running, AsyncExitStack() as stack:
        talks = [await stack.enter_async_context(AsyncTalk(running)) for _ in range(12)]
        pids = await running.pids()
        owners = {talk.address: pids.index(int(await talk.ask("pid"))) for talk in talks}
        for limit in (1, 5, 12, 100):
            rows: list[dict[str, Any]] = []
            after = ""
            while True:
                query = ConnectionQuery(limit=limit, after=after)
                page = await running.supervisor.connections(query)
                assert len(page.rows) <= limit
                rows += page.rows
                if not (after := page.next):
                    break
            assert {row["address"]: row["number"] for row in rows} == owners
            assert len(rows) == 12
            assert {row["role"] for row in rows} == {"probe"}


async def test_filters_reach_every_child() -> None:
    """What is asked for is asked of each."""
    async with (
        Supervised(processes=2) as running,
        AsyncTalk(running) as talk,
        AsyncTalk(running) as other,
    ):
        await talk.ask("pid")
        await other.ask("pid")
        page = await running.supervisor.connections(ConnectionQuery(address=talk.address))
        assert [row["address"] for row in page.rows] == [talk.address]


@pytest.mark.parametrize("after", ["wrong", "0/wrong", "7/", "x/", "/"])
async def test_wrong_page_is_named(after: str) -> None:
    """What is no page is refused, by the supervisor or by the process."""
    async with Supervised() as running:
        with pytest.raises(ValueError, match=r"after: .* is no page"):
            await running.supervisor.connections(ConnectionQuery(after=after))


async def test_question_that_breaks_costs_nothing_else() -> None:
    """A role that fails over a question is told as silent, and takes its orders."""
    async with Supervised(fault="mute") as running:
        assert (await running.status()).work is None
        assert (await running.supervisor.connections(ConnectionQuery())).rows == []
        running.supervisor.order(Order.STOP)
        await running.end


async def test_crashed_child_answers_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """While a place is empty its status says so, and it has no connections."""
    async with Supervised() as running:
        await running.ask("crash")
        await until(lambda: "starting it again" in caplog.text)
        status = await running.status()
        assert (status.state, status.pid, status.memory) == (State.CRASHED, 0, 0)
        assert await running.supervisor.connections(ConnectionQuery()) == ConnectionPage()
        assert "crashed" in repr(running.supervisor)


async def test_a_later_stage_stops_when_the_earlier_one_has_ended() -> None:
    """Whoever is needed to the end is told nothing while others still have peers."""
    async with Supervised(processes=2) as supervised:
        async with AsyncTalk(supervised) as talk:
            first = (await supervised.pids()).index(int(await talk.ask("pid")))
            later = supervised.children[1 - first]
            later.stop_stage = 1

            supervised.supervisor.order(Order.DRAIN)
            assert (await supervised.status(first)).state is State.STOPPING
            assert (await later.status()).state is State.READY
            assert (await talk.ask("pid")) in map(str, await supervised.pids())

        await supervised.end
        assert not children_here()


async def test_who_has_stopped_before_the_others_has_no_process() -> None:
    """Its pid may be somebody else's by now, so status does not show it any more."""
    async with Supervised(processes=2) as supervised, AsyncTalk(supervised) as talk:
        held = (await supervised.pids()).index(int(await talk.ask("pid")))
        supervised.supervisor.order(Order.DRAIN)  # the one with a peer waits for it
        other = supervised.children[1 - held]
        while (status := await other.status()).pid:  # noqa: ASYNC110 -- nothing tells of its end
            await asyncio.sleep(0)
        assert (status.state, status.listening) == (State.STOPPING, {})
        assert (await supervised.children[held].status()).pid


async def test_a_drain_that_a_child_does_not_end_becomes_a_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A child that is frozen or whose peers stay is stopped when its time is over, and killed if need be."""
    async with Supervised(processes=2, stop_timeout=0.2) as supervised:
        frozen = await supervised.signal(signal.SIGSTOP)
        supervised.children[0].stop_stage = 1
        supervised.supervisor.order(Order.DRAIN)
        await until(lambda: children_here() == {frozen})  # its own turn to drain begins
        with pytest.raises(RunError, match=r"^probe #0 did not stop in time; killed$"):
            await supervised.end
        assert "probe #0 did not drain in time; stopping" in caplog.text


async def test_a_drain_ends_when_its_limit_has_passed(caplog: pytest.LogCaptureFixture) -> None:
    """A peer that stays holds a drain up for as long as the settings say, and then no longer."""
    async with Supervised(stop_timeout=0.0) as supervised, AsyncTalk(supervised) as talk:
        pid = await talk.ask("pid")
        supervised.supervisor.order(Order.DRAIN)
        assert await talk.ask("pid") == pid
        await supervised.end
        assert "probe #0 did not drain in time; stopping" in caplog.text


async def test_a_stage_that_hangs_does_not_keep_the_others_from_stopping() -> None:
    """When the stop timeout is over everybody is told to stop, and may still do so cleanly."""
    async with Supervised(processes=2, stop_timeout=0.2) as supervised:
        supervised.children[1].stop_stage = 1
        frozen = await supervised.signal(signal.SIGSTOP)

        supervised.supervisor.order(Order.STOP)
        await until(lambda: children_here() == {frozen})
        with pytest.raises(RunError, match=r"^probe #0 did not stop in time; killed$"):
            await supervised.end
