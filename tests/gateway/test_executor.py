"""The executor over real links: order, fairness, bounds, long answers, and links that end."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from time import perf_counter
from typing import Any

import pytest

from gateway.executor import (
    COMMANDS_PER_LINK,
    COMMANDS_PER_TURN,
    EMPTY_ENOUGH,
    FULL_INBOX,
    FULL_INBOX_BYTES,
    SECONDS_PER_TURN,
    Answer,
    Executor,
    LinkTable,
)
from gateway.flusher import Flusher
from gateway.outbox import Outbox
from gateway_wire.aio.link import AioLink, LinkLost
from gateway_wire.aio.listener import LinkListener
from gateway_wire.commands import (
    Command,
    CommandError,
    CountClients,
    Error,
    GetSession,
    GetUid,
    IsOnline,
    ListClientIds,
    Pong,
    Reply,
    ReplyPart,
    Role,
    SendToAll,
)
from gateway_wire.errors import ErrorCode, GatewayError
from gateway_wire.frames import Envelope, encode_frame
from gateway_wire.limits import MAX_FRAME, MAX_UNSENT
from tests.gateway.support import MIB, Lines, Pipe, bare, turns_until
from tests.support.links import Dialler, Owner, address_of, bound, party

PART = "x" * MIB


class Executing:
    """An executor behind a real listener: what arrives is executed by a test's own table."""

    def __init__(
        self,
        table: dict[type[Command], Callable[[Any], object]],
        link_table: LinkTable | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.flusher = Flusher(loop, 0)
        self.outbox = Outbox(MIB, MIB, on_dirty=self.flusher.soon, cut=lambda _: None)
        self.flusher.outbox = self.outbox
        self.executor = Executor(loop, self.flusher, table, link_table)
        self.links: asyncio.Queue[AioLink] = asyncio.Queue()
        self.ended: asyncio.Queue[AioLink] = asyncio.Queue()
        self.done: asyncio.Queue[AioLink] = asyncio.Queue()

    def link_opened(self, link: AioLink) -> None:
        self.links.put_nowait(link)

    def link_received(self, link: AioLink, envelopes: list[Envelope]) -> None:
        self.executor.accept(link, envelopes)

    def link_closed(self, link: AioLink, reason: GatewayError) -> None:
        self.executor.forget(link, lambda: self.done.put_nowait(link))
        self.ended.put_nowait(link)


class Backends(Dialler):
    """Backends that dial the executor."""

    def __init__(self, executing: Executing, *args: Any) -> None:
        super().__init__(*args)
        self._executing = executing

    async def both_ends(self) -> tuple[AioLink, Owner, AioLink]:
        """Dial; give our link, what it tells, and the other end of it."""
        link, owner = await self.dial(Role.CLIENT)
        return link, owner, await self._executing.links.get()


@asynccontextmanager
async def executing(
    table: dict[type[Command], Callable[[Any], object]], link_table: LinkTable | None = None
) -> AsyncIterator[tuple[Executing, Backends]]:
    """Execute what arrives on a port that the kernel chose."""
    executing = Executing(table, link_table)
    listener = LinkListener(party(Role.GATEWAY), "", executing)
    sock = bound()
    address = address_of(sock)
    await listener.start(sock)
    async with Backends(executing, address) as backends:
        yield executing, backends
    listener.stop_accepting()
    await listener.wait_closed()


async def answers(owner: Owner, count: int) -> list[tuple[int, Any]]:
    """Give the next answers with the requests they belong to."""
    got = [await owner.envelopes.get() for _ in range(count)]
    return [(each.request_id, each.command) for each in got]


def envelopes(*commands: Command) -> list[Envelope]:
    """Give commands that ask for no reply, as a link hands them on."""
    return [Envelope(each, 0, None) for each in commands]


def is_reading(link: AioLink) -> bool:
    """Tell whether bytes from the peer are taken."""
    assert link._transport is not None
    return link._transport.is_reading()


# Answers


async def test_answers_come_in_the_order_of_the_commands() -> None:
    """Whatever their kind, and none where none was asked for."""
    table: dict[type[Command], Callable[[Any], object]] = {
        CountClients: lambda _: 7,
        IsOnline: lambda command: command.client_id == "here",
        ListClientIds: lambda _: iter_parts(["a"], ["b"], ["c"]),
    }
    async with executing(table) as (_, backends):
        link, owner, _ = await backends.both_ends()
        link.send(ListClientIds(), 5)
        link.send(CountClients(), 0)
        link.send(IsOnline("here"), 6)
        link.send(CountClients(), 7)

        assert await answers(owner, 5) == [
            (5, ReplyPart(["a"])),
            (5, ReplyPart(["b"])),
            (5, Reply(["c"])),
            (6, Reply(True)),
            (7, Reply(7)),
        ]


def iter_parts(*parts: Any) -> Iterator[Any]:
    """Give an answer in parts."""
    yield from parts


async def test_an_answer_in_one_part_is_a_plain_reply() -> None:
    """Parts are only spoken of where there are several."""
    async with executing({ListClientIds: lambda _: iter_parts(["a"])}) as (_, backends):
        link, owner, _ = await backends.both_ends()
        link.send(ListClientIds(), 1)

        assert await answers(owner, 1) == [(1, Reply(["a"]))]


async def test_a_question_nobody_waits_for_is_not_answered_in_parts() -> None:
    """Without a request id the walk is not begun."""
    begun = []

    def walk(_: Command) -> Iterator[list[str]]:
        begun.append(True)
        yield []

    async with executing({ListClientIds: walk, CountClients: lambda _: 0}) as (_, backends):
        link, owner, _ = await backends.both_ends()
        link.send(ListClientIds(), 0)
        link.send(CountClients(), 1)

        assert await answers(owner, 1) == [(1, Reply(0))]
        assert begun == []


# Failures cost one command


async def test_a_command_that_cannot_be_executed_is_answered_with_the_reason() -> None:
    """The link goes on, and the failure is counted."""

    def refuse(_: Command) -> object:
        raise CommandError(ErrorCode.INVALID, "because")

    async with executing({GetUid: refuse, CountClients: lambda _: 0}) as (gateway, backends):
        link, owner, _ = await backends.both_ends()
        link.send(GetUid("c"), 1)
        link.send(GetUid("c"), 0)
        link.send(CountClients(), 2)

        assert await answers(owner, 2) == [(1, Error("invalid", "because")), (2, Reply(0))]
        assert gateway.executor.counters.failed == 2
        assert gateway.executor.counters.commands == 3


async def test_a_bug_is_logged_here_and_hidden_there(caplog: pytest.LogCaptureFixture) -> None:
    """The peer learns that it failed, the log learns why."""

    def stumble(_: Command) -> object:
        raise ZeroDivisionError("secret")

    async with executing({GetUid: stumble, CountClients: lambda _: 0}) as (_, backends):
        link, owner, _ = await backends.both_ends()
        link.send(GetUid("c"), 1)
        link.send(CountClients(), 2)
        (_, error), following = await answers(owner, 2)

    assert isinstance(error, Error)
    assert error.error == "internal"
    assert "secret" not in error.text
    assert following == (2, Reply(0))
    assert "ZeroDivisionError: secret" in caplog.text


async def test_an_answer_that_fits_no_frame_is_refused() -> None:
    """The link goes on; the peer learns what to do."""
    table = {GetUid: lambda _: "x" * MAX_FRAME, CountClients: lambda _: 0}
    async with executing(table) as (_, backends):
        link, owner, _ = await backends.both_ends()
        link.send(GetUid("c"), 1)
        link.send(CountClients(), 2)
        (_, error), following = await answers(owner, 2)

        assert error.error == "too_large"
        assert following == (2, Reply(0))


async def test_an_answer_may_fail_on_its_way() -> None:
    """After some parts the error ends the answer, and the next command has its turn."""

    def stumble(_: Command) -> Iterator[list[str]]:
        yield ["a"]
        yield ["b"]
        raise CommandError(ErrorCode.STOPPING, "no more")

    async with executing({ListClientIds: stumble, CountClients: lambda _: 0}) as (_, backends):
        link, owner, _ = await backends.both_ends()
        link.send(ListClientIds(), 1)
        link.send(CountClients(), 2)

        assert await answers(owner, 3) == [
            (1, ReplyPart(["a"])),
            (1, Error("stopping", "no more")),
            (2, Reply(0)),
        ]


async def test_a_turn_that_fails_costs_that_turn() -> None:
    """A transport that breaks its contract is reported to the loop, and commands go on."""

    class Broken(Pipe):
        def write(self, data: bytes) -> None:
            raise RuntimeError("broken transport")

    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: reported.append(what))
    connection = bare("c1", Lines())
    connection.edge = Broken(connection.encoding)
    table: dict[type[Command], Callable[[Any], object]] = {}
    async with executing(table) as (gateway, backends):
        table[GetUid] = lambda _: gateway.outbox.offer([connection], "hello")
        table[CountClients] = lambda _: 0
        link, owner, _ = await backends.both_ends()
        link.send(GetUid("c"), 0)
        await turns_until(lambda: reported)
        link.send(CountClients(), 1)

        assert await answers(owner, 1) == [(1, Reply(0))]
        assert [str(each["exception"]) for each in reported] == ["broken transport"]


# Turns


async def test_further_classes_may_be_added() -> None:
    """Those of the beginning are executed as before, and what needs its link knows it."""
    links: list[AioLink] = []

    def list_clients(link: AioLink, _: ListClientIds, answer: Answer) -> None:
        links.append(link)
        answer(["a"])

    async with executing({CountClients: lambda _: 1}) as (gateway, backends):
        link, owner, server_end = await backends.both_ends()
        gateway.executor.add(
            {GetUid: lambda command: command.client_id},
            {ListClientIds: list_clients},
        )
        link.send(CountClients(), 1)
        link.send(GetUid("b"), 2)
        link.send(ListClientIds(), 3)

        assert sorted(await answers(owner, 3), key=lambda each: each[0]) == [
            (1, Reply(1)),
            (2, Reply("b")),
            (3, Reply(["a"])),
        ]
        assert links == [server_end]


async def test_links_take_turns() -> None:
    """A publisher with much to say does not keep others waiting."""
    executed: list[str] = []
    async with executing({GetUid: lambda command: executed.append(command.client_id)}) as (
        gateway,
        backends,
    ):
        _, _, loud = await backends.both_ends()
        _, _, quiet = await backends.both_ends()
        gateway.executor.accept(loud, envelopes(*[GetUid("loud")] * 1000))
        gateway.executor.accept(quiet, envelopes(GetUid("quiet")))
        await turns_until(lambda: len(executed) == 1001)

        assert executed.index("quiet") <= COMMANDS_PER_LINK


async def test_a_worker_comes_first_among_those_who_came_since_the_last_turn() -> None:
    """Whatever order their bytes were read in: what it told is true for whoever asks on another link."""
    executed: list[Any] = []
    async with executing({IsOnline: lambda command: executed.append(command.client_id)}) as (
        executing_,
        backends,
    ):
        _, _, client = await backends.both_ends()
        await backends.dial(Role.WORKER)
        worker = await executing_.links.get()
        for link, name in ((client, "asked"), (worker, "told"), (client, "asked again")):
            executing_.executor.accept(link, [Envelope(IsOnline(name), 0, None)])
        await turns_until(lambda: len(executed) == 3)

        assert executed == ["told", "asked", "asked again"]


async def test_a_turn_executes_a_bounded_number_of_commands() -> None:
    """The loop gets to serve browsers after each turn."""
    async with executing({CountClients: lambda _: 0}) as (gateway, backends):
        _, _, link = await backends.both_ends()
        counters = gateway.executor.counters
        gateway.executor.accept(link, envelopes(*[CountClients()] * (3 * COMMANDS_PER_TURN)))
        done = [0]
        while done[-1] < 3 * COMMANDS_PER_TURN:
            await asyncio.sleep(0)
            done.append(counters.commands)

        steps = [after - before for before, after in pairwise(done)]
        assert max(steps) <= COMMANDS_PER_TURN
        assert counters.turns >= 3


async def test_a_turn_ends_in_time_whatever_a_command_takes() -> None:
    """A command that takes a whole turn has it alone."""

    def work(_: Command) -> None:
        end = perf_counter() + SECONDS_PER_TURN
        while perf_counter() < end:
            pass

    async with executing({CountClients: work}) as (gateway, backends):
        _, _, link = await backends.both_ends()
        counters = gateway.executor.counters
        gateway.executor.accept(link, envelopes(*[CountClients()] * 3))
        done = []
        while counters.commands < 3:
            await asyncio.sleep(0)
            done.append(counters.commands)

        assert {1, 2, 3} <= set(done)
        assert counters.turns == 3


async def test_what_commands_put_into_outboxes_leaves_with_the_turn() -> None:
    """All that one turn executed leaves in one write, if not together with the next one's."""
    table: dict[type[Command], Callable[[Any], object]] = {}
    connection = bare("c1", Lines())
    async with executing(table) as (gateway, backends):
        table[GetUid] = lambda command: gateway.outbox.offer([connection], command.client_id)
        link, owner, _ = await backends.both_ends()
        for number in range(10):
            link.send(GetUid(str(number)), number + 1)
        await answers(owner, 10)
        pipe = connection.edge

        assert isinstance(pipe, Pipe)
        assert pipe.received == b"".join(b"%d\n" % number for number in range(10))
        assert 1 <= len(pipe.writes) <= gateway.executor.counters.turns < 10


async def test_pushes_leave_with_their_turn_and_before_its_answers() -> None:
    """When no more commands wait, whoever reads that a message was taken knows it on its way."""
    table: dict[type[Command], Callable[[Any], object]] = {}
    connection = bare("c1", Lines())
    async with executing(table) as (gateway, backends):
        table[GetUid] = lambda command: gateway.outbox.offer([connection], command.client_id)
        _, _, link = await backends.both_ends()
        gateway.executor.accept(link, envelopes(GetUid("hello")))
        await asyncio.sleep(0)

        assert gateway.executor.counters.turns == 1
        assert isinstance(connection.edge, Pipe)
        assert connection.edge.writes == [b"hello\n"]


# Bounds of a link


async def test_a_link_with_too_much_waiting_is_not_read() -> None:
    """What it sends stays on its side until most of it is executed."""
    async with executing({CountClients: lambda _: 0}) as (gateway, backends):
        _, _, link = await backends.both_ends()
        left: list[int] = []
        gateway.executor.accept(link, envelopes(*[CountClients()] * (FULL_INBOX + 1)))

        assert not is_reading(link)

        while not is_reading(link):
            left.append(FULL_INBOX + 1 - gateway.executor.counters.commands)
            await asyncio.sleep(0)
        assert min(left) >= EMPTY_ENOUGH


def slowly(gate: asyncio.Event) -> Callable[[Any], Iterator[list[str]]]:
    """Give a command's function that keeps its link busy until the gate opens."""

    def wait(_: Command) -> Iterator[list[str]]:
        while not gate.is_set():
            yield []
        yield []

    return wait


async def test_a_link_with_too_large_commands_waiting_is_not_read() -> None:
    """A few hundred large messages are as much as many thousand small ones."""
    gate = asyncio.Event()
    table = {ListClientIds: slowly(gate), SendToAll: lambda _: 0}
    async with executing(table) as (gateway, backends):
        link, owner, theirs = await backends.both_ends()
        link.send(ListClientIds(), 1)
        for _ in range(3 * FULL_INBOX_BYTES // MIB):
            link.send(SendToAll(PART))
        await turns_until(lambda: not is_reading(theirs))

        assert theirs.received_bytes < 2 * FULL_INBOX_BYTES

        gate.set()
        await turns_until(lambda: gateway.executor.counters.commands == 25)

        assert is_reading(theirs)
        link.abort(LinkLost("the test is over"))
        await owner.ended.wait()


async def test_a_worker_whose_link_is_full_hears_that_the_gateway_lives() -> None:
    """Its pings are not read; whoever does not ping is told nothing."""
    gate = asyncio.Event()
    async with executing({ListClientIds: slowly(gate)}) as (gateway, backends):
        worker, _ = await backends.dial(Role.WORKER)
        at_worker = await gateway.links.get()
        client, _, at_client = await backends.both_ends()
        for theirs in (at_worker, at_client):
            commands = [ListClientIds()] * (FULL_INBOX + 2)
            gateway.executor.accept(theirs, [Envelope(commands[0], 1, None), *envelopes(*commands)])
        heard = worker.received_bytes, client.received_bytes
        gateway.executor.reassure_workers()

        assert [at_worker.unsent, at_client.unsent] == [len(encode_frame(Pong())), 0]

        await turns_until(lambda: worker.received_bytes > heard[0])
        gate.set()


async def test_a_peer_that_leaves_answers_unread_gets_no_more_of_them() -> None:
    """The answer waits where it is made, and goes on when the peer reads."""
    parts = 3 * MAX_UNSENT // MIB
    async with executing({ListClientIds: lambda _: iter_parts(*[[PART]] * parts)}) as (_, backends):
        link, owner, theirs = await backends.both_ends()
        link.send(ListClientIds(), 1)
        link.flush()
        link.pause_reading()
        await turns_until(lambda: not theirs.has_room())

        assert not is_reading(theirs)
        assert theirs.unsent < MAX_UNSENT + 3 * MIB

        link.resume_reading()
        got = await answers(owner, parts)

        assert [type(each) for _, each in got] == [ReplyPart] * (parts - 1) + [Reply]


async def test_large_answers_of_one_turn_are_bounded_too() -> None:
    """Each is whole by itself, and so many may be asked for at once that none may wait for the end."""
    asked = 3 * MAX_UNSENT // MIB
    async with executing({GetSession: lambda _: {"all": PART}}) as (_, backends):
        link, owner, theirs = await backends.both_ends()
        for request_id in range(1, asked + 1):
            link.send(GetSession("a"), request_id)
        link.flush()
        link.pause_reading()
        await turns_until(lambda: not theirs.has_room())

        assert theirs.unsent < MAX_UNSENT + 3 * MIB

        link.resume_reading()
        assert [each for each, _ in await answers(owner, asked)] == list(range(1, asked + 1))


async def test_reading_its_answers_does_not_make_room_in_a_full_inbox() -> None:
    """A link has two reasons not to be read; that one is gone does not take back the other."""
    gate = asyncio.Event()

    def wait(_: Command) -> Iterator[list[str]]:
        while not gate.is_set():
            yield [PART]
        yield []

    async with executing({ListClientIds: wait, CountClients: lambda _: 0}) as (gateway, backends):
        link, owner, theirs = await backends.both_ends()
        link.send(ListClientIds(), 1)
        link.flush()
        link.pause_reading()
        await turns_until(lambda: not theirs.has_room())
        gateway.executor.accept(theirs, envelopes(*[CountClients()] * (FULL_INBOX + 1)))
        link.resume_reading()
        await answers(owner, 1)
        await turns_until(lambda: not theirs._reading_held)

        assert not is_reading(theirs)

        gate.set()
        await turns_until(lambda: is_reading(theirs))

        assert gateway.executor.counters.commands > FULL_INBOX - EMPTY_ENOUGH


# Links that end


async def test_what_a_link_sent_before_it_ended_is_executed() -> None:
    """A backend may push and go."""
    executed: list[str] = []
    async with executing({GetUid: lambda command: executed.append(command.client_id)}) as (
        gateway,
        backends,
    ):
        link, _, _ = await backends.both_ends()
        sent = [str(number) for number in range(5000)]
        for name in sent:
            link.send(GetUid(name))
        link.close(ErrorCode.STOPPING, "done")
        await gateway.ended.get()
        await turns_until(lambda: gateway.executor.counters.commands == 5000)

        assert executed == sent


async def test_what_waits_behind_unread_answers_is_executed_at_the_end() -> None:
    """A peer that asked too much and is cut loses its answers, not its commands."""
    executed: list[str] = []
    table: dict[type[Command], Callable[[Any], object]] = {
        ListClientIds: lambda _: iter_parts(*[[PART]] * 100),
        GetUid: lambda command: executed.append(command.client_id),
    }
    async with executing(table) as (gateway, backends):
        link, _, theirs = await backends.both_ends()
        link.send(ListClientIds(), 1)
        link.send(GetUid("last"), 2)
        link.flush()
        link.pause_reading()
        await turns_until(lambda: not theirs.has_room())

        assert executed == []

        theirs.abort(LinkLost("cut"))
        await gateway.ended.get()
        await turns_until(lambda: executed)

        assert executed == ["last"]


async def test_an_answer_ends_with_its_link() -> None:
    """Nobody goes on walking for a peer that is gone."""
    ended = asyncio.Event()

    def walk(_: Command) -> Iterator[list[str]]:
        try:
            while True:
                yield [PART]
        finally:
            ended.set()

    async with executing({ListClientIds: walk, CountClients: lambda _: 0}) as (gateway, backends):
        link, _, _ = await backends.both_ends()
        other, owner, _ = await backends.both_ends()
        link.send(ListClientIds(), 1)
        link.flush()
        link.pause_reading()
        link.abort(LinkLost("gone"))
        await ended.wait()
        other.send(CountClients(), 1)

        assert await answers(owner, 1) == [(1, Reply(0))]
        assert gateway.executor.counters.failed == 0


async def test_nothing_is_answered_on_a_link_that_was_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Commands that were taken before are executed, and that is no failure."""
    caplog.set_level(logging.WARNING)
    executed: list[str] = []

    def note(command: GetUid) -> None:
        executed.append(command.client_id)

    def refuse(command: IsOnline) -> None:
        executed.append(command.client_id)
        raise CommandError(ErrorCode.INVALID, "no")

    table: dict[type[Command], Callable[[Any], object]] = {
        GetUid: note,
        IsOnline: refuse,
        ListClientIds: lambda _: iter_parts(["a"], ["b"]),
    }
    async with executing(table) as (gateway, backends):
        _, owner, theirs = await backends.both_ends()
        commands = [GetUid("one"), ListClientIds(), IsOnline("two"), GetUid("three")]
        gateway.executor.accept(theirs, [Envelope(each, 1, None) for each in commands])
        theirs.close(ErrorCode.STOPPING, "stopping")
        await owner.ended.wait()

        assert executed == ["one", "two", "three"]
        assert owner.envelopes.empty()
        assert caplog.records == []


async def test_an_executor_tells_who_waits() -> None:
    """Its name says how many links stand in line."""
    async with executing({CountClients: lambda _: 0}) as (gateway, backends):
        _, _, link = await backends.both_ends()
        gateway.executor.accept(link, envelopes(CountClients()))

        assert repr(gateway.executor) == "<Executor 1 of 1 links waiting>"


# Commands that know their link


async def test_a_command_may_be_answered_later_than_those_behind_it() -> None:
    """Its function is given the link that it came on, and answers when it will."""
    given: list[tuple[AioLink, Command, Answer]] = []

    def keep(link: AioLink, command: Command, answer: Answer) -> None:
        given.append((link, command, answer))

    table: dict[type[Command], Callable[[Any], object]] = {CountClients: lambda _: 7}
    async with executing(table, {IsOnline: keep}) as (gateway, backends):
        link, owner, theirs = await backends.both_ends()
        link.send(IsOnline("a"), 1)
        link.send(IsOnline("b"), 0)
        link.send(CountClients(), 2)

        assert await answers(owner, 1) == [(2, Reply(7))]
        assert [each[:2] for each in given] == [(theirs, IsOnline("a")), (theirs, IsOnline("b"))]

        for (_, _, answer), value in zip(given, ("late", "never asked for"), strict=True):
            answer(value)
        link.send(CountClients(), 3)

        assert await answers(owner, 2) == [(1, Reply("late")), (3, Reply(7))]
        assert gateway.executor.counters.commands == 4

        link.close(ErrorCode.STOPPING, "gone")
        assert await gateway.done.get() is theirs
        given[0][2]("too late")


async def test_a_command_of_a_link_that_fails_is_answered_with_the_error() -> None:
    """As any other."""

    def fail(_link: AioLink, _command: Command, _answer: Answer) -> None:
        raise CommandError(ErrorCode.INVALID, "no")

    async with executing({}, {IsOnline: fail}) as (_, backends):
        link, owner, _ = await backends.both_ends()
        link.send(IsOnline("a"), 1)

        assert await answers(owner, 1) == [(1, Error("invalid", "no"))]


async def test_the_end_of_a_link_is_told_behind_its_last_command() -> None:
    """At once where nothing waits, and else when the last one is executed."""
    order: list[object] = []
    table: dict[type[Command], Callable[[Any], object]] = {CountClients: order.append}
    async with executing(table) as (gateway, backends):
        _, _, theirs = await backends.both_ends()
        gateway.executor.accept(theirs, envelopes(*[CountClients()] * (3 * COMMANDS_PER_LINK)))
        gateway.executor.forget(theirs, lambda: order.append("done"))
        gateway.executor.forget(theirs, lambda: order.append("at once"))
        await turns_until(lambda: "done" in order)

        assert (order[0], order[-1]) == ("at once", "done")
        assert len(order) == 3 * COMMANDS_PER_LINK + 2
