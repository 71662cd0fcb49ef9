"""The life of clients, over real sockets and an edge that is not websocket."""

import asyncio
import json

import pytest

from gateway_wire import close_codes
from gateway_wire.close_codes import CloseReason
from tests.gateway.support import Pipes, pipe_of, running


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


async def test_messages_that_nobody_takes_are_counted() -> None:
    """A push-only gateway discards what clients send, and says how much."""
    async with running() as core:
        connection, peer = await core.connect()
        await peer.send("one")
        await peer.send("three")
        await peer.send("bye")
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


async def test_closing_sends_what_waits_then_the_last_message_then_goodbye() -> None:
    """The client is offline from the call on, and still receives everything."""
    async with running() as core:
        connection, peer = await core.connect()
        core.outbox.offer([connection], "one")
        core.clients.close(connection, "last", 4001, "enough")

        assert not core.hub.connections
        assert [await peer.line() for _ in range(3)] == ["one", "last", "!4001 enough"]

        await peer.send("bye")
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

        assert [await peer.line() for _ in range(1002)] == [*sent, "last", "!1000 "]


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


def test_a_code_that_cannot_be_sent_closes_nothing() -> None:
    """The caller is told, and the client stays."""

    async def attempt() -> None:
        async with running() as core:
            connection, _ = await core.connect()
            with pytest.raises(ValueError, match="1006"):
                core.clients.close(connection, "last", 1006, "")

            assert core.hub.connections
            assert not connection.pending

    asyncio.run(attempt())


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
    core.clients.lost(gone.edge, close_codes.CONNECTION_LOST.reason())
    for each in (stranger, ann, gone):
        core.clients.close_unbound(each)

    assert core.received(stranger) == ["!3502 never_bound"]
    assert core.received(ann) == core.received(gone) == []


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
