"""The life of clients, over real sockets and an edge that is not websocket."""

import asyncio
import json
import logging

import pytest

from gateway.connection import Connection
from gateway.edge.deadlines import Deadlines
from gateway.edge.interface import ConnectRequest
from gateway_wire import close_codes
from gateway_wire.close_codes import CloseReason
from gateway_wire.commands import ClientClosed, ClientConnected
from tests.gateway.support import (
    Doorkeeper,
    Pipe,
    Pipes,
    pipe_of,
    request,
    running,
    turns_until,
)
from tests.gateway.worker_end import WorkerEnd


async def test_a_client_is_told_its_id_at_once() -> None:
    """The init message is the first thing a client receives, and the id is the one that is listed."""
    async with running(init_message=True) as core:
        connection, peer = await core.connect()
        init = json.loads(await peer.line())

        assert init == {"type": "init", "client_id": connection.client_id}
        assert core.hub.connections == {connection.client_id: connection}


async def test_the_init_message_can_be_left_out() -> None:
    """A listener's clients then receive nothing but what they are sent."""
    async with running() as core:
        connection, peer = await core.connect()
        core.clients.send(connection.edge, "hello")

        assert await peer.line() == "hello"


async def test_whoever_is_cut_for_not_reading_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """One line names the client, the settings that bound what waits, and the code."""
    caplog.set_level(logging.INFO)
    async with running() as core:
        connection, _ = await core.connect()
        core.clients.cut_slow(connection)

    [line] = [each for each in caplog.messages if connection.client_id in each]
    assert all(
        word in line for word in ("does not read", "send_buffer", "send_buffer_total", "3000")
    )


async def test_messages_that_nobody_takes_are_counted() -> None:
    """A push-only gateway discards what clients send, and says how much."""
    async with running() as core:
        connection, peer = await core.connect()
        await peer.send("one")
        await peer.send("three")
        peer.stop_sending()
        await core.clients.all_gone()
        counters = core.clients.counters

        assert (counters.received, counters.received_bytes, counters.discarded) == (2, 8, 2)
        assert counters.closed == {"peer_closed": 1}
        assert connection.edge.connection is None


async def test_a_client_that_leaves_is_forgotten() -> None:
    """Hub and outbox hold nothing of a connection that is gone, whatever waited for it."""
    async with running() as core:
        connection, peer = await core.connect()
        core.hub.join(connection, "g")
        for _ in range(100):
            core.outbox.offer([connection], "x" * 1000)

        assert connection.blocked

        peer.close()
        await core.clients.all_gone()

        assert not core.hub.connections
        assert not core.hub.groups
        assert core.outbox.waiting_bytes == 0
        assert core.outbox.blocked_connections == 0
        assert core.clients.counters.closed == {"connection_lost": 1}


def test_the_farewell_comes_last() -> None:
    """What waits, the last message, and then the edge's goodbye."""
    core = Pipes()
    ann = core.connect()
    core.outbox.offer([ann], "one")
    core.clients.close(ann, "last", 4001, "enough")

    assert core.received(ann) == ["one", "last", "!4001 enough"]


async def test_closing_sends_what_waits_and_a_last_message() -> None:
    """The client is offline from the call on, and still receives everything."""
    async with running() as core:
        connection, peer = await core.connect()
        core.outbox.offer([connection], "one")
        core.clients.close(connection, "last", 4001, "enough")

        assert not core.hub.connections
        assert [await peer.line() for _ in range(2)] == ["one", "last"]

        peer.close()
        await core.clients.all_gone()

        assert core.clients.counters.closed == {"application": 1}


async def test_a_client_that_is_closed_while_blocked_gets_everything_in_its_turn() -> None:
    """Closing does not cut the line of what waits."""
    async with running() as core:
        connection, peer = await core.connect()
        sent = [f"{number:0100}" for number in range(1000)]
        for message in sent:
            core.outbox.offer([connection], message)

        assert connection.blocked

        core.clients.close(connection, "last", 1000, "")

        assert [await peer.line() for _ in range(1001)] == [*sent, "last"]


async def test_destroying_loses_what_waits() -> None:
    """The connection is cut, and counted as closed by the application."""
    async with running() as core:
        connection, peer = await core.connect()
        core.outbox.offer([connection], "never seen")
        core.clients.destroy(connection)

        assert not core.hub.connections
        assert await peer.rest() == ""

        await core.clients.all_gone()

        assert core.clients.counters.closed == {"closed": 1}


def test_closing_twice_says_goodbye_once() -> None:
    """The first reason stays, and the client gets one farewell."""
    core = Pipes()
    ann = core.connect()
    core.clients.close(ann, None, 1000, "first")
    core.clients.close(ann, None, 4000, "second")

    assert core.received(ann) == ["!1000 first"]


async def test_a_code_that_cannot_be_sent_closes_nothing() -> None:
    """The caller is told, and the client stays."""
    async with running() as core:
        connection, _ = await core.connect()
        with pytest.raises(ValueError, match="1006"):
            core.clients.close(connection, "last", 1006, "")

        assert core.hub.connections
        assert not connection.pending


def test_a_last_message_over_the_limit_cuts_instead() -> None:
    """A client that does not read gets no farewell either."""
    core = Pipes(send_buffer=100)
    slow = core.connect(capacity=0)
    core.outbox.offer([slow], "x" * 90)
    core.outbox.flush()
    core.clients.close(slow, "x" * 90, 1000, "")

    assert pipe_of(slow).aborted == close_codes.SLOW.reason()
    assert not slow.pending


def test_nothing_is_sent_to_a_client_that_is_being_closed() -> None:
    """After the farewell there is nothing to say."""
    core = Pipes()
    ann = core.connect()
    core.clients.close(ann, None, 1000, "")
    core.clients.send(ann.edge, "too late")

    assert core.received(ann) == ["!1000 "]


def test_only_clients_without_a_uid_are_closed_for_having_none() -> None:
    """Whoever is bound by then, or gone, is left alone."""
    core = Pipes()
    stranger, ann, gone = core.connect(), core.connect(uid="ann"), core.connect()
    pipe = pipe_of(gone)
    core.clients.lost(pipe, close_codes.CONNECTION_LOST.reason())
    for each in (stranger, ann, gone):
        core.clients.close_unbound(each)

    assert core.received(stranger) == ["!3502 never_bound"]
    assert core.received(ann) == []
    assert pipe.writes == []


async def test_waiting_for_the_last_client() -> None:
    """It ends with the last socket, at once if there is none, and may be given up and begun again."""
    core = Pipes()
    await core.clients.all_gone()
    ann = core.connect()
    given_up = asyncio.ensure_future(core.clients.all_gone())
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])
    core.clients.lost(ann.edge, CloseReason(1006, "connection_lost"))
    bob = core.connect()
    waiting = asyncio.ensure_future(core.clients.all_gone())
    await asyncio.sleep(0)

    assert not waiting.done()

    core.clients.lost(bob.edge, CloseReason(1006, "connection_lost"))
    await waiting

    assert repr(core.clients) == "<Clients 0 open>"


async def test_a_client_without_a_uid_is_given_its_time() -> None:
    """Where there is a deadline, each client that opens is put under it."""
    closed: list[Connection] = []
    core = Pipes()
    core.clients.unbound = Deadlines(1, closed.append)
    ann = core.connect()
    core.clients.unbound.turn()

    assert closed == []

    core.clients.unbound.turn()

    assert closed == [ann]


async def test_who_has_gone_has_no_deadline() -> None:
    """A client that leaves before its time is not kept until then."""
    core = Pipes()
    core.clients.unbound = Deadlines(30, core.clients.close_unbound)
    ann = core.connect()
    core.clients.lost(ann.edge, close_codes.CONNECTION_LOST.reason())

    assert len(core.clients.unbound) == 0


async def test_the_end_of_a_client_is_a_line_for_who_looks_closely(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody needs a line a client, unless they ask for it."""
    core = Pipes()
    ann, bob = core.connect(), core.connect()
    for level, client in ((logging.INFO, ann), (logging.DEBUG, bob)):
        caplog.set_level(level, "gateway")
        core.clients.lost(client.edge, close_codes.PING_TIMEOUT.reason())

    assert caplog.messages == [f"{bob.client_id} closed: 3001 ping_timeout"]


async def test_who_was_told_to_go_and_stays_can_be_cut() -> None:
    """Those only; who is still online is left alone."""
    async with running() as core:
        polite, _ = await core.connect()
        online, _ = await core.connect()
        core.clients.close(polite, None, 4000, "go")
        core.clients.cut_ending()
        await turns_until(lambda: core.clients.sockets == 1)

        assert core.hub.connections == {online.client_id: online}
        assert core.clients.counters.closed == {"application": 1}


async def test_each_end_of_a_client_is_one_event() -> None:
    """Whoever decided it, and when its socket is gone: not before, and not twice."""
    worker = WorkerEnd()
    async with running() as core:
        core.router.take(worker.worker(), lambda: None, 0.0)
        left, closed, destroyed, slow = [await core.connect() for _ in range(4)]
        assert [type(each) for each in worker.events()] == [ClientConnected] * 4
        core.clients.close(closed[0], None, 4001, "enough")
        core.clients.destroy(destroyed[0])
        core.clients.cut_slow(slow[0])

        assert worker.events() == []

        for _, peer in (left, closed):
            peer.stop_sending()
        await core.clients.all_gone()
        ends = {
            each.client_id: (each.close_code, each.name)
            for each in worker.events()
            if isinstance(each, ClientClosed)
        }

        assert ends == {
            left[0].client_id: (1005, "peer_closed"),
            closed[0].client_id: (4001, "application"),
            destroyed[0].client_id: (1000, "closed"),
            slow[0].client_id: (3000, "slow"),
        }


# Who is not let in at once.


def waiting_at_the_door(*, init_message: bool = False) -> tuple[Pipes, Doorkeeper, Connection]:
    """Give a core whose destination has not decided about its one client."""
    doorkeeper = Doorkeeper()
    core = Pipes(choose=lambda _: doorkeeper, init_message=init_message)
    pipe = Pipe(core.lines)
    assert core.clients.opened(pipe, request()) == b""
    connection: Connection = pipe.connection
    assert list(core.clients.pending) == [connection]
    return core, doorkeeper, connection


def test_nothing_reaches_a_client_that_is_not_let_in() -> None:
    """It is in no index; what it says and does is told to its destination alone."""
    core, doorkeeper, ann = waiting_at_the_door(init_message=True)
    core.clients.unbound = Deadlines(1, core.clients.close_unbound)
    core.clients.send(ann.edge, "a beat")
    core.clients.close_unbound(ann)
    core.clients.received(ann.edge, "hello")

    assert core.received(ann) == []
    assert not core.hub.connections
    assert doorkeeper.told == [f"{ann.client_id} came from 203.0.113.7", "hello"]
    assert (core.clients.counters.opened, core.clients.sockets) == (1, 1)


def test_who_is_let_in_is_told_its_id_first() -> None:
    """From then on it is a client as any other, with a time to get a uid that begins now."""
    core, _, ann = waiting_at_the_door(init_message=True)
    core.clients.unbound = Deadlines(1, core.clients.close_unbound)

    assert core.clients.admit(ann)

    core.clients.send(ann.edge, "hello")
    first, second = core.received(ann)

    assert json.loads(first) == {"type": "init", "client_id": ann.client_id}
    assert second == "hello"
    assert core.hub.connections == {ann.client_id: ann}
    assert (len(core.clients.pending), len(core.clients.unbound)) == (0, 1)


def test_without_init_messages_who_is_let_in_is_told_nothing() -> None:
    """As one that is let in at once."""
    core, _, ann = waiting_at_the_door()
    core.clients.admit(ann)

    assert core.received(ann) == []


def test_clients_are_listed_in_the_order_in_which_they_were_let_in() -> None:
    """Their times are in the order of the hub, which pages of connections rely on."""
    core, doorkeeper, first = waiting_at_the_door()
    pipe = Pipe(core.lines)
    core.clients.opened(pipe, request())
    second: Connection = pipe.connection
    core.clients.admit(second)
    core.clients.admit(first)

    assert list(core.hub.connections.values()) == [second, first]
    assert second.opened_at < first.opened_at
    assert len(doorkeeper.told) == 2


def test_who_is_refused_is_closed_and_not_spoken_of_again() -> None:
    """The client is told why; its destination knows, and hears nothing of its end."""
    core, doorkeeper, ann = waiting_at_the_door()
    core.clients.refuse(ann, "no ticket")
    core.clients.refuse(ann, "twice")

    assert not core.clients.admit(ann)
    assert core.received(ann) == ["!3500 no ticket"]

    core.clients.cut_ending()
    assert pipe_of(ann).aborted is not None

    core.clients.lost(ann.edge, close_codes.REFUSED.reason("no ticket"))

    assert doorkeeper.told == [f"{ann.client_id} came from 203.0.113.7"]
    assert core.clients.counters.closed == {"refused": 1}


def test_a_destination_may_refuse_at_once() -> None:
    """From within the call in which it is told of the client."""

    class Refusing(Doorkeeper):
        def opened(self, connection: Connection, request: ConnectRequest, now: float) -> bool:
            core.clients.refuse(connection, "closed today")
            return super().opened(connection, request, now)

    refusing = Refusing()
    core = Pipes(choose=lambda _: refusing)
    pipe = Pipe(core.lines)
    core.clients.opened(pipe, request())

    assert pipe.goodbyes == [(3500, "closed today")]
    assert not core.clients.pending


def test_a_refusal_that_cannot_be_sent_changes_nothing() -> None:
    """The caller is told, and the client still waits."""
    core, _, ann = waiting_at_the_door()
    with pytest.raises(ValueError, match="is 124 bytes"):
        core.clients.refuse(ann, "x" * 124)

    assert core.clients.admit(ann)


@pytest.mark.parametrize("how", ["leaves", "is sent away", "is cut", "closes"])
def test_who_ends_before_it_was_let_in_stays_out(how: str) -> None:
    """A decision that comes too late changes nothing, and the destination is told of the end."""
    core, doorkeeper, ann = waiting_at_the_door()
    if how == "is sent away":
        core.clients.send_away(ann)
    elif how == "is cut":
        core.clients.destroy(ann)
    elif how == "closes":
        core.clients.ending(ann.edge)
    if how != "leaves":
        core.clients.refuse(ann, "too late")
        assert not core.clients.admit(ann)
    core.clients.lost(ann.edge, close_codes.CONNECTION_LOST.reason())

    assert not core.clients.admit(ann)

    core.clients.refuse(ann, "too late")

    assert not core.hub.connections
    assert (len(core.clients.pending), core.clients.sockets) == (0, 0)
    assert doorkeeper.told[1:] == ["1006 connection_lost"]
