"""Where events go: credit, holding, moving, and what is counted, over recorded links."""

import pytest

from gateway.holding import HOLD_BYTES, HOLD_TIME, Loss
from gateway_wire.commands import (
    ClientAssigned,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    ClientSession,
    CommandError,
    SetSession,
)
from gateway_wire.limits import EVENT_CREDIT, EVENT_CREDIT_BYTES
from tests.gateway.routed import Routed, reads
from tests.gateway.support import MIB, pipe_of
from tests.gateway.worker_end import EventCommand, WorkerEnd


def fill(core: Routed, worker: WorkerEnd) -> list[EventCommand]:
    """Let a crowd of clients send as much as the worker's link takes; give what the worker then has."""
    crowd = [core.connect() for _ in range(EVENT_CREDIT_BYTES // MIB)]
    core.ack(worker, *worker.events())
    for each in crowd:
        core.say(each, bytes(MIB))
    return worker.events()


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


def test_a_client_with_large_messages_leaves_room_for_others() -> None:
    """One that passes its share has no other until that is finished, and is paused alone."""
    core = Routed()
    worker = core.come()
    loud, quiet = core.connect(), core.connect()
    core.ack(worker, *worker.events())
    core.say(loud, *[bytes([each]) * MIB for each in range(9)])
    core.say(quiet, "q")
    first, second = worker.events()

    assert [first.client_id, second.client_id] == [loud.client_id, quiet.client_id]
    assert (reads(loud), reads(quiet)) == (False, True)

    for number in range(1, 9):
        core.ack(worker, first)
        (first,) = worker.events()
        assert first == ClientMessage(first.event_id, loud.client_id, None, bytes([number]) * MIB)
    assert not reads(loud)

    core.ack(worker, first, second)

    assert reads(loud)


def test_a_link_has_so_many_unfinished_bytes_and_no_more() -> None:
    """Who sends more waits in line and is paused; acknowledgements serve the line in order."""
    core = Routed()
    worker = core.come()
    first, second, third = (core.connect() for _ in range(3))
    full = fill(core, worker)
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
    client = core.connect()
    fill(core, worker)
    core.say(client, "waits")
    heir = core.come("heir")
    core.leave(worker)

    assert heir.messages() == ["waits"]
    assert reads(client)


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
        core.take(worker)
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


def test_the_lag_counts_from_when_an_event_happened() -> None:
    """Not from when it was sent: what waits for room, and what has waited, is late all the same."""
    core = Routed()
    worker = core.come()
    client = core.connect()
    filling = fill(core, worker)
    core.now += 2
    core.say(client, "waits")
    core.now += 3
    core.ack(worker, *filling[1:])  # the first of them is unfinished

    assert core.router.lag(core.now) == 5

    (waited,) = worker.events()
    core.ack(worker, filling[0])

    assert core.router.lag(core.now) == 3

    core.ack(worker, waited)

    assert core.router.lag(core.now) == 0


def test_a_worker_that_takes_events_again_gets_other_ids() -> None:
    """An id is unique on the link, also when the worker has left and come back on it."""
    core = Routed()
    worker = core.come()
    client = core.connect()
    first = worker.events()
    core.leave(worker)
    core.ack(worker, *first)
    core.take(worker)
    core.say(client, "x")

    assert first[0].event_id not in {each.event_id for each in worker.events()}


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
