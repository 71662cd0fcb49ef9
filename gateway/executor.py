"""Executes commands: a table from command class to function, in fair and bounded turns.

Each link has an inbox; the links that have work take turns. One turn of the loop executes at most
`COMMANDS_PER_TURN` commands or works for `SECONDS_PER_TURN`, then the outbox is flushed
(:mod:`gateway.flusher`), the answers leave, and the loop gets to serve browsers before the next turn. A long
answer is a generator of parts: one part is made at a time, and the turn may end between two.

A link is read no further while its inbox is full or while it leaves its answers unread; nothing is
thrown away. Of the links that got commands since the last turn those of workers come first: a handler in PHP
tells on its worker's link and asks on another, and is to see what it has told. Answers to a link
leave in the order of its commands, but for the commands of a `LinkTable`, whose functions know the
link that they came on and answer themselves, when they will.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from gateway_wire.aio.link import AioLink
from gateway_wire.commands import CommandError, Error, Pong, Reply, ReplyPart, Role
from gateway_wire.errors import ErrorCode, LocalProtocolError, MessageTooLarge

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Iterator

    from gateway.flusher import Flusher
    from gateway_wire.frames import Envelope

__all__ = ["Answer", "CommandTable", "Executor", "ExecutorCounters", "LinkTable"]

CommandTable: TypeAlias = Mapping[type[Any], Callable[[Any], object]]
"""What executes each command class: it returns the reply's value, or a generator of its parts."""

Answer: TypeAlias = Callable[[object], None]
"""Takes a reply's value, now or later; does nothing if none was asked for or the link has ended."""

LinkTable: TypeAlias = Mapping[type[Any], Callable[[AioLink, Any, Answer], None]]
"""What executes the commands that mean something to the link they came on; it calls the answer once."""

logger = logging.getLogger("gateway")

COMMANDS_PER_TURN: Final = 2_000
"""Commands after which the loop gets to serve browsers again: about 5 ms of cheap ones."""
SECONDS_PER_TURN: Final = 0.005
"""Seconds after which the loop gets to serve browsers again; a 60 Hz page has 16 ms a frame."""
COMMANDS_PER_LINK: Final = 100
"""Commands of one link before the next link's turn, so that one publisher cannot starve others."""
FULL_INBOX: Final = 10_000
"""Commands waiting for execution beyond which a link is not read; small ones are some megabytes."""
EMPTY_ENOUGH: Final = 1_000
"""Commands waiting at which a link that was full is read again."""
FULL_INBOX_BYTES: Final = 8 * 1024 * 1024
"""Bytes beyond which it is not read either, for large ones: what one turn of the loop can bring."""
EMPTY_ENOUGH_BYTES: Final = 1024 * 1024
"""Bytes below which it is read again."""


@dataclass(slots=True)
class ExecutorCounters:
    """What was executed, as plain numbers that a collector reads.

    Attributes:
        commands: Commands executed.
        failed: Commands answered with an error, or refused without one, as those of PHP.
        turns: Turns of the loop that executed any.
    """

    commands: int = 0
    failed: int = 0
    turns: int = 0


class _Inbox:
    """Commands of one link that wait for execution."""

    __slots__ = (
        "full",
        "is_workers",
        "link",
        "parts",
        "queue",
        "seen_bytes",
        "size",
        "then",
        "waiting",
    )

    def __init__(self, link: AioLink) -> None:
        self.link = link
        peer = link.core.peer
        self.is_workers = peer is not None and peer.role is Role.WORKER
        self.queue: deque[Envelope] = deque()
        # Bytes of what waits: all that came since it was empty, less the share of what is executed.
        self.size = 0
        # What the link had received when they were counted last.
        self.seen_bytes = 0
        # The answer that is being made in parts, and the request it answers.
        self.parts: tuple[Iterator[object], int, object] | None = None
        # Whether the inbox stands in the executor's line.
        self.waiting = False
        self.full = False
        # Called when everything is executed, once the link has ended.
        self.then: Callable[[], None] | None = None

    def add(self, envelopes: list[Envelope]) -> None:
        """Take commands that arrived; too many or too large ones fill it."""
        self.queue.extend(envelopes)
        received = self.link.received_bytes
        self.size += received - self.seen_bytes
        self.seen_bytes = received
        too_much = len(self.queue) > FULL_INBOX or self.size > FULL_INBOX_BYTES
        if too_much and not self.full:
            self.full = True
            self.link.pause_reading()

    def executed(self, count: int) -> None:
        """Take note that commands were taken out and executed."""
        left = len(self.queue)
        if count:
            self.size = self.size * left // (left + count)
        if self.full and left < EMPTY_ENOUGH and self.size < EMPTY_ENOUGH_BYTES:
            self.full = False
            self.link.resume_reading()

    def is_done(self) -> bool:
        """Whether nothing is left to execute."""
        return not self.queue and self.parts is None


class Executor:
    """Executes the commands of all links of one gateway process.

    Attributes:
        counters: What was executed so far.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        flusher: Flusher,
        table: CommandTable,
        link_table: LinkTable | None = None,
    ) -> None:
        """Make an executor.

        Args:
            loop: The loop whose turns count.
            flusher: Writes what the commands put into outboxes.
            table: The function for each command class.
            link_table: That for those that mean something to the link they came on.
        """
        self.counters = ExecutorCounters()
        self._loop = loop
        self._flusher = flusher
        self._table = table
        self._link_table = link_table or {}
        self._inboxes: dict[AioLink, _Inbox] = {}
        self._line: deque[_Inbox] = deque()
        # Inboxes that have lined up since the last turn.
        self._arrived: list[_Inbox] = []
        self._scheduled = False

    def __repr__(self) -> str:
        waiting = len(self._line) + len(self._arrived)
        return f"<Executor {waiting} of {len(self._inboxes)} links waiting>"

    def add(self, table: CommandTable, link_table: LinkTable) -> None:
        """Execute further classes, such as those of another protocol.

        Args:
            table: As that of the beginning.
            link_table: As that of the beginning.
        """
        self._table = {**self._table, **table}
        self._link_table = {**self._link_table, **link_table}

    def accept(self, link: AioLink, envelopes: list[Envelope]) -> None:
        """Take commands that arrived on a link; they are executed in the coming turns."""
        inbox = self._inboxes.get(link)
        if inbox is None:
            inbox = self._inboxes[link] = _Inbox(link)
        inbox.add(envelopes)
        self._line_up(inbox)

    def forget(self, link: AioLink, then: Callable[[], None]) -> None:
        """Take note that a link ended. What it sent before is still executed.

        Args:
            link: The link.
            then: Called when that is done, at once if there is nothing.
        """
        inbox = self._inboxes.pop(link, None)
        if inbox is None or inbox.is_done():
            then()
            return
        inbox.then = then
        self._line_up(inbox)  # it may have waited for a peer to read

    def reassure_workers(self) -> None:
        """Give workers whose links are full a sign of life; call it about each second.

        Their pings wait unread, and a worker gives up a gateway that it does not hear, with all events
        that it has. Others do not ping.
        """
        for link, inbox in self._inboxes.items():
            if inbox.full and inbox.is_workers and link.is_open:
                link.send(Pong())

    # Turns.

    def _line_up(self, inbox: _Inbox) -> None:
        if inbox.waiting:
            return
        inbox.waiting = True
        self._arrived.append(inbox)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self.counters.turns += 1
        try:
            self._seat_those_who_arrived()
            served = self._serve_all(perf_counter() + SECONDS_PER_TURN)
            self._flusher.end_of_turn()
            for link in served:
                link.flush()
        finally:  # whatever goes wrong costs this turn, not the executor
            self._scheduled = bool(self._line or self._arrived)
            if self._scheduled:
                self._loop.call_soon(self._turn)

    def _seat_those_who_arrived(self) -> None:
        arrived, self._arrived = self._arrived, []
        self._line.extend(each for each in arrived if each.is_workers)
        self._line.extend(each for each in arrived if not each.is_workers)

    def _serve_all(self, end: float) -> Iterable[AioLink]:
        """Let the links take turns within the bounds; return those that had one."""
        left = COMMANDS_PER_TURN
        served: dict[AioLink, None] = {}
        while self._line and left > 0 and perf_counter() < end:
            inbox = self._line.popleft()
            inbox.waiting = False  # first, so that what fails below cannot leave it out for good
            served[inbox.link] = None
            left -= self._serve(inbox, min(left, COMMANDS_PER_LINK), end)
        return served

    def _serve(self, inbox: _Inbox, most: int, end: float) -> int:
        """Execute commands of one link, at least one if it may; return how many."""
        link, queue = inbox.link, inbox.queue
        done = 0
        if link.has_room():
            self._continue_parts(inbox, end)
        while queue and done < most and inbox.parts is None and link.has_room():
            self._execute(inbox, queue.popleft(), end)
            self._relieve(link)
            done += 1
            if perf_counter() >= end:
                break
        self.counters.commands += done
        inbox.executed(done)
        if not link.has_room():
            link.call_when_writable(self._writable_again)
        elif not inbox.is_done():
            inbox.waiting = True
            self._line.append(inbox)
        elif inbox.then is not None:
            inbox.then()
        return done

    def _relieve(self, link: AioLink) -> None:
        """Let much that was answered leave before the turn ends, behind what the commands pushed."""
        if link.has_much:
            self._flusher.end_of_turn()
            link.flush()

    def _writable_again(self, link: AioLink) -> None:
        inbox = self._inboxes.get(link)
        if inbox is not None:
            self._line_up(inbox)

    # One command.

    def _execute(self, inbox: _Inbox, envelope: Envelope, end: float) -> None:
        command, request_id, _ = envelope
        function = self._table.get(type(command))
        try:
            if function is None:
                answer = partial(_answer, inbox.link, request_id)
                self._link_table[type(command)](inbox.link, command, answer)
                return
            result = function(command)
            if type(result) is GeneratorType:
                if request_id:
                    inbox.parts = (result, request_id, next(result))
                    self._continue_parts(inbox, end)
            elif request_id and inbox.link.is_open:
                inbox.link.queue(Reply(result), request_id)
        except Exception as error:  # noqa: BLE001 - a bug costs one command, not the process
            self._fail(inbox.link, request_id, error)

    def _continue_parts(self, inbox: _Inbox, end: float) -> None:
        if inbox.parts is None:
            return
        parts, request_id, part = inbox.parts
        inbox.parts = None
        link = inbox.link
        try:
            for following in parts:
                link.queue(ReplyPart(part), request_id)
                self._relieve(link)
                part = following
                if perf_counter() >= end or not link.has_room():
                    inbox.parts = (parts, request_id, part)
                    return
            link.queue(Reply(part), request_id)
        except LocalProtocolError:
            logger.debug("%r ended before its answer was whole", link)
        except Exception as error:  # noqa: BLE001 - a bug costs one command, not the process
            self._fail(link, request_id, error)

    def _fail(self, link: AioLink, request_id: int, error: Exception) -> None:
        self.counters.failed += 1
        if isinstance(error, CommandError):
            answer = Error(error.code.value, error.text)
        elif isinstance(error, MessageTooLarge):
            answer = Error(ErrorCode.TOO_LARGE.value, str(error))
        else:
            logger.error("a command from %s failed", link.remote, exc_info=error)
            text = "the gateway failed to execute this; its log has the details"
            answer = Error(ErrorCode.INTERNAL.value, text)
        if request_id and link.is_open:
            link.queue(answer, request_id)


def _answer(link: AioLink, request_id: int, value: object) -> None:
    if request_id and link.is_open:
        link.send(Reply(value), request_id)
