"""Where events go: credit, holding, moving, and what is counted, over recorded links."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.connection import Connection
from gateway.holding import HOLD_BYTES, HOLD_TIME, Loss
from gateway_wire import close_codes
from gateway_wire.commands import (
    ClientAssigned,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    ClientSession,
    Command,
    CommandError,
    SetSession,
)
from gateway_wire.limits import EVENT_CREDIT, EVENT_CREDIT_BYTES
from tests.gateway.handlers.support import Gateway
from tests.gateway.support import MIB, pipe_of
from tests.gateway.worker_end import EventCommand, WorkerEnd

LOST = close_codes.CONNECTION_LOST.reason("gone")


class Routed(Gateway):
    """A core whose workers are a test's own."""

    def come(self, name: str = "w", number: int = 0) -> WorkerEnd:
        """Let a worker come."""
        link = WorkerEnd(self.now)
        self.router.take(link, lambda: None, self.now, name=name, number=number)
        return link

    def say(self, connection: Connection, *messages: str | bytes) -> None:
        """Let a client send messages."""
        for message in messages:
            self.clients.received(connection.edge, message)

    def end(self, connection: Connection) -> None:
        """Let a client's connection end."""
        self.clients.lost(connection.edge, LOST)

    def ack(self, link: WorkerEnd, *events: EventCommand) -> None:
        """Let a worker finish events."""
        self.router.acknowledge(link, [each.event_id for each in events], self.now)

    def lose(self, link: WorkerEnd) -> None:
        """Let a worker's link end."""
        link.is_open = False
        self.router.link_lost(link, self.now)

    def leave(self, link: WorkerEnd) -> list[str]:
        """Let a worker ask to leave; the list is filled when it may."""
        answers: list[str] = []
        self.router.leave(link, lambda: answers.append("left"), self.now)
        return answers

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.router.turn(self.now)

    def losses(self) -> dict[Loss, int]:
        """Give how many events were lost, by reason."""
        return {reason: count for reason, count in self.router.counters.lost.items() if count}

    def sums(self) -> tuple[int, int, int, int, int]:
        """Give entered, acknowledged, lost, unacknowledged and held; the first is their sum."""
        counters = self.router.counters
        parts = (
            counters.acknowledged,
            counters.lost.total(),
            self.router.unacked,
            self.router.held,
        )
        assert counters.entered == sum(parts)
        return (counters.entered, *parts)


def reads(connection: Connection) -> bool:
    """Tell whether a client is read from."""
    return pipe_of(connection).is_reading


# A client's life


def test_a_clients_life_reaches_its_worker_in_order() -> None:
    """It is assigned, connects, speaks and ends; each event once, with an id of its own."""
    core = Routed()
    worker = core.come()
    ann = core.connect()
    core.hub.bind(ann, "ann")
    core.say(ann, "text", b"\x00")
    core.end(ann)
    client = ann.client_id

    assert worker.told() == [
        ClientAssigned(client, {}, "203.0.113.7", 4711, "public"),
        ClientConnected(1, client, None, "/", "", {}),
        ClientMessage(2, client, "ann", "text"),
        ClientMessage(3, client, "ann", b"\x00"),
        ClientClosed(4, client, "ann", 1006, "connection_lost", "gone"),
    ]
    assert core.sums() == (4, 0, 0, 4, 0)


def test_a_client_without_unfinished_events_costs_nothing() -> None:
    """Its lane goes with the last acknowledgement; it stays with its worker."""
    core = Routed()
    worker = core.come()
    ann = core.connect()
    core.say(ann, "one")
    core.ack(worker, *worker.events())

    assert ann.lane is None
    assert str(ann.worker) == "w#0"
    assert core.sums() == (2, 2, 0, 0, 0)


def test_before_the_first_worker_there_are_no_events() -> None:
    """A gateway that only pushes discards; who came then is assigned with what it does next."""
    core = Routed()
    ann, bob = core.connect(), core.connect()
    core.say(ann, "for nobody")

    assert core.clients.counters.discarded == 1

    worker = core.come()
    core.say(ann, "hello")
    core.end(bob)
    core.say(ann, "again")
    kinds = [type(each) for each in worker.told()]

    assert kinds == [ClientAssigned, ClientMessage, ClientAssigned, ClientClosed, ClientMessage]
    assert core.clients.counters.discarded == 1
    assert core.sums() == (3, 0, 0, 3, 0)


def test_who_is_sent_away_at_the_door_is_no_event() -> None:
    """A newcomer during a stop was never there."""
    core = Routed()
    worker = core.come()
    core.clients.stopping = True
    late = core.connect()
    core.end(late)

    assert worker.told() == []


def test_clients_spread_over_the_workers() -> None:
    """Each new one goes to the worker with the fewest; who ended counts no more."""
    core = Routed()
    one, other = core.come("one"), core.come("other")
    clients = [core.connect() for _ in range(6)]

    opened = one.events()

    assert len(opened) == len(other.events()) == 3

    for each in [each for each in clients if str(each.worker) == "one#0"]:
        core.end(each)
    core.ack(one, *opened, *one.events())
    for _ in range(3):
        core.connect()

    assert len(one.events()) == 3
    assert other.events() == []


def test_a_worker_that_is_not_heard_gets_no_new_clients() -> None:
    """Unless none is heard: a frozen one is better than none."""
    core = Routed()
    frozen = core.come("frozen")
    core.now += 10
    heard = core.come("heard")
    for _ in range(4):
        core.connect()

    assert (len(frozen.events()), len(heard.events())) == (0, 4)

    core.now += 10
    core.connect()

    assert (len(frozen.events()), len(heard.events())) == (1, 0)


# Sessions


def test_a_session_that_another_hand_changed_is_told_before_the_next_event() -> None:
    """Once, and only then; a client that is assigned anew brings its session along."""
    core = Routed()
    worker = core.come()
    ann = core.connect()
    worker.told()
    core.execute(SetSession(ann.client_id, {"a": 1}))
    core.execute(SetSession(ann.client_id, {"a": 2}))

    assert worker.told() == []

    core.say(ann, "one", "two")

    assert [type(each) for each in worker.told()] == [ClientSession, ClientMessage, ClientMessage]

    core.execute(SetSession(ann.client_id, {"a": 3}))
    core.lose(worker)
    heir = core.come()
    core.say(ann, "three")
    assigned, message = heir.told()

    assert isinstance(assigned, ClientAssigned)
    assert assigned.session == {"a": 3}
    assert isinstance(message, ClientMessage)


# Credit


def test_a_client_has_so_many_unfinished_events_and_no_more() -> None:
    """What it sends beyond waits, it alone is paused, and it is read again at half its credit."""
    core = Routed()
    worker = core.come()
    flood, calm = core.connect(), core.connect()
    core.ack(worker, *worker.events())
    core.say(flood, *map(str, range(EVENT_CREDIT + 2)))
    core.say(calm, "calm")
    sent = worker.events()

    assert [each.client_id for each in sent].count(flood.client_id) == EVENT_CREDIT
    assert sent[-1].client_id == calm.client_id
    assert (reads(flood), reads(calm)) == (False, True)
    assert (core.router.held, core.router.paused) == (2, 1)

    core.ack(worker, *sent[:2])

    assert worker.messages() == [str(EVENT_CREDIT), str(EVENT_CREDIT + 1)]
    assert not reads(flood)

    core.ack(worker, *sent[2 : EVENT_CREDIT // 2 + 1])

    assert not reads(flood)

    core.ack(worker, sent[EVENT_CREDIT // 2 + 1])

    assert reads(flood)
    assert core.router.paused == 0


def test_a_link_has_so_many_unfinished_bytes_and_no_more() -> None:
    """Who sends more waits in line and is paused; acknowledgements serve the line in order."""
    core = Routed()
    worker = core.come()
    first, second, third = (core.connect() for _ in range(3))
    core.ack(worker, *worker.events())
    core.say(first, *[bytes(MIB)] * (EVENT_CREDIT_BYTES // MIB))
    full = worker.events()
    core.say(second, "s1", "s2")
    core.say(third, "t1")
    core.say(first, "f1")

    assert worker.events() == []
    assert [reads(each) for each in (first, second, third)] == [False] * 3

    core.ack(worker, full[0])

    assert worker.messages() == ["s1", "t1", "f1", "s2"]
    assert [reads(each) for each in (first, second, third)] == [True] * 3


# Workers end


def test_what_a_lost_worker_had_is_lost_and_what_waited_moves() -> None:
    """In order, behind a new assignment, and nothing twice."""
    core = Routed()
    worker = core.come("lost")
    ann = core.connect()
    core.ack(worker, *worker.events())
    core.say(ann, *map(str, range(EVENT_CREDIT + 3)))
    heir = core.come("heir")
    core.lose(worker)

    assert heir.messages() == [str(EVENT_CREDIT + each) for each in range(3)]
    assert reads(ann)
    assert core.losses() == {Loss.WORKER_LOST: EVENT_CREDIT}
    assert core.sums() == (EVENT_CREDIT + 4, 1, EVENT_CREDIT, 3, 0)


def test_an_idle_client_moves_with_its_next_event() -> None:
    """It is not told again that the client connected."""
    core = Routed()
    worker = core.come()
    ann = core.connect()
    core.ack(worker, *worker.events())
    core.lose(worker)
    heir = core.come()
    core.say(ann, "hello")

    assert [type(each) for each in heir.told()] == [ClientAssigned, ClientMessage]
    assert core.losses() == {}


def test_a_link_that_turns_out_closed_loses_nothing_more() -> None:
    """What comes before its end is told goes elsewhere, or waits for what is unfinished."""
    core = Routed()
    worker, other = core.come("closed"), core.come("other")
    busy, away, idle = core.connect(), core.connect(), core.connect()
    assert [str(each.worker) for each in (busy, away, idle)] == ["closed#0", "other#0", "closed#0"]
    events = worker.events()
    core.ack(worker, *(each for each in events if each.client_id == idle.client_id))
    other.told()
    worker.is_open = False
    core.say(idle, "idle")
    core.say(busy, "busy")

    assert other.messages() == ["idle"]
    assert core.sums() == (5, 1, 0, 3, 1)

    core.lose(worker)

    assert other.messages() == ["busy"]
    assert core.sums() == (5, 1, 1, 3, 0)


def test_a_worker_that_leaves_keeps_what_it_has_and_gets_no_more() -> None:
    """Its clients move when they have nothing unfinished there; then it is answered."""
    core = Routed()
    worker = core.come("leaving")
    busy, idle = core.connect(), core.connect()
    connected = worker.events()
    core.ack(worker, connected[1])
    core.say(busy, "first")
    heir = core.come("heir")
    answers = core.leave(worker)
    core.say(busy, "second")
    core.say(idle, "idle")

    assert heir.messages() == ["idle"]
    assert core.router.workers == 1

    core.ack(worker, connected[0])

    assert (answers, heir.messages()) == ([], [])

    core.ack(worker, *worker.events())

    assert answers == ["left"]
    assert heir.messages() == ["second"]

    core.lose(worker)

    assert core.losses() == {}


def test_a_client_of_a_leaving_worker_may_send_as_much_as_ever() -> None:
    """What waits for a slow handler counts with what is unfinished, and in bytes."""
    core = Routed()
    worker = core.come()
    ann, big = core.connect(), core.connect()
    core.leave(worker)
    core.say(ann, *["x"] * (EVENT_CREDIT - 2))
    core.say(big, "small")

    assert (reads(ann), reads(big)) == (True, True)

    core.say(ann, "x")
    core.say(big, "x" * HOLD_BYTES)

    assert (reads(ann), reads(big)) == (False, False)


def test_lanes_in_line_move_when_their_worker_leaves() -> None:
    """Room at the leaving one is waited for no longer."""
    core = Routed()
    worker = core.come("full")
    first, second = core.connect(), core.connect()
    core.ack(worker, *worker.events())
    core.say(first, *[bytes(MIB)] * (EVENT_CREDIT_BYTES // MIB))
    core.say(second, "waits")
    heir = core.come("heir")
    core.leave(worker)

    assert heir.messages() == ["waits"]
    assert reads(second)


def test_leaving_without_unfinished_events_is_answered_at_once() -> None:
    """Also on a link that takes no events at all."""
    core = Routed()

    assert core.leave(core.come()) == ["left"]
    assert core.leave(WorkerEnd()) == ["left"]


def test_taking_or_leaving_twice_is_refused() -> None:
    """A worker that does either has lost its way."""
    core = Routed()
    worker = core.come()
    core.connect()
    with pytest.raises(CommandError, match="takes events already"):
        core.router.take(worker, lambda: None, core.now, name="w", number=0)
    core.leave(worker)
    with pytest.raises(CommandError, match="leaves events already"):
        core.leave(worker)


def test_acknowledgements_of_what_a_worker_does_not_have_are_counted() -> None:
    """Doubled, of another's, invented, or from a link without events: none hurts."""
    core = Routed()
    worker = core.come()
    core.connect()
    (event,) = worker.events()
    core.ack(worker, event, event)
    core.router.acknowledge(worker, [77, -1], core.now)
    core.router.acknowledge(WorkerEnd(), [1, 2], core.now)

    assert core.router.counters.unknown == 5
    assert core.sums() == (1, 1, 0, 0, 0)


# Nobody there


def test_events_wait_for_a_worker_that_comes() -> None:
    """In order, and clients that came meanwhile are told of."""
    core = Routed()
    core.lose(core.come())
    ann, bob = core.connect(), core.connect()
    core.say(ann, "a1")
    core.say(bob, "b1")
    core.say(ann, "a2")
    core.wait(HOLD_TIME - 0.1)
    worker = core.come()
    events = worker.events()

    assert core.sums() == (5, 0, 0, 5, 0)
    for client, messages in ((ann, ["a1", "a2"]), (bob, ["b1"])):
        connected, *rest = [each for each in events if each.client_id == client.client_id]
        assert isinstance(connected, ClientConnected)
        assert [each.message for each in rest if isinstance(each, ClientMessage)] == messages


def test_events_that_wait_too_long_are_lost() -> None:
    """Each when its own time is over; the client stays."""
    core = Routed()
    core.lose(core.come())
    ann = core.connect()
    core.wait(1)
    core.say(ann, "later")
    core.wait(HOLD_TIME - 1)

    assert core.losses() == {Loss.NO_WORKER: 1}

    core.wait(1)

    assert core.sums() == (2, 0, 2, 0, 0)
    assert ann.lane is None
    assert ann.client_id in core.hub.connections

    core.say(ann, "again")

    assert core.come().messages() == ["again"]


def test_the_time_of_what_waited_already_begins_when_the_last_worker_goes() -> None:
    """A slow worker that dies does not take the patience with it."""
    core = Routed()
    worker = core.come()
    ann = core.connect()
    core.say(ann, *["x"] * (EVENT_CREDIT + 3))
    core.wait(60)
    core.lose(worker)
    core.wait(HOLD_TIME - 0.1)

    assert core.router.held == 4
    assert not reads(ann)

    core.wait(0.1)

    assert core.losses() == {Loss.WORKER_LOST: EVENT_CREDIT, Loss.NO_WORKER: 4}
    assert reads(ann)


def test_so_much_waits_for_a_client_and_no_more() -> None:
    """What does not fit is lost, but for the client's end; what is smaller may still fit."""
    core = Routed()
    core.lose(core.come())
    ann = core.connect()
    core.say(ann, "x" * HOLD_BYTES, "fits", "y" * (HOLD_BYTES - 2000), "z" * 2000)
    core.end(ann)
    worker = core.come()

    assert worker.messages() == ["fits", "y" * (HOLD_BYTES - 2000)]
    assert core.losses() == {Loss.HOLD_FULL: 2}
    assert core.sums() == (6, 0, 2, 4, 0)


def test_a_leaving_worker_without_an_heir_lets_events_wait() -> None:
    """They wait for whoever comes next."""
    core = Routed()
    worker = core.come()
    ann = core.connect()
    core.leave(worker)
    core.say(ann, "one")
    core.ack(worker, *worker.events())
    core.say(ann, "two")

    assert core.sums() == (3, 1, 0, 0, 2)
    assert core.come().messages() == ["one", "two"]


# A worker is required


def test_where_a_worker_is_required_nobody_is_let_in_without() -> None:
    """1013 says: try later; no worker hears of it."""
    core = Routed(require_worker=True)
    early = core.connect()

    assert pipe_of(early).goodbyes == [(1013, "no_worker")]
    assert early.client_id not in core.hub.connections

    core.end(early)
    worker = core.come()
    ann = core.connect()

    assert ann.client_id in core.hub.connections
    assert len(worker.told()) == 2


def test_where_a_worker_is_required_a_lost_event_costs_the_connection() -> None:
    """Whether it waited too long or did not fit; who said nothing meanwhile stays."""
    core = Routed(require_worker=True)
    worker = core.come()
    loud, large, quiet = (core.connect() for _ in range(3))
    core.ack(worker, *worker.events())
    core.lose(worker)
    core.say(loud, "one", "two")
    core.say(large, "x" * HOLD_BYTES)

    assert pipe_of(large).goodbyes == [(1013, "no_worker")]
    assert pipe_of(loud).goodbyes == []

    core.wait(HOLD_TIME)

    assert pipe_of(loud).goodbyes == [(1013, "no_worker")]
    assert list(core.hub.connections.values()) == [quiet]


# Looking at it


def test_the_lag_is_the_age_of_the_oldest_unfinished_event() -> None:
    """At a worker, or here while none is there."""
    core = Routed()

    assert core.router.lag(core.now) == 0

    worker = core.come()
    core.connect()
    core.now += 2
    core.connect()

    assert core.router.lag(core.now + 1) == 3

    core.lose(worker)

    assert core.router.lag(core.now + 1) == 0

    core.connect()

    assert core.router.lag(core.now + 1) == 1


def test_whoever_waits_for_the_last_event_is_told_once() -> None:
    """At once if there is none, else when no worker has any; what waits for nobody does not count."""
    core = Routed()
    told: list[int] = []
    core.router.call_when_idle(lambda: told.append(1))

    assert told == [1]

    worker = core.come()
    core.connect()
    core.router.call_when_idle(lambda: told.append(2))

    assert told == [1]

    core.ack(worker, *worker.events())
    core.connect()
    core.ack(worker, *worker.events())

    assert told == [1, 2]

    core.connect()
    core.router.call_when_idle(lambda: told.append(3))
    core.lose(worker)
    core.connect()

    assert told == [1, 2, 3]
    assert core.router.held == 1


def test_giving_up_counts_what_is_left() -> None:
    """Unfinished and waiting alike, for the reason that the process stops."""
    core = Routed()
    core.come()
    ann = core.connect()
    core.say(ann, *["x"] * EVENT_CREDIT)

    assert core.router.give_up() == EVENT_CREDIT + 1
    assert core.losses() == {Loss.STOPPING: EVENT_CREDIT + 1}
    assert core.sums() == (EVENT_CREDIT + 1, 0, EVENT_CREDIT + 1, 0, 0)


def test_it_says_what_it_has() -> None:
    """For logs and debuggers."""
    core = Routed()
    core.come()
    ann = core.connect()

    assert repr(core.router) == "<Router of <Dispatch 1 workers, 1 unacked, 0 held>>"
    assert repr(ann.worker) == "<Worker w#0 1 clients, 1 unfinished>"
    assert repr(ann.lane) == f"<Lane {ann.client_id} 1 unfinished, 0 waiting>"


# Whatever happens


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
    @rule(data=st.data())
    def fill(self, data: st.DataObject) -> None:
        """A browser sends more than a link may have unfinished."""
        client = data.draw(st.sampled_from(self.clients))
        for _ in range(4):
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
        self.core.router.take(worker, lambda: None, self.core.now, name="w", number=0)

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
        assert all(each.lane is None and reads(each) for each in self.everybody)


World.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, print_blob=True
)
TestWorld = World.TestCase
