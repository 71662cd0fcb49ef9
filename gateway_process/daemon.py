"""One role in one process: start, ready, orders, stop.

A role is what runs (a register, a gateway, ...). It implements `Role`; `Daemon` calls it and owns
everything around it: the order of its life, the bound on its stop, what its failures mean.

    start() -> ready -> reload()* -> [drain()] -> stop()
                        work()*, connections()*

A reload tells who asked for it how it went. A STOP order cancels whatever of this is under way and goes to `stop()`; so does `Context.fail`.
DRAIN before ready is STOP. How orders arrive (signals, a supervisor's channel) and where the ready
addresses go is the caller's business: see `program` and `child`.
"""

import asyncio
import faulthandler
import logging
import os
import socket
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from gateway_process import logs
from gateway_process.errors import ProcessError, RunError, StartupError
from gateway_process.inspection import (
    ConnectionPage,
    ConnectionQuery,
    ProcessStatus,
    State,
    Work,
    resident_bytes,
)
from gateway_process.settings import Reloaded, reloaded
from gateway_process.shared import SharedSettings
from gateway_process.signals import Order

__all__ = [
    "RELOAD_LIMIT",
    "STOPPED",
    "Addresses",
    "Context",
    "Daemon",
    "Role",
    "RoleFactory",
    "Sockets",
    "ready_line",
    "run",
]

logger = logging.getLogger(__package__)

STUCK_GRACE: Final = 2.0
"""Seconds a process gets beyond its stop timeout to end by itself; then a watchdog ends it with
exit code 1 and says where each thread stood. 25 + 2 stays below the 30 s that Kubernetes gives."""

RELOAD_LIMIT: Final = 60.0
"""Seconds after which whoever waits for a reload is told that it is not done yet: a new process that takes
the place of an old one has as long, and an entry module is an application to import, too."""

STOPPED: Final = "not reloaded: it is being stopped"
"""What is said to whoever asks for a reload too late."""

FAILED_START_GRACE: Final = 10.0
"""Seconds that a process gets to leave which could not start: nobody has told it to stop, and its exit
code, which says why, should not be lost on a machine that is busy for a while."""

Addresses = Mapping[str, str | Sequence[str]]
"""What a role listens on, by kind: `{"ws": ["ws://127.0.0.1:41003"], "http": "127.0.0.1:6789"}`."""

Sockets = Mapping[str, Sequence[socket.socket]]
"""A process's listening sockets, by kind, bound before the role is made; see `sockets.bind`."""

S = TypeVar("S", bound=SharedSettings)
S_contra = TypeVar("S_contra", bound=SharedSettings, contravariant=True)


class Role(Protocol[S_contra]):
    """What runs in a process. All methods are called on one event loop, one at a time."""

    async def start(self) -> Addresses:
        """Start serving; returning means ready.

        May take as long as it needs (a gateway waits for its register here); it is cancelled when
        a stop is ordered meanwhile.

        Returns:
            The real addresses, for the `ready` line, in the order they should stand there.

        Raises:
            StartupError: it cannot start; the message names the remedy. Any other exception counts
                as one too, with its traceback at DEBUG.
        """
        ...

    async def reload(self, settings: S_contra) -> None:
        """Take over settings that may change while running, and read certificates anew.

        Args:
            settings: the settings in force from now; they differ from the former ones in `hot`
                fields only. An exception is logged and told to who asked, and costs nothing else.
        """
        ...

    async def drain(self) -> None:
        """Accept nothing new and wait until the peers have left, or the role's own deadline.

        `stop` follows. It is cancelled when a stop is ordered meanwhile.
        """
        ...

    async def stop(self) -> None:
        """Close everything, in order. Bounded by the stop timeout, after which the process ends.

        Called exactly once, also after a `start` that failed or was cancelled half-way.
        """
        ...

    def work(self) -> Work:
        """Tell what it holds and has done; asked between ready and the end, cheap each time."""
        ...

    def connections(self, query: ConnectionQuery) -> ConnectionPage:
        """Give a page of its connections; asked between ready and the end.

        It may hold fewer rows than asked for and still have a `next`, so that no call takes long.

        Raises:
            ValueError: `query.after` is no `next` of this role's.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a role is given besides its settings.

    Attributes:
        number: 0-based index of this process among those of its program.
        sockets: the listening sockets bound for this process.
        fail: ends the process with exit code 1, after `stop`; for what a role finds out only
            while it runs. Safe to call at any time on the loop; the first error is told.
        restarts: how often the place of this process was filled again after a crash.
    """

    number: int
    sockets: Sockets
    fail: Callable[[RunError], None]
    restarts: int = 0


RoleFactory = Callable[[S, Context], Role[S]]
"""Makes the role; called on the running loop. What it raises counts as a failed start."""


class Daemon(Generic[S]):
    """The life of one role.

    Args:
        settings: the settings it starts with.
        role: makes the role.
        name: the role's name, for what is told of this process.
        sockets: its listening sockets.
        number: index of this process among those of its program.
        restarts: how often its place was filled again after a crash.
        announce: called once, with the addresses, when the role is ready.
        reread: reads the settings anew for a reload; may raise `ProcessError`.
        reload_limit: seconds that `reload` waits.
    """

    def __init__(
        self,
        settings: S,
        role: RoleFactory[S],
        *,
        name: str,
        sockets: Sockets,
        number: int = 0,
        restarts: int = 0,
        announce: Callable[[Addresses], None],
        reread: Callable[[], S],
        reload_limit: float = RELOAD_LIMIT,
    ) -> None:
        self.settings = settings
        self.name = name
        self._factory = role
        self._context = Context(number=number, sockets=sockets, fail=self._fail, restarts=restarts)
        self._started_at = time.monotonic()
        self._addresses: Addresses = {}
        self._announce = announce
        self._reread = reread
        self._reload_limit = reload_limit
        # Reloads that are to be carried out, each to be told how it went; None is the drain.
        self._orders: asyncio.Queue[asyncio.Future[Reloaded] | None] = asyncio.Queue()
        self._life: asyncio.Task[None] | None = None
        self._role: Role[S] | None = None
        self._ready = False
        self._leaving = False
        self._ending = False
        self._error: ProcessError | None = None

    def __repr__(self) -> str:
        state = "ready" if self._ready else "starting"
        return f"<Daemon {self._role!r} {state} orders={self._orders.qsize()}>"

    def order(self, order: Order) -> None:
        """Take an order, on the loop; orders that come again while carried out are harmless."""
        if order is Order.STOP or (order is Order.DRAIN and not self._ready):
            self._end()
        elif order is Order.DRAIN:
            self._orders.put_nowait(None)
        else:
            _ = self.ask_for_reload()  # how it went is logged

    def ask_for_reload(self) -> asyncio.Future[Reloaded]:
        """Order a reload, on the loop; gives what it changed, or the `ProcessError` that it ended with.

        Nothing comes from one that a stop overtakes.
        """
        asked: asyncio.Future[Reloaded] = asyncio.get_running_loop().create_future()
        asked.add_done_callback(asyncio.Future.exception)  # it need not be waited for
        self._orders.put_nowait(asked)
        return asked

    async def reload(self) -> Reloaded:
        """Reload, and say what it changed.

        Raises:
            ProcessError: the settings are wrong now, the role could not take them over, or it
                was not done in time.
        """
        if self._leaving or self._ending:
            raise RunError(STOPPED)
        try:
            async with asyncio.timeout(self._reload_limit):
                return await asyncio.shield(self.ask_for_reload())
        except TimeoutError:
            limit = f"{self._reload_limit:g} s"
            raise RunError(f"not reloaded within {limit}; how it goes on is logged") from None

    # What it tells of itself

    async def status(self) -> list[ProcessStatus]:
        """Tell how this process is: one entry, as a supervisor has one for each of its children."""
        return [
            ProcessStatus(
                role=self.name,
                number=self._context.number,
                pid=os.getpid(),
                state=self._state(),
                uptime=time.monotonic() - self._started_at,
                restarts=self._context.restarts,
                memory=resident_bytes(os.getpid()),
                listening=self._addresses,
                work=self.work(),
            )
        ]

    async def connections(self, query: ConnectionQuery) -> ConnectionPage:
        """Give a page of the role's connections; each row says which process it is of.

        Raises:
            ValueError: `query.after` is no `next` of this process.
        """
        return self.page(query).of(self.name, self._context.number)

    def work(self) -> Work | None:
        """Tell what the role holds and has done; None while it is not ready."""
        return self._role.work() if self._role is not None and self._ready else None

    def page(self, query: ConnectionQuery) -> ConnectionPage:
        """Give a page of connections as the role tells them; an empty one while it is not ready.

        Raises:
            ValueError: `query.after` is no `next` of this role's.
        """
        if self._role is None or not self._ready:
            return ConnectionPage()
        return self._role.connections(query)

    def _state(self) -> State:
        if self._leaving or self._ending:
            return State.STOPPING
        return State.READY if self._ready else State.STARTING

    # Its life

    async def live(self) -> None:
        """Run the role from start to stop.

        Raises:
            ProcessError: it could not start (`StartupError`, or what the role raised of this
                family), failed while running, or its stop took too long (`RunError`).
        """
        self._life = asyncio.create_task(self._start_and_serve())
        if self._ending:
            self._life.cancel()
        await asyncio.wait({self._life})
        if not self._life.cancelled() and (error := self._life.exception()) is not None:
            self._error = self._error or self._failure(error)
        # Also a loop that something blocks must not keep the process alive, hence a watchdog.
        faulthandler.dump_traceback_later(self.settings.stop_timeout + STUCK_GRACE, exit=True)
        try:
            await self._stop()
        finally:
            faulthandler.cancel_dump_traceback_later()
        if self._error is not None:
            raise self._error

    async def _start_and_serve(self) -> None:
        self._role = self._factory(self.settings, self._context)
        addresses = await self._role.start()
        self._ready = True
        self._addresses = addresses
        self._announce(addresses)
        while (asked := await self._orders.get()) is not None:
            await self._reload(self._role, asked)
        self._leaving = True
        logger.info("draining")
        await self._role.drain()

    async def _reload(self, role: Role[S], asked: asyncio.Future[Reloaded]) -> None:
        logs.reopen()
        try:
            change = await self._take_over(role)
        except ProcessError as error:
            logger.error("reload changed nothing: %s", error)  # noqa: TRY400 -- one line says it all
            asked.set_exception(error)
        except Exception as error:
            logger.exception("reload failed")
            asked.set_exception(RunError(f"{_told(error)}; the log has the details"))
        else:
            asked.set_result(change)
            _tell_reload(change.applied, change.needs_restart)

    async def _take_over(self, role: Role[S]) -> Reloaded:
        change = reloaded(self.settings, self._reread())
        self.settings = change.settings
        logs.set_level(self.settings.log_level)
        try:
            await role.reload(self.settings)
        except ProcessError as error:  # not one of a start, whatever it says
            raise RunError(str(error)) from error
        return change

    async def _stop(self) -> None:
        if self._role is None:
            return
        if self._ready:
            logger.info("stopping")
        try:
            async with asyncio.timeout(self.settings.stop_timeout):
                await self._role.stop()
        except TimeoutError:
            limit = f"stop_timeout ({self.settings.stop_timeout:g} s)"
            self._error = self._error or RunError(f"stop took longer than {limit}; ended anyhow")
        except Exception as error:
            logger.exception("stop failed")
            self._error = self._error or RunError(f"stop failed: {_told(error)}")

    def _fail(self, error: RunError) -> None:
        self._error = self._error or error
        self._end()

    def _end(self) -> None:
        # Once: another cancellation would cut short what the role does about the first.
        if self._life is not None and not self._ending:
            self._life.cancel()
        self._ending = True

    def _failure(self, error: BaseException) -> ProcessError:
        if self._ready:
            logger.error("failed while running", exc_info=error)
            return RunError(_told(error))
        logger.debug("start failed", exc_info=error)
        if isinstance(error, ProcessError):
            return error
        return StartupError(f"{_told(error)}; --log-level debug shows where")


def _told(error: BaseException) -> str:
    return str(error) if isinstance(error, ProcessError) else f"{type(error).__name__}: {error}"


def _tell_reload(applied: Sequence[str], needs_restart: Sequence[str]) -> None:
    logger.info("reloaded; changed: %s", ", ".join(applied) or "nothing")
    if needs_restart:
        logger.warning("changed, but needs a restart: %s", ", ".join(needs_restart))


def ready_line(name: str, addresses: Addresses, pid: int) -> str:
    """Give the one line a daemon prints: `ready gateway ws=ws://127.0.0.1:41003 pid=123`.

    Several addresses of a kind stand behind one another, comma-separated, each once.
    """
    parts = [
        f"{kind}={','.join(dict.fromkeys(_listed(value)))}" for kind, value in addresses.items()
    ]
    return " ".join(["ready", name, *parts, f"pid={pid}"])


def _listed(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def run(
    live: Coroutine[Any, Any, None],
    *,
    fast: bool = True,
    tell: Callable[[ProcessError], None] | None = None,
) -> None:
    """Run a coroutine as the process's whole work.

    When it has ended the process must end: a watchdog sees to it after `STUCK_GRACE`, or
    `FAILED_START_GRACE`, with exit code 1, should threads or tasks hang on.

    Args:
        live: `Daemon.live()` or a coroutine around it.
        fast: on uvloop, where it is installed.
        tell: called with what `live` raised, before anything is waited for that may hang on.

    Raises:
        ProcessError: what `live` raised.
    """
    grace = STUCK_GRACE
    with asyncio.Runner(loop_factory=_uvloop() if fast else None) as runner:
        try:
            runner.run(live)
        except ProcessError as error:
            grace = FAILED_START_GRACE if isinstance(error, StartupError) else STUCK_GRACE
            if tell is not None:
                tell(error)
            raise
        finally:
            # Left armed: closing the loop and leaving Python both wait for threads, without a bound.
            faulthandler.dump_traceback_later(grace, exit=True)


def _uvloop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
