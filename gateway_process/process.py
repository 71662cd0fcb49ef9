"""One process that a supervisor has started: what it is told, what it says, how it ends.

A process is spoken to over its `channel`. It is `settled` once it is ready or has ended; its `end`
gives the exit code after everything it said has been heard and its channel is closed. Whether
another takes its place is decided in `place`.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any, Final, Self

from gateway_process.channel import Channel, ChannelFull, Message
from gateway_process.child import CONNECTIONS, WORK, command_line
from gateway_process.daemon import Addresses, Sockets
from gateway_process.errors import ExitCode
from gateway_process.inspection import ConnectionPage, ConnectionQuery, Work
from gateway_process.settings import dump
from gateway_process.shared import SharedSettings
from gateway_process.signals import Order

__all__ = ["ANSWER_TIME", "ChildProcess", "Start"]

ANSWER_TIME: Final = 1.0
"""Seconds that a process has to answer: it takes milliseconds, and an administrator is waiting."""
LAST_WORDS: Final = 1.0
"""Seconds to read what a process sent before it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a process is started with.

    Attributes:
        package: What `python -m` starts.
        settings: Its settings.
        sockets: Its listening sockets; it gets copies.
        number: Its index among the processes of its program.
        restarts: How often its place was filled again after a crash.
    """

    package: str
    settings: SharedSettings
    sockets: Sockets
    number: int
    restarts: int


class ChildProcess:
    """One process, from its start to its end.

    Attributes:
        start: What it was started with.
        pid: Its process id.
        started_at: Loop time of its start.
        ready_at: Loop time at which it was ready; None before.
        addresses: What it listens on, once it is ready.
        failure: Why it failed, if it said so.
        settled: Set once it is ready or has ended.
        end: Gives its exit code; negative is the signal that killed it.
    """

    def __init__(
        self,
        start: Start,
        process: asyncio.subprocess.Process,
        channel: Channel,
        on_ready: Callable[["ChildProcess"], None],
    ) -> None:
        self.start = start
        self.pid = process.pid
        self.started_at = asyncio.get_running_loop().time()
        self.ready_at: float | None = None
        self.addresses: Addresses = {}
        self.failure: str | None = None
        self.settled = asyncio.Event()
        self._process = process
        self._channel = channel
        self._on_ready = on_ready
        self._answers: dict[int, asyncio.Future[Message | None]] = {}
        self._asked = 0
        # Questions that were not answered in time, and have not been since.
        self._overdue: set[int] = set()
        self.end = asyncio.create_task(self._live())

    def __repr__(self) -> str:
        return f"<ChildProcess {self.start.package} pid={self.pid} ready={self.is_ready}>"

    @classmethod
    async def launch(cls, start: Start, on_ready: Callable[["ChildProcess"], None]) -> Self:
        """Start a process and hand over what it needs.

        Args:
            start: What it is started with.
            on_ready: Called with it when it is ready.

        Raises:
            OSError: there is no room for another process.
        """
        channel, theirs = Channel.pair()
        fds = {kind: [sock.fileno() for sock in each] for kind, each in start.sockets.items()}
        try:
            process = await asyncio.create_subprocess_exec(
                *command_line(start.package, theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), *chain.from_iterable(fds.values())),
            )
        except BaseException:
            channel.close()
            raise
        finally:
            theirs.close()
        with suppress(OSError):  # it ended at once; its exit code says more
            channel.send(_first_message(start, fds))
        return cls(start, process, channel, on_ready)

    @property
    def is_ready(self) -> bool:
        """Whether it does its work."""
        return self.ready_at is not None and not self.end.done()

    @property
    def ended_well(self) -> bool:
        """Whether it has stopped cleanly; a signal may have met it before it could take one."""
        return self.end.result() in {ExitCode.OK, -signal.SIGTERM, -signal.SIGINT}

    @property
    def how_it_ended(self) -> str:
        """How it ended, to be read after its name."""
        if self.failure is not None:
            return f"failed ({self.failure})"
        code = self.end.result()
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def order(self, order: Order) -> None:
        """Tell it to stop or to drain; nothing happens when it has ended.

        Raises:
            ChannelFull: it does not read its orders.
        """
        self._send({"order": order.value})

    def hand_over(self, settings: SharedSettings) -> None:
        """Tell it to reload, with the settings that were read anew; see `order`."""
        self._send(_reload_with(settings))

    async def reload(self, settings: SharedSettings) -> str:
        """Tell it to reload, with the settings that were read anew, and wait until it has.

        Returns:
            Why it has not; empty if it has.

        Raises:
            ChannelFull: it does not read its orders.
        """
        answer = await self._answer(self._next_number(), _reload_with(settings))
        if answer is None:
            await asyncio.wait({self.end})
            return f"it {self.how_it_ended}"
        why_not: str = answer.get("refused", "")
        return why_not

    def kill(self) -> None:
        """End it at once. Safe in a signal handler, and when it has ended."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def work(self) -> Work | None:
        """Ask for its work; None if it does not answer."""
        answer = await self._ask(WORK, {})
        if answer is None or answer.get("value") is None:
            return None
        return Work(**answer["value"])

    async def connections(self, query: ConnectionQuery) -> ConnectionPage | None:
        """Ask for a page of its connections; None if it does not answer.

        Raises:
            ValueError: it says that the query is wrong.
        """
        answer = await self._ask(CONNECTIONS, asdict(query))
        if answer is None:
            return None
        if "refused" in answer:
            raise ValueError(answer["refused"])
        return ConnectionPage(**answer["value"])

    async def _ask(self, question: str, arguments: dict[str, Any]) -> Message | None:
        """Ask; a process that still owes an answer is not asked more, so that nothing piles up."""
        if self._overdue or self.end.done():
            return None
        number = self._next_number()
        try:
            async with asyncio.timeout(ANSWER_TIME):
                return await self._answer(number, {"question": question, "arguments": arguments})
        except TimeoutError:
            self._overdue.add(number)
        except ChannelFull:
            pass
        return None

    def _next_number(self) -> int:
        self._asked += 1
        return self._asked

    async def _answer(self, number: int, message: Message) -> Message | None:
        """Send what is to be answered, and wait for that; None when it has ended."""
        answer: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            return await answer if self._send({"ask": number, **message}) else None
        finally:
            del self._answers[number]

    def _send(self, message: Message) -> bool:
        if self.end.done():
            return False
        try:
            self._channel.send(message)
        except ChannelFull:
            raise
        except OSError:  # it has ended, and its exit code says how
            return False
        return True

    async def _live(self) -> int:
        hearing = asyncio.create_task(self._hear())
        ended = await self._process.wait()
        # All it said is here already. A process it forked may hold the channel open: do not wait.
        await asyncio.wait({hearing}, timeout=LAST_WORDS)
        hearing.cancel()
        await asyncio.wait({hearing})
        self._channel.close()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(None)
        self.settled.set()
        return ended

    async def _hear(self) -> None:
        async for message in self._channel.messages():
            if "answer" in message:
                self._take_answer(message)
            elif "failed" in message:
                self.failure = message["failed"]
            else:
                self.addresses = message["ready"]
                self.ready_at = asyncio.get_running_loop().time()
                self.settled.set()
                self._on_ready(self)

    def _take_answer(self, message: Message) -> None:
        number = message["answer"]
        self._overdue.discard(number)
        answer = self._answers.get(number)
        if answer is not None and not answer.done():
            answer.set_result(message)


def _reload_with(settings: SharedSettings) -> Message:
    return {"order": Order.RELOAD.value, "settings": dump(settings)}


def _first_message(start: Start, fds: Mapping[str, Sequence[int]]) -> Message:
    return {
        "settings": dump(start.settings),
        "sockets": fds,
        "number": start.number,
        "restarts": start.restarts,
        "parent": os.getpid(),
    }
