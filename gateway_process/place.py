"""A place under a supervisor, and the processes that fill it: started, started again, replaced.

There is one process at a time. When it crashes, another is started (`backoff` says when). Before a
place was ever filled there is nothing to keep: its first process failing ends `Child.keep`, with
that process's message and exit code.

A replacement has two processes for a while. The new one starts with the same sockets; once it is
ready the old one is told to stop and may finish. A new one that does not start costs nothing:
the old one was working all along. A crash meanwhile is a crash as ever, whichever it hits.

A place is mendable where somebody edits what its processes run: one that cannot start is told, harms
nobody else, and the next is started when a replacement is asked for.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from typing import Final

from gateway_process.backoff import Backoff
from gateway_process.channel import ChannelFull
from gateway_process.daemon import RELOAD_LIMIT, STUCK_GRACE, Addresses, Sockets
from gateway_process.errors import ChildError, ExitCode, RunError, StartupError
from gateway_process.inspection import (
    ConnectionPage,
    ConnectionQuery,
    ProcessStatus,
    State,
    resident_bytes,
)
from gateway_process.process import ChildProcess, Start
from gateway_process.shared import SharedSettings
from gateway_process.signals import Order

__all__ = ["KILL_GRACE", "START_LIMIT", "Child", "NotReplaced"]

logger = logging.getLogger(__package__)

KILL_GRACE: Final = STUCK_GRACE + 1.0
"""Seconds beyond its stop timeout after which a child is killed: it ends itself a little earlier."""
START_LIMIT: Final = RELOAD_LIMIT
"""Seconds that a new process has to be ready before the old one is kept instead: a large
application is imported in a tenth of it, and a reload that never ended would hold up the next.
One that goes on has as long to say how its reload went."""
NEW: Final = "the new process"
REMEDY: Final = "mend it and reload again"
ENDS: Final = "it is being stopped"


class NotReplaced(RunError):
    """A place has no new process that works; the message says why and, where there is one, the remedy."""


class Child:
    """One place under a supervisor.

    Attributes:
        addresses: What its process listens on; None before there was a first that was ready.

    Args:
        name: the role's name, for logs and the ready line.
        package: what `python -m` starts.
        settings: of the next process, and of the one that runs when it is told to reload.
        sockets: its listening sockets; they stay open here until an order ends the place, so that
            who comes while its process is replaced waits for the next one.
        number: index among the processes of its program.
        replaces: a reload puts a new process in the place of the one that runs.
        start_limit: seconds that such a new process has to be ready, and one that goes on to reload.
        stop_stage: whoever has a lower one has ended before this is told to stop.
        mendable: after a process that could not start, `replace` is waited for.
    """

    def __init__(
        self,
        name: str,
        package: str,
        settings: SharedSettings,
        sockets: Sockets,
        number: int = 0,
        *,
        replaces: bool = False,
        start_limit: float = START_LIMIT,
        stop_stage: int = 0,
        mendable: bool = False,
    ) -> None:
        self.name = name
        self.number = number
        self.package = package
        self.replaces = replaces
        self.settings = settings
        self.sockets = sockets
        self.stop_stage = stop_stage
        self.addresses: Addresses | None = None
        self._start_limit = start_limit
        self._mendable = mendable
        self._on_ready: Callable[[], None]  # from keep on
        self._backoff = Backoff()
        self._restarts = 0
        self._last_failure = ""
        # The one that works; during a replacement also the one that comes or goes.
        self._process: ChildProcess | None = None
        self._other: ChildProcess | None = None
        self._leaving: asyncio.Task[None] | None = None
        # A replacement that was asked for, until it is done. One at a time.
        self._replacing = asyncio.Lock()
        self._replaced: asyncio.Future[None] | None = None
        self._ending = asyncio.Event()
        # Set when whoever keeps the place must look: it ends, or a replacement is wanted.
        self._called = asyncio.Event()
        self._last_order: Order | None = None

    def __repr__(self) -> str:
        return f"<Child {self} {self._state().value} {self._process!r}>"

    def __str__(self) -> str:
        return f"{self.name} #{self.number}"

    @property
    def has_begun(self) -> bool:
        """Whether it was ready once, or waits to be mended: nobody need wait for it any more."""
        return self.addresses is not None or (self._mendable and bool(self._last_failure))

    @property
    def is_ending(self) -> bool:
        """Whether an order has ended it."""
        return self._ending.is_set()

    # What its supervisor asks

    async def keep(self, on_ready: Callable[[], None]) -> None:
        """Keep the place filled until an order ends it.

        Args:
            on_ready: called when a process of this place is ready, or waits to be mended.

        Raises:
            ProcessError: the first process ended before it was ready, or the last one did not stop
                cleanly.
        """
        self._on_ready = on_ready
        try:
            while not self._ending.is_set():
                failure = await self._fill()
                if not self._ending.is_set():
                    await self._pause(failure)
        finally:
            self._ending.set()  # no order comes to a place that has ended by itself
            self._let_sockets_go()
            self._tell_replaced(ENDS)
        await self._see_the_end()

    async def replace(self) -> None:
        """Put a new process in the place of the one that runs, and wait until that one has ended.

        Raises:
            NotReplaced: no new process works there; the log says it too.
        """
        async with self._replacing:
            replaced = self._replaced = asyncio.get_running_loop().create_future()
            self._called.set()
            if self._ending.is_set():
                self._tell_replaced(ENDS)
            await replaced

    async def reload(self) -> str:
        """Have the process that runs take over the settings, and wait until it has.

        Returns:
            Why it has not; empty if it has, or there is none: the next one has them from the start.
        """
        process = self._process
        if process is None or process.end.done():
            return ""
        try:
            async with asyncio.timeout(self._start_limit):
                why_not = await process.reload(self.settings)
        except TimeoutError:
            why_not = f"no answer within {self._start_limit:g} s"
            logger.error("%s may not be reloaded: %s", self, why_not)  # noqa: TRY400 -- says it all
        except ChannelFull:
            why_not = self._note_deaf()
        return ENDS if why_not and self._ending.is_set() else why_not

    def order(self, order: Order) -> None:
        """End the place: hand STOP or DRAIN to the process, if there is one."""
        self._last_order = order
        self._ending.set()
        self._called.set()
        self._let_sockets_go()
        self._tell_replaced(ENDS)
        for process in self._processes():
            self._hand(process, order)

    def kill(self) -> None:
        """End every process of the place at once. Safe in a signal handler."""
        for process in self._processes():
            process.kill()

    async def status(self) -> ProcessStatus:
        """Tell how the place and its process are."""
        process, now = self._process, asyncio.get_running_loop().time()
        if process is not None and process.end.done():
            process = None
        return ProcessStatus(
            role=self.name,
            number=self.number,
            pid=process.pid if process else 0,
            state=self._state(),
            uptime=now - process.started_at if process else 0.0,
            restarts=self._restarts,
            last_failure=self._last_failure,
            memory=resident_bytes(process.pid) if process else 0,
            listening=process.addresses if process else {},
            work=await process.work() if process and process.is_ready else None,
        )

    async def connections(self, query: ConnectionQuery) -> ConnectionPage | None:
        """Give a page of its process's connections; None if it does not answer.

        Raises:
            ValueError: the process says that the query is wrong.
        """
        if self._process is None or not self._process.is_ready:
            return ConnectionPage()
        page = await self._process.connections(query)
        return None if page is None else page.of(self.name, self.number)

    # Filling it

    async def _fill(self) -> str:
        """Start a process, and let others replace it, until one ends; give how it ended."""
        was_called = self._called.is_set()  # by a reload, while there was none to replace
        self._called.clear()
        try:
            process = self._process = await self._launch()
        except OSError as error:  # too many processes, or no memory: tried again like a crash
            failure = f"cannot be started: {error}"
            self._tell_replaced(f"{NEW} {failure}; {REMEDY}")
            return self._ended(failure)
        if was_called:
            await self._fill_anew(process)
        while await self._is_to_be_replaced(process):
            process = await self._replace(process)
        await asyncio.wait({process.end})
        return self._ended(process.how_it_ended, process.end.result(), process.failure)

    async def _fill_anew(self, process: ChildProcess) -> None:
        """Tell whoever wanted a replacement, when there was none to replace, how its start went."""
        await self._await_start(process)
        if process.ready_at is not None:
            self._tell_replaced()
            return
        await asyncio.wait({process.end})
        self._tell_replaced(f"{NEW} {process.how_it_ended}; {REMEDY}")

    async def _launch(self) -> ChildProcess:
        start = Start(
            package=self.package,
            settings=self.settings,
            sockets=self.sockets,
            number=self.number,
            restarts=self._restarts,
        )
        process = await ChildProcess.launch(start, self._note_ready)
        if self._last_order is not None:  # given while it was being started
            self._hand(process, self._last_order)
        elif self.settings is not start.settings and not self.replaces:
            process.hand_over(self.settings)
        return process

    def _note_ready(self, process: ChildProcess) -> None:
        self.addresses = process.addresses
        logger.info("%s is ready", self)
        self._on_ready()

    def _ended(self, how: str, code: int = ExitCode.STARTUP, message: str | None = None) -> str:
        """Pass on how a process ended, unless it was the first and never ready."""
        if self.addresses is None and not (self._ending.is_set() or self._mendable):
            if message is not None and code in {ExitCode.USAGE, ExitCode.STARTUP}:
                raise ChildError(message, ExitCode(code))
            raise StartupError(f"{self} {how} before it was ready")
        return how

    async def _pause(self, failure: str) -> None:
        """Wait before another is started; an order and a reload cut it short."""
        former, self._process = self._process, None
        self._last_failure = failure
        if self._mendable and former is not None and former.ready_at is None:
            logger.error("%s %s; it is started again when that is mended", self, failure)
            self._on_ready()
            await self._called.wait()
            return
        ready_at = None if former is None else former.ready_at
        delay = self._backoff.delay(ready_at, asyncio.get_running_loop().time())
        logger.error("%s %s; starting it again in %g s", self, failure, delay)
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._called.wait()
        self._restarts += 1

    async def _see_the_end(self) -> None:
        """Wait for whoever still runs.

        Raises:
            RunError: one of them did not stop cleanly.
        """
        if self._leaving is not None:
            await asyncio.wait({self._leaving})
        for process in self._processes():
            if not process.ended_well:
                raise RunError(f"{self} {process.how_it_ended}")

    # Replacing its process

    async def _is_to_be_replaced(self, process: ChildProcess) -> bool:
        await _until_end_or(process, self._called)
        return not process.end.done() and not self._ending.is_set()

    async def _replace(self, old: ChildProcess) -> ChildProcess:
        """Start another process; give the one that works from now on."""
        self._called.clear()
        try:
            new = self._other = await self._launch()
        except OSError as error:
            self._keep(old, f"cannot be started: {error}")
            return old
        await self._await_start(new, old)
        if new.ready_at is None:
            await asyncio.wait({new.end})
            self._other = None
            self._keep(old, new.how_it_ended)
            return old
        self._process, self._other = new, old
        self._leaving = asyncio.create_task(self._see_off(old))
        return new

    async def _await_start(self, new: ChildProcess, old: ChildProcess | None = None) -> None:
        """Wait until the new process is ready or has ended, and end it when that takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._start_limit):
                if old is not None:
                    await _until_end_or(old, new.settled)
                    self._note_crash(old)
                await new.settled.wait()
        if not new.settled.is_set():
            new.failure = f"was not ready within {self._start_limit:g} s"
            new.kill()

    def _note_crash(self, old: ChildProcess) -> None:
        if old.end.done() and not self._ending.is_set():
            self._last_failure = old.how_it_ended
            logger.error("%s %s while it was replaced", self, self._last_failure)

    def _keep(self, old: ChildProcess, failure: str) -> None:
        if self._ending.is_set():
            return
        self._last_failure = failure
        remedy = REMEDY if old.end.done() else f"the old one goes on; {REMEDY}"
        why = f"{NEW} {failure}; {remedy}"
        logger.error("%s is not replaced: %s", self, why)
        self._tell_replaced(why)

    async def _see_off(self, old: ChildProcess) -> None:
        """Let a process that was replaced finish, and end it when its time is over."""
        if not self._ending.is_set():
            self._hand(old, Order.STOP)
            await asyncio.wait({old.end}, timeout=old.start.settings.stop_timeout + KILL_GRACE)
            old.kill()
        await asyncio.wait({old.end})
        if self._ending.is_set():  # how it ended is told there
            return
        if not old.ended_well:
            logger.error("%s was replaced; the old process %s", self, old.how_it_ended)
        self._other = None
        works = self._process is not None and self._process.is_ready
        self._tell_replaced("" if works else f"{NEW} has ended already; the log says how")

    def _tell_replaced(self, why_not: str = "") -> None:
        """Tell whoever waits for a replacement that it is done, or why there is none."""
        waiting, self._replaced = self._replaced, None
        if waiting is None or waiting.done():
            return
        if why_not:
            waiting.set_exception(NotReplaced(f"{self} is not replaced: {why_not}"))
        else:
            waiting.set_result(None)

    # Its processes

    def _processes(self) -> list[ChildProcess]:
        return [each for each in (self._process, self._other) if each is not None]

    def _state(self) -> State:
        if self._ending.is_set():
            return State.STOPPING
        if self._process is None or self._process.end.done():
            return State.CRASHED if self._last_failure else State.STARTING
        if self._other is not None:
            return State.REPLACING
        return State.READY if self._process.is_ready else State.STARTING

    def _hand(self, process: ChildProcess, order: Order) -> None:
        try:
            process.order(order)
        except ChannelFull:
            self._note_deaf()

    def _note_deaf(self) -> str:
        why = "does not read its orders"
        logger.error("%s %s", self, why)
        return f"it {why}"

    def _let_sockets_go(self) -> None:
        """Close our copies: with them open, nobody would be refused when the process closes its own."""
        for sock in chain.from_iterable(self.sockets.values()):
            sock.close()


async def _until_end_or(process: ChildProcess, event: asyncio.Event) -> None:
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait({process.end, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
