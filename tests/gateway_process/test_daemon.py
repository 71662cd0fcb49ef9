import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from gateway_process.daemon import RELOAD_LIMIT, Addresses, Context, Daemon, ready_line
from gateway_process.errors import RunError, SettingsError, StartupError
from gateway_process.inspection import ConnectionPage, ConnectionQuery, State, Work
from gateway_process.settings import setting
from gateway_process.shared import SharedSettings
from gateway_process.signals import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy(SharedSettings):
    greeting: str = setting("hello", "Hot.", hot=True)
    port: int = setting(1, "Cold.")


class Steps:
    """A role that writes down what it was told, and waits or fails where a test says."""

    def __init__(self, **faults: Callable[[], object]) -> None:
        self.steps: list[str] = []
        self.faults = faults
        self.context: Context | None = None
        self.at: dict[str, asyncio.Event] = {}

    def make(self, settings: Toy, context: Context) -> "Steps":
        self.context = context
        return self

    async def reached(self, step: str) -> None:
        await self.at.setdefault(step, asyncio.Event()).wait()

    async def take(self, step: str) -> None:
        self.steps.append(step)
        name = step.partition(" ")[0]
        self.at.setdefault(name, asyncio.Event()).set()
        result = self.faults.get(name, lambda: None)()
        if asyncio.iscoroutine(result):
            await result

    async def start(self) -> Addresses:
        await self.take("start")
        return {"toy": ["a:1", "b:2"]}

    async def reload(self, settings: Toy) -> None:
        await self.take(f"reload {settings.greeting} {settings.port}")

    async def drain(self) -> None:
        await self.take("drain")

    async def stop(self) -> None:
        await self.take("stop")

    def work(self) -> Work:
        return Work(connections=7)

    def connections(self, query: ConnectionQuery) -> ConnectionPage:
        return ConnectionPage(rows=[{"address": "a"}])


class Life:
    """A daemon under test, running."""

    def __init__(
        self, role: Steps, settings: Toy | None = None, *, reload_limit: float = RELOAD_LIMIT
    ) -> None:
        self.role = role
        self.announced: asyncio.Future[Addresses] = asyncio.get_running_loop().create_future()
        self.new = settings or Toy()
        self.daemon = Daemon(
            self.new,
            role.make,
            name="toy",
            sockets={},
            announce=self.announced.set_result,
            reread=self.reread,
            reload_limit=reload_limit,
        )
        self.end = asyncio.create_task(self.daemon.live())

    def reread(self) -> Toy:
        if self.new.port < 0:
            raise SettingsError("--port", "is below 0", "give more")
        return self.new


async def forever() -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()


def fails(error: Exception) -> Callable[[], object]:
    """Give a fault that raises."""

    def fail() -> None:
        raise error

    return fail


async def test_start_ready_stop() -> None:
    """A life is start, ready, stop; the addresses are announced once."""
    life = Life(role := Steps())
    assert await life.announced == {"toy": ["a:1", "b:2"]}
    assert "ready" in repr(life.daemon)
    life.daemon.order(Order.STOP)
    await life.end
    assert role.steps == ["start", "stop"]


async def test_it_tells_how_it_is() -> None:
    """Alone it answers as a supervisor with one child; before it is ready it has no work."""
    life = Life(Steps(drain=forever))
    (starting,) = await life.daemon.status()
    assert (starting.state, starting.work) == (State.STARTING, None)
    assert await life.daemon.connections(ConnectionQuery()) == ConnectionPage()
    await life.announced
    (ready,) = await life.daemon.status()
    assert (ready.role, ready.number, ready.pid) == ("toy", 0, os.getpid())
    assert (ready.state, ready.work) == (State.READY, Work(connections=7))
    assert ready.listening == {"toy": ["a:1", "b:2"]}
    assert ready.uptime >= starting.uptime
    if sys.platform == "linux":
        assert ready.memory > 1_000_000
    rows = (await life.daemon.connections(ConnectionQuery())).rows
    assert rows == [{"role": "toy", "number": 0, "address": "a"}]
    life.daemon.order(Order.DRAIN)
    await life.role.reached("drain")
    assert [each.state for each in await life.daemon.status()] == [State.STOPPING]
    life.daemon.order(Order.STOP)
    await life.end


async def test_stop_cancels_a_start_that_waits() -> None:
    """A role that waits for its register can be stopped, and is told to stop."""
    life = Life(role := Steps(start=forever))
    await role.reached("start")
    life.daemon.order(Order.STOP)
    await life.end
    assert role.steps == ["start", "stop"]
    assert not life.announced.done()


async def test_stop_before_anything_ran_is_clean() -> None:
    """A stop that comes before the role was made ends without one."""
    life = Life(role := Steps())
    life.daemon.order(Order.STOP)
    await life.end
    assert role.steps == []


async def test_drain_then_stop() -> None:
    """A drained role is stopped by itself."""
    life = Life(role := Steps())
    await life.announced
    life.daemon.order(Order.DRAIN)
    await life.end
    assert role.steps == ["start", "drain", "stop"]


async def test_stop_cuts_a_drain_short() -> None:
    """A stop does not wait for peers that do not leave."""
    life = Life(role := Steps(drain=forever))
    await life.announced
    life.daemon.order(Order.DRAIN)
    await role.reached("drain")
    life.daemon.order(Order.STOP)
    await life.end
    assert role.steps[-1] == "stop"


async def test_drain_before_ready_is_stop() -> None:
    """What serves nobody has nobody to wait for."""
    life = Life(role := Steps(start=forever))
    await role.reached("start")
    life.daemon.order(Order.DRAIN)
    await life.end
    assert role.steps == ["start", "stop"]


async def test_reload_applies_hot_settings_only(caplog: pytest.LogCaptureFixture) -> None:
    """A reload hands over hot settings; of the others it says that they need a restart."""
    life = Life(role := Steps())
    await life.announced
    life.new = replace(life.new, greeting="bye", port=2)
    life.daemon.order(Order.RELOAD)
    await role.reached("reload")
    life.daemon.order(Order.STOP)
    await life.end
    assert role.steps[1] == "reload bye 1"
    assert life.daemon.settings.greeting == "bye"
    assert "needs a restart: port" in caplog.text


@pytest.mark.parametrize("fault", ["settings", "role"])
async def test_reload_that_fails_costs_nothing(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Wrong settings, or a role that cannot take them, are logged; the daemon goes on."""
    role = Steps(reload=fails(ValueError("no"))) if fault == "role" else Steps()
    life = Life(role)
    await life.announced
    life.new = replace(life.new, port=-1 if fault == "settings" else 1)
    life.daemon.order(Order.RELOAD)
    life.daemon.order(Order.DRAIN)
    await life.end
    assert role.steps[-2:] == ["drain", "stop"]
    assert "reload" in caplog.text


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (StartupError("no certificate"), "^no certificate$"),
        (ValueError("no"), "^ValueError: no; the log has the details$"),
    ],
)
async def test_who_waits_for_a_reload_hears_how_it_went(fault: Exception, told: str) -> None:
    """What has changed, or why the role could not take it over."""
    life = Life(role := Steps())
    await life.announced
    life.new = replace(life.new, greeting="bye")
    assert (await life.daemon.reload()).applied == ("greeting",)
    role.faults["reload"] = fails(fault)
    with pytest.raises(RunError, match=told):
        await life.daemon.reload()
    life.daemon.order(Order.STOP)
    with pytest.raises(RunError, match=r"^not reloaded: it is being stopped$"):
        await life.daemon.reload()
    await life.end


async def test_waiting_for_a_reload_is_bounded() -> None:
    """One that is not ready, or busy, reloads later."""
    life = Life(Steps(start=forever), reload_limit=0.01)
    with pytest.raises(RunError, match=r"^not reloaded within 0\.01 s"):
        await life.daemon.reload()
    life.daemon.order(Order.STOP)
    await life.end


async def test_start_that_refuses_is_told_as_it_is() -> None:
    """A startup error passes through unchanged, after the role was stopped."""
    life = Life(role := Steps(start=fails(StartupError("no register"))))
    with pytest.raises(StartupError, match=r"^no register$"):
        await life.end
    assert role.steps == ["start", "stop"]


async def test_start_that_breaks_is_a_startup_error(caplog: pytest.LogCaptureFixture) -> None:
    """Any other exception is one line too; where it came from shows at DEBUG."""
    caplog.set_level(logging.DEBUG)
    life = Life(Steps(start=fails(KeyError("x"))))
    with pytest.raises(StartupError, match=r"^KeyError: 'x'; --log-level debug shows where$"):
        await life.end
    assert "Traceback" in caplog.text


async def test_role_that_fails_later_is_stopped() -> None:
    """A role may end its process; the first reason is the one that is told."""
    life = Life(role := Steps())
    await life.announced
    assert role.context is not None
    role.context.fail(RunError("one"))
    role.context.fail(RunError("two"))
    with pytest.raises(RunError, match="one"):
        await life.end
    assert role.steps == ["start", "stop"]


async def test_drain_that_breaks_is_a_run_error() -> None:
    """A failure after ready is told as one, and the role is still stopped."""
    life = Life(role := Steps(drain=fails(ValueError("no"))))
    await life.announced
    life.daemon.order(Order.DRAIN)
    with pytest.raises(RunError, match="ValueError: no"):
        await life.end
    assert role.steps[-1] == "stop"


@pytest.mark.parametrize(
    ("fault", "message"),
    [(forever, "longer than stop_timeout"), (fails(ValueError("no")), "stop failed: ValueError")],
)
async def test_stop_is_bounded_and_its_failure_is_told(
    fault: Callable[[], object], message: str
) -> None:
    """A stop that takes too long, or breaks, ends with an error."""
    life = Life(Steps(stop=fault), Toy(stop_timeout=0.01))
    await life.announced
    life.daemon.order(Order.STOP)
    with pytest.raises(RunError, match=message):
        await life.end


async def test_second_stop_order_does_not_disturb_the_first() -> None:
    """Stop orders that come again while the role cleans up are harmless."""
    cleaned = asyncio.Event()

    async def tidy() -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    life = Life(role := Steps(start=tidy))
    await role.reached("start")
    life.daemon.order(Order.STOP)
    await asyncio.sleep(0)
    life.daemon.order(Order.STOP)
    await life.end
    assert cleaned.is_set()


def run_alone(live: str, how: str = "") -> subprocess.CompletedProcess[str]:
    """Run a coroutine's body as a process of its own."""
    script = f"""
import asyncio, threading
from gateway_process.daemon import run
async def live():
    {live}
run(live(){how})
"""
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("how", "loop"), [("", "uvloop"), (", fast=False", "asyncio.unix_events")])
def test_run_uses_uvloop_unless_told_not_to(how: str, loop: str) -> None:
    """A role runs on uvloop where it is installed."""
    pytest.importorskip("uvloop")
    done = run_alone("print(type(asyncio.get_running_loop()).__module__)", how)
    assert (done.returncode, done.stdout) == (0, f"{loop}\n")


def test_a_thread_that_never_ends_does_not_keep_the_process() -> None:
    """When the work is done the process ends, and says where the thread stood."""
    done = run_alone("threading.Thread(target=threading.Event().wait).start()")
    assert done.returncode == 1
    assert "Timeout" in done.stderr


def test_why_it_failed_is_told_before_a_task_that_never_ends_is_waited_for() -> None:
    """Code of an application may swallow its cancellation; the reason is told all the same."""
    stay_and_fail = """
    async def stay():
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass
    from gateway_process.errors import RunError
    staying = asyncio.create_task(stay())
    await asyncio.sleep(0)
    raise RunError("told")
"""
    done = run_alone(stay_and_fail, ", tell=lambda error: print(error, flush=True)")
    assert (done.returncode, done.stdout) == (1, "told\n")


def test_ready_line_lists_each_address_once() -> None:
    """One word per kind; what several processes share stands there once."""
    addresses = {"ws": ["ws://a:1", "ws://a:1"], "http": "b:2"}
    assert ready_line("gateway", addresses, 7) == "ready gateway ws=ws://a:1 http=b:2 pid=7"
