"""Whatever happens to events, in any order: a random walk beside a naive account of it."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.connection import Connection
from gateway.holding import HOLD_TIME, Loss
from gateway_wire.commands import (
    ClientAssigned,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    Command,
)
from gateway_wire.limits import EVENT_CREDIT
from tests.gateway.routed import Routed, reads
from tests.gateway.support import MIB
from tests.gateway.worker_end import EventCommand, WorkerEnd


class Watched(WorkerEnd):
    """A worker that checks each event against what its client did, and what it was sent before."""

    def __init__(self, world: "World") -> None:
        super().__init__(world.core.now)
        self.unfinished: dict[int, str] = {}
        self.takes = True
        self.answers: list[str] = []
        self.on_command = self._check
        self._world = world
        self._assigned: set[str] = set()

    def _check(self, command: Command) -> None:
        assert self.takes
        world = self._world
        if isinstance(command, ClientAssigned):
            self._assigned.add(command.client_id)
        elif isinstance(command, EventCommand):
            client = command.client_id
            assert client in self._assigned
            elsewhere = [each for each in world.workers if each is not self]
            assert not any(client in each.unfinished.values() for each in elsewhere)
            # In order, and each at most once: what was skipped is lost and never comes later.
            done = world.done[client]
            position = done.index(_said(command), world.seen[client])
            world.seen[client] = position + 1
            world.delivered += 1
            self.unfinished[command.event_id] = client
            assert [*self.unfinished.values()].count(client) <= EVENT_CREDIT


def _said(command: EventCommand) -> object:
    return command.message if isinstance(command, ClientMessage) else type(command)


class World(RuleBasedStateMachine):
    """Clients, workers and time in any order, beside a naive account of them."""

    def __init__(self) -> None:
        super().__init__()
        self.core = Routed()
        self.workers: list[Watched] = []
        self.clients: list[Connection] = []
        self.everybody: list[Connection] = []
        # What each client did since there are events, and how much of it was seen or passed over.
        self.done: dict[str, list[Any]] = {}
        self.seen: dict[str, int] = {}
        self.entered = self.delivered = self.acknowledged = self.lost_with_worker = 0

    def _enter(self, client: Connection, what: object) -> None:
        if self.core.router.active:
            self.done[client.client_id].append(what)
            self.entered += 1

    @rule()
    def connect(self) -> None:
        """A browser connects."""
        ids = f"{len(self.done):032x}"
        self.done[ids], self.seen[ids] = [], 0
        if self.core.router.active:
            self.done[ids].append(ClientConnected)
            self.entered += 1
        self.core.clients._new_client_id = lambda: ids
        self.clients.append(self.core.connect())
        self.everybody.append(self.clients[-1])

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), count=st.sampled_from([1, 2, 40]), size=st.sampled_from([1, 20_000]))
    def speak(self, data: st.DataObject, count: int, size: int) -> None:
        """A browser sends some messages."""
        client = data.draw(st.sampled_from(self.clients))
        for _ in range(count):
            message = f"{len(self.done[client.client_id])}".ljust(size, ".")
            self._enter(client, message)
            self.core.say(client, message)

    @precondition(lambda self: self.clients)
    @rule()
    def fill(self) -> None:
        """Some browsers send more than each, or a link, may have unfinished."""
        for client in self.clients[:3] * 2:
            message = f"{len(self.done[client.client_id])}".ljust(3 * MIB, ".")
            self._enter(client, message)
            self.core.say(client, message)

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        """A browser's connection ends."""
        client = data.draw(st.sampled_from(self.clients))
        self.clients.remove(client)
        self._enter(client, ClientClosed)
        self.core.end(client)

    @precondition(lambda self: len(self.workers) < 3)
    @rule()
    def come(self) -> None:
        """A worker comes."""
        worker = Watched(self)
        self.workers.append(worker)
        self.core.take(worker)

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), share=st.sampled_from([1, 2, 5]))
    def acknowledge(self, data: st.DataObject, share: int) -> None:
        """A worker finishes some of its events, in any order, and says some twice."""
        worker = data.draw(st.sampled_from(self.workers))
        ids = [*worker.unfinished][::share]
        for each in ids:
            del worker.unfinished[each]
        self.acknowledged += len(ids)
        self.core.router.acknowledge(worker, [*ids[::-1], *ids[:1]], self.core.now)

    @precondition(lambda self: any(each.takes for each in self.workers))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """A worker wants to leave."""
        worker = data.draw(st.sampled_from([each for each in self.workers if each.takes]))
        worker.takes = False
        self.core.router.leave(worker, lambda: worker.answers.append("left"), self.core.now)

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), noticed=st.booleans())
    def lose(self, data: st.DataObject, noticed: bool) -> None:
        """A worker's link ends; that may be told later."""
        worker = data.draw(st.sampled_from(self.workers))
        worker.is_open = False
        if noticed:
            self._notice(worker)

    def _notice(self, worker: Watched) -> None:
        self.workers.remove(worker)
        self.lost_with_worker += len(worker.unfinished)
        worker.takes = False
        self.core.router.link_lost(worker, self.core.now)

    @rule(seconds=st.sampled_from([0.5, HOLD_TIME]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.core.wait(seconds)

    @invariant()
    def every_event_is_accounted_for(self) -> None:
        """The sums are exact, and the parts that the world knows are as it knows them."""
        entered, acknowledged, _, unacked, _ = self.core.sums()
        assert (entered, acknowledged) == (self.entered, self.acknowledged)
        assert unacked == sum(len(each.unfinished) for each in self.workers)
        counters = self.core.router.counters
        assert counters.lost[Loss.WORKER_LOST] == self.lost_with_worker
        assert counters.dispatched == self.delivered

    @invariant()
    def a_worker_that_has_finished_may_leave(self) -> None:
        """It is answered once, and not before."""
        for each in self.workers:
            may_leave = not each.takes and not each.unfinished
            assert each.answers == (["left"] if may_leave else [])

    @invariant()
    def nothing_waits_that_could_be_sent(self) -> None:
        """Events wait only while something of their client or link is unfinished, or nobody is there."""
        if (
            any(each.takes and each.is_open for each in self.workers)
            and not self.core.router.unacked
        ):
            assert self.core.router.held == 0
            assert self.core.router.paused == 0

    def teardown(self) -> None:
        """When all is finished, nothing is left, everybody is read from, and the sums still hold."""
        for worker in tuple(self.workers):
            worker.is_open = False
            self._notice(worker)
        self.core.wait(HOLD_TIME)
        entered, acknowledged, lost, _, _ = self.core.sums()
        assert entered == acknowledged + lost
        assert all(each.lane is None for each in self.everybody)
        assert all(reads(each) for each in self.clients)


World.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, print_blob=True
)
TestWorld = World.TestCase
