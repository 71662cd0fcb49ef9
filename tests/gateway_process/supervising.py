"""Runs a supervisor in this process, with real children that play the role in `roles/probe`."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Self

import psutil

from gateway_process.errors import ProcessError
from gateway_process.inspection import ProcessStatus
from gateway_process.place import START_LIMIT, Child, NotReplaced
from gateway_process.settings import Reloaded
from gateway_process.signals import Order
from gateway_process.supervisor import Supervisor
from tests.gateway_process.roles.probe.role import ProbeSettings, sockets_of
from tests.support.waiting import INTERVAL, PATIENCE


async def until(question: Callable[[], object]) -> None:
    """Look at another process until the answer is true; the loop goes on meanwhile."""
    async with asyncio.timeout(PATIENCE):
        while not question():  # noqa: ASYNC110 -- nothing tells of another process's state
            await asyncio.sleep(INTERVAL)


class Supervised:
    """Children under a supervisor; a context manager that ends them.

    Args:
        processes: how many places there are.
        replaces: whether a reload replaces their processes.
        start_limit: seconds that a new process has.
        mendable: whether one that cannot start waits to be replaced.
        settings: of the role, such as `fault="wait"`.
    """

    def __init__(
        self,
        *,
        processes: int = 1,
        replaces: bool = True,
        start_limit: float = START_LIMIT,
        mendable: bool = False,
        **settings: object,
    ) -> None:
        self.settings = replace(ProbeSettings(), processes=processes, **settings)  # type: ignore[arg-type]
        self.children = [
            Child(
                "probe", "probe", self.settings, sockets, number,
                replaces=replaces, start_limit=start_limit, mendable=mendable,
            )
            for number, sockets in enumerate(sockets_of(self.settings))
        ]  # fmt: skip
        self.rereads = 0
        self.fault: ProcessError | None = None
        self.ready = asyncio.Event()
        self.supervisor = Supervisor(
            self.children, announce=lambda _: self.ready.set(), reread=self._reread
        )
        self.end = asyncio.create_task(self.supervisor.live())

    async def __aenter__(self) -> Self:
        ready = asyncio.create_task(self.ready.wait())
        await asyncio.wait({ready, self.end}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.supervisor.kill()
        self.supervisor.order(Order.STOP)
        with suppress(ProcessError):
            await self.end

    def _reread(self) -> Reloaded:
        self.rereads += 1
        if self.fault is not None:
            raise self.fault
        for child in self.children:
            child.settings = self.settings
        return Reloaded(None, ("greeting",), ())

    def change(self, **settings: object) -> None:
        """Let a reload read these settings."""
        self.settings = replace(self.settings, **settings)  # type: ignore[arg-type]

    def reload(self, **settings: object) -> None:
        """Change settings and order a reload."""
        self.change(**settings)
        self.supervisor.order(Order.RELOAD)

    async def replace(self, **settings: object) -> bool:
        """Replace the process of the first place, which gets these settings; give whether it worked."""
        child = self.children[0]
        child.settings = replace(self.settings, **settings)  # type: ignore[arg-type]
        try:
            await child.replace()
        except NotReplaced:
            return False
        return True

    async def status(self, number: int = 0) -> ProcessStatus:
        """Give the status of one place."""
        return (await self.supervisor.status())[number]

    async def until_status(self, question: Callable[[ProcessStatus], bool]) -> ProcessStatus:
        """Look at the first place until the answer is true; give its status then."""
        async with asyncio.timeout(PATIENCE):
            while not question(status := await self.status()):  # noqa: ASYNC110 -- nothing tells
                await asyncio.sleep(0)
        return status

    async def pids(self) -> list[int]:
        """Give the process ids of all places."""
        return [each.pid for each in await self.supervisor.status()]

    async def signal(self, number: signal.Signals, place: int = 0) -> int:
        """Send the process of a place a signal; give its id."""
        pid = (await self.pids())[place]
        os.kill(pid, number)
        return pid

    async def ask(self, word: str) -> str:
        """Ask whichever process answers; empty when it has ended."""
        async with AsyncTalk(self) as talk:
            return await talk.ask(word)


class AsyncTalk:
    """A connection to one of them, as `probing.Talk`, without blocking the loop."""

    def __init__(self, supervised: Supervised) -> None:
        addresses = supervised.children[0].addresses
        assert addresses is not None
        host, _, port = str(addresses["probe"]).rpartition(":")
        self._where = host, int(port)

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(*self._where)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    @property
    def address(self) -> str:
        """Where it comes from, as its process sees it."""
        host, port = self._writer.get_extra_info("sockname")
        return f"{host}:{port}"

    async def ask(self, word: str) -> str:
        """Send a word and give the answer; empty when the process has ended."""
        self._writer.write(f"{word}\n".encode())
        with suppress(ConnectionError):
            return (await self._reader.readline()).decode().strip()
        return ""


def children() -> set[int]:
    """Give the ids of the probes that this process has started and that run."""
    return {each.pid for each in psutil.Process().children() if _is_probe(each)}


def _is_probe(process: psutil.Process) -> bool:
    """Whether it is one of ours: other tests keep clusters under this process for the whole session."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE and "probe" in process.cmdline()
    except psutil.NoSuchProcess:
        return False
