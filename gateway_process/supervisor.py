"""Several children under one parent: start, one ready line, restart, orders, stop.

Each `Child` keeps one place filled: it starts a process, hears when it is ready, and starts another
when it crashes (`backoff` says when). Before a place was ever filled there is nothing to keep: its
first process failing makes the whole start fail, with that process's message and exit code.

The supervisor holds no state of the roles. It dies last: STOP and DRAIN go to the children, and
whoever is still there after the stop timeout is killed.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain
from typing import Final

from gateway_process import logs
from gateway_process.backoff import Backoff
from gateway_process.channel import Channel, Message
from gateway_process.child import command_line
from gateway_process.daemon import STUCK_GRACE, Addresses, Sockets
from gateway_process.errors import ChildError, ExitCode, ProcessError, RunError, StartupError
from gateway_process.settings import dump
from gateway_process.shared import SharedSettings
from gateway_process.signals import Order

__all__ = ["Child", "Supervisor"]

logger = logging.getLogger(__package__)

KILL_GRACE: Final = STUCK_GRACE + 1.0
"""Seconds beyond its stop timeout after which a child is killed: it ends itself a little earlier."""
LAST_WORDS: Final = 1.0
"""Seconds to read what a process sent before it ended."""


class Child:
    """One place under a supervisor, and the process that fills it now.

    Args:
        name: the role's name, for logs and the ready line.
        package: what `python -m` starts.
        settings: handed to the process; `order` replaces them on a reload.
        sockets: its listening sockets; they stay open here until an order ends the place, so that
            who comes while its process is replaced waits for the next one.
        number: index among the processes of its program.
        replaces: a reload puts a new process in the place of the one that runs.
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
    ) -> None:
        self.name = name
        self.settings = settings
        self.addresses: Addresses | None = None
        self.package = package
        self.sockets = sockets
        self.number = number
        self.replaces = replaces
        self._backoff = Backoff()
        self._process: asyncio.subprocess.Process | None = None
        self._channel: Channel | None = None
        self._ready_at: float | None = None
        self._failure: str | None = None
        self._ending = asyncio.Event()
        self._last_order: Order | None = None

    def __repr__(self) -> str:
        pid = None if self._process is None else self._process.pid
        return f"<Child {self} pid={pid} {'ready' if self._ready_at else 'not ready'}>"

    def __str__(self) -> str:
        return f"{self.name} #{self.number}"

    async def keep(self, on_ready: Callable[[], None]) -> None:
        """Keep the place filled until an order ends it.

        Args:
            on_ready: called when a process of this place is ready.

        Raises:
            ProcessError: the first process ended before it was ready, or the last one did not stop
                cleanly.
        """
        loop = asyncio.get_running_loop()
        while not self._ending.is_set():
            self._ready_at = self._failure = None
            ended = await self._run(on_ready)
            if self._ending.is_set():
                self._check_end(ended)
            elif self.addresses is None:
                raise self._failed(ended)
            else:
                delay = self._backoff.delay(self._ready_at, loop.time())
                logger.error("%s %s; starting it again in %g s", self, self._told(ended), delay)
                await self._pause(delay)

    def order(self, order: Order) -> None:
        """Hand an order to the process, if there is one; STOP and DRAIN also end the place."""
        if order is not Order.RELOAD:
            self._ending.set()
            self._last_order = order
            self._let_sockets_go()
        if self._channel is None:
            return
        message: Message = {"order": order.value}
        if order is Order.RELOAD:
            message["settings"] = dump(self.settings)
        try:
            self._channel.send(message)
        except BlockingIOError:
            logger.error("%s does not read its orders", self)  # noqa: TRY400 -- no traceback needed
        except OSError:
            logger.debug("%s has ended before an order", self)

    def kill(self) -> None:
        """End the process at once, if there is one. Safe in a signal handler."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def _run(self, on_ready: Callable[[], None]) -> int:
        """Start a process, hear what it says, and give its exit code."""
        channel, theirs = Channel.pair()
        fds = {kind: [sock.fileno() for sock in each] for kind, each in self.sockets.items()}
        try:
            self._process = await self._spawn(theirs.fileno(), *chain.from_iterable(fds.values()))
        except OSError as error:  # too many processes, or no memory: tried again like a crash
            channel.close()
            self._failure = f"cannot be started: {error}"
            return ExitCode.STARTUP
        finally:
            theirs.close()
        self._channel = channel
        self._hand_over(channel, fds)
        hearing = asyncio.create_task(self._hear(channel, on_ready))
        ended = await self._process.wait()
        # All it said is here already. A process it forked may hold the channel open: do not wait.
        await asyncio.wait({hearing}, timeout=LAST_WORDS)
        hearing.cancel()
        self._channel = None
        channel.close()
        return ended

    async def _spawn(self, channel_fd: int, *fds: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command_line(self.package, channel_fd),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(channel_fd, *fds),
        )

    def _hand_over(self, channel: Channel, fds: dict[str, list[int]]) -> None:
        start: Message = {
            "settings": dump(self.settings),
            "sockets": fds,
            "number": self.number,
            "restarts": 0,
            "parent": os.getpid(),
        }
        with suppress(OSError):  # it ended at once; its exit code says more
            channel.send(start)
        if self._last_order is not None:  # given while it was being started
            self.order(self._last_order)

    def _let_sockets_go(self) -> None:
        """Close our copies: with them open, nobody would be refused when the process closes its own."""
        for sock in chain.from_iterable(self.sockets.values()):
            sock.close()

    async def _hear(self, channel: Channel, on_ready: Callable[[], None]) -> None:
        async for message in channel.messages():
            if "failed" in message:
                self._failure = message["failed"]
                continue
            self.addresses = message["ready"]
            self._ready_at = asyncio.get_running_loop().time()
            logger.info("%s is ready", self)
            on_ready()

    async def _pause(self, delay: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._ending.wait()

    def _check_end(self, ended: int) -> None:
        """Raise unless it stopped cleanly; a signal may have met it before it could take one."""
        if ended not in {ExitCode.OK, -signal.SIGTERM, -signal.SIGINT}:
            raise RunError(f"{self} {self._told(ended)}")

    def _failed(self, ended: int) -> ProcessError:
        if self._failure is not None and ended in {ExitCode.USAGE, ExitCode.STARTUP}:
            return ChildError(self._failure, ExitCode(ended))
        return StartupError(f"{self} {self._told(ended)} before it was ready")

    def _told(self, ended: int) -> str:
        if self._failure is not None:
            return f"failed ({self._failure})"
        return f"was killed by signal {-ended}" if ended < 0 else f"ended with exit code {ended}"


class Supervisor:
    """Keeps children running until it is told to stop.

    Args:
        children: the places to keep filled.
        announce: called once, when every child is ready, with all their addresses.
        reread: puts settings read anew into the children, for a reload; may raise `ProcessError`.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        announce: Callable[[Addresses], None],
        reread: Callable[[], None],
    ) -> None:
        self._children = children
        self._announce = announce
        self._reread = reread
        self._announced = False
        self._deadline: asyncio.TimerHandle | None = None
        self._error: ProcessError | None = None

    def __repr__(self) -> str:
        return f"<Supervisor of {list(self._children)!r}>"

    async def live(self) -> None:
        """Run the children until they have ended for good.

        Raises:
            ProcessError: one could not start, or did not stop cleanly or in time.
        """
        keeping = [asyncio.create_task(each.keep(self._on_ready)) for each in self._children]
        for task in keeping:
            task.add_done_callback(self._on_end)
        await asyncio.wait(keeping)
        if self._deadline is not None:
            self._deadline.cancel()
        if self._error is not None:
            raise self._error

    def order(self, order: Order) -> None:
        """Take an order, on the loop."""
        if order is Order.RELOAD and not self._reload():
            return
        if order is Order.STOP and self._deadline is None:
            limit = max(child.settings.stop_timeout for child in self._children) + KILL_GRACE
            self._deadline = asyncio.get_running_loop().call_later(limit, self._too_late)
        for child in self._children:
            child.order(order)

    def kill(self) -> None:
        """End every child at once. Safe in a signal handler."""
        for child in self._children:
            child.kill()

    def _reload(self) -> bool:
        logs.reopen()
        try:
            self._reread()
        except ProcessError as error:
            logger.error("reload changed nothing: %s", error)  # noqa: TRY400 -- one line says it all
            return False
        return True

    def _too_late(self) -> None:
        self._error = self._error or RunError("a child did not stop in time and was killed")
        self.kill()

    def _on_ready(self) -> None:
        if not self._announced and all(child.addresses is not None for child in self._children):
            self._announced = True
            self._announce(self._addresses())

    def _on_end(self, task: asyncio.Task[None]) -> None:
        error = task.exception()
        if error is not None:
            told = error if isinstance(error, ProcessError) else RunError(f"{error!r}")
            self._error = self._error or told
            self.order(Order.STOP)

    def _addresses(self) -> Addresses:
        """Unite the addresses of all children; several roles have theirs told apart by name."""
        several = len({child.name for child in self._children}) > 1
        united: dict[str, list[str]] = {}
        for child in self._children:
            for kind, value in (child.addresses or {}).items():
                key = f"{child.name}.{kind}" if several else kind
                united.setdefault(key, []).extend([value] if isinstance(value, str) else value)
        return united
