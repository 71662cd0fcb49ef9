"""The control socket, both ends, with a target that answers at once."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway_process.control import SIGN_OF_LIFE, Control, NoAnswer, Steering, serving
from gateway_process.errors import ExitCode, ProcessError, RunError, SettingsError
from gateway_process.inspection import ConnectionPage, ConnectionQuery, ProcessStatus, State, Work
from gateway_process.instance import Claim, Instance, RunDir
from gateway_process.settings import Reloaded
from gateway_process.signals import Order
from tests.gateway_process.supervising import until
from tests.support.daemons import new_run_dir
from tests.support.waiting import PATIENCE

STEERING = Steering(stop_timeout=lambda: 12.5)


class Target:
    """Has one process and one connection, and keeps its orders."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.broken = False
        self.reloading = asyncio.Event()
        self.may_reload = asyncio.Event()
        self.may_reload.set()
        self.fault: ProcessError | None = None

    async def status(self) -> list[ProcessStatus]:
        if self.broken:
            raise RuntimeError("oops")
        return [
            ProcessStatus(
                role="gateway", number=0, pid=7, state=State.READY, uptime=1.5, work=Work()
            )
        ]

    async def connections(self, query: ConnectionQuery) -> ConnectionPage:
        if query.after == "wrong":
            raise ValueError("after: 'wrong' is no page")
        return ConnectionPage(rows=[{"uid": query.uid}], next="2")

    def order(self, order: Order) -> None:
        self.orders.append(order)

    async def reload(self) -> Reloaded:
        self.reloading.set()
        await self.may_reload.wait()
        if self.fault is not None:
            raise self.fault
        return Reloaded(None, ("drain",), ("listen",), replaced=2)


@pytest.fixture
def claim() -> Iterator[Claim]:
    """An instance that this process is."""
    run_dir = RunDir(new_run_dir())
    run_dir.make()
    instance = Instance(
        name="web", program="gateway", package="gateway", pid=1, since=0, folder="/", stop_timeout=1
    )
    claim = run_dir.claim(instance)
    yield claim
    claim.release()


@asynccontextmanager
async def served(
    claim: Claim, target: Target
) -> AsyncIterator[Callable[..., Awaitable[list[Any]]]]:
    """Serve a target and give a way to ask, all questions on one connection."""

    def ask(*what: str, **fields: Any) -> list[Any]:
        with Control(Path(claim.socket.getsockname()), PATIENCE) as control:
            return [control.ask(each, **fields) for each in what]

    async def asked(*what: str, **fields: Any) -> list[Any]:
        return await asyncio.to_thread(ask, *what, **fields)

    async with serving(claim, target, STEERING):
        yield asked


async def test_one_connection_asks_often(claim: Claim) -> None:
    """Status and connections are answered as they were given, on one connection."""
    async with served(claim, Target()) as ask:
        first, second = await ask("status", "status")
        (page,) = await ask("connections", query={"uid": "42"})
    assert first == second
    assert first["processes"][0]["state"] == "ready"
    assert page == {"rows": [{"uid": "42"}], "next": "2", "silent": []}


async def test_orders_are_given_and_answered(claim: Claim) -> None:
    """A stop says how long it may take; a reload says what it changes."""
    target = Target()
    async with served(claim, target) as ask:
        stop, drain, reload = await ask("stop", "drain", "reload")
    assert target.orders == [Order.STOP, Order.DRAIN]
    assert stop == drain == {"stop_timeout": 12.5}
    assert reload == {"applied": ["drain"], "needs_restart": ["listen"], "replaced": 2}


async def test_a_reload_that_fails_is_told(claim: Claim) -> None:
    """Settings that are wrong now are told to the one who asks, with their exit code."""
    target = Target()
    target.fault = SettingsError("--drain", "is below 0", "give 0 or more", value=-1)
    async with served(claim, target) as ask:
        with pytest.raises(ProcessError, match="--drain: -1 is below 0") as caught:
            await ask("reload")
    assert caught.value.exit_code == ExitCode.USAGE


async def test_an_answer_that_takes_its_time_shows_signs_of_life(claim: Claim) -> None:
    """Whoever asks hears that it works, once, and waits longer than a silent one is waited for."""
    target = Target()
    target.may_reload.clear()
    loop = asyncio.get_running_loop()
    told: list[str] = []

    def on_wait() -> None:
        told.append("waits")
        loop.call_soon_threadsafe(target.may_reload.set)

    def ask() -> dict[str, Any]:
        with Control(Path(claim.socket.getsockname()), 3 * SIGN_OF_LIFE) as control:
            return control.ask("reload", on_wait=on_wait)

    async with serving(claim, target, STEERING):
        assert (await asyncio.to_thread(ask))["replaced"] == 2
    assert told == ["waits"]


async def test_who_hangs_up_waits_no_more(claim: Claim) -> None:
    """What is asked for goes on without the one who asked; nothing is left of the question."""
    target = Target()
    target.may_reload.clear()
    async with serving(claim, target, STEERING):
        before = asyncio.all_tasks()
        _, writer = await asyncio.open_unix_connection(claim.socket.getsockname())
        writer.write(b'{"ask": "reload"}\n')
        await target.reloading.wait()
        writer.close()
        await writer.wait_closed()
        await until(lambda: asyncio.all_tasks() <= before)


async def test_a_wrong_question_is_the_askers_fault(claim: Claim) -> None:
    """What cannot be asked is told in a sentence; the connection and the instance go on."""
    async with served(claim, Target()) as ask:
        with pytest.raises(ProcessError, match="'wrong' is no page") as caught:
            await ask("connections", query={"after": "wrong"})
        assert caught.value.exit_code == ExitCode.USAGE
        with pytest.raises(ProcessError, match="is it of this version"):
            await ask("bogus")
        assert await ask("status")


async def test_what_fails_inside_is_told_and_logged(
    claim: Claim, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake of ours costs the one who asked an answer, and nobody anything else."""
    target = Target()
    target.broken = True
    async with served(claim, target) as ask:
        with pytest.raises(ProcessError, match="RuntimeError: oops; the log has the details"):
            await ask("status")
    assert "could not be answered" in caplog.text


async def test_one_who_asks_nothing_does_not_hold_up_the_end(claim: Claim) -> None:
    """A command that stays connected is hung up on when the instance ends."""
    async with served(claim, Target()):
        reader, writer = await asyncio.open_unix_connection(claim.socket.getsockname())
        writer.write(b'{"ask": "status"}\n')
        assert "answer" in json.loads(await reader.readline())
    assert await reader.read() == b""
    writer.close()


async def test_who_is_there_at_a_bad_end_hears_why(claim: Claim) -> None:
    """The last word comes unasked, to whoever has not hung up."""
    held: list[Control] = []

    def order() -> None:
        held.append(Control(Path(claim.socket.getsockname()), PATIENCE))
        held[0].ask("stop")

    async def live() -> None:
        async with serving(claim, Target(), STEERING):
            await asyncio.to_thread(order)
            raise RunError("a child had to be killed")

    with pytest.raises(RunError):
        await live()
    with held[0] as control:
        assert await asyncio.to_thread(control.last_word) == "a child had to be killed"


def test_nobody_there_is_no_answer() -> None:
    """No socket, and a socket that nobody reads, are both told as no answer."""
    path = new_run_dir()
    with pytest.raises(NoAnswer, match="no answer on "):
        Control(path, PATIENCE)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        with Control(path, timeout=0.01) as control, pytest.raises(NoAnswer, match="timed out"):
            control.ask("status")


async def test_without_files_nothing_is_served() -> None:
    """An instance that could write none lives on without a control socket."""
    async with serving(None, Target(), STEERING):
        pass
