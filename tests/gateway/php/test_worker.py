"""BusinessWorkers of PHP as workers of the router, over real sockets."""

import logging
import socket
import sys
from typing import Final, cast

import pytest

from gateway.connection import Connection
from gateway.holding import CLIENT_CREDIT_BYTES
from gateway.php.frames import Command, Frame
from gateway.php.worker import BLOCKING_TIME, PING_INTERVAL
from gateway_wire.aio.link import AioLink
from gateway_wire.commands import ClientAssigned, ClientMessage, SetSession
from gateway_wire.limits import EVENT_CREDIT
from tests.gateway.php.worker_peer import PhpWorkerPeer, Served, kinds, served
from tests.gateway.support import pipe_of, turns_until
from tests.gateway.worker_end import WorkerEnd

PIECE: Final = 128 * 1024
"""Bytes of a message; some of them fill what the kernel takes."""


def number_of(connection: Connection) -> int:
    """Give a client's connection id."""
    return int(connection.client_id[-8:], 16)


def link_of(client: Connection) -> AioLink:
    """Give the link of a client's worker."""
    assert client.worker is not None
    return cast("AioLink", client.worker.link)


async def stuff(core: Served, client: Connection) -> int:
    """Let a client send until its worker, which does not read, is sent no more; return how often."""
    link = link_of(client)
    count = 0
    while pipe_of(client).is_reading:
        core.say(client, b"%08d" % count + bytes(PIECE - 8))
        count += 1
        await turns_until(lambda: link.is_backed_up or not core.router.unacked)
    return count


# A client's life


async def test_a_clients_life_reaches_its_worker_in_order() -> None:
    """It comes, opens its websocket, speaks and ends; each event is finished when it is written."""
    async with served() as core, PhpWorkerPeer(core.address) as worker:
        await core.taking(1)
        ann = core.connect()
        core.say(ann, "text", b"\x00\xff")
        core.end(ann)
        frames = await worker.told(5)

        assert [(each.command, each.connection_id) for each in frames] == [
            (Command.ON_CONNECT, 2),
            (Command.ON_WEBSOCKET_CONNECT, 2),
            (Command.ON_MESSAGE, 2),
            (Command.ON_MESSAGE, 2),
            (Command.ON_CLOSE, 2),
        ]
        assert [each.body for each in frames[2:]] == [b"text", b"\x00\xff", b""]

        await core.finished()

        assert core.sums() == (4, 4, 0, 0, 0)
        assert ann.worker is None


async def test_a_worker_answers_on_its_link() -> None:
    """What it sends is executed there, and pings of its own mean nothing."""
    async with served() as core, PhpWorkerPeer(core.address) as worker:
        await core.taking(1)
        ann = core.connect()
        hello = Frame(Command.SEND_TO_ONE, number_of(ann), body=b"hello")
        bind = Frame(Command.BIND_UID, number_of(ann), b"ann")
        await worker.say(Frame(Command.PING), bind, hello)
        await turns_until(lambda: ann.uid == "ann" and pipe_of(ann).received)

        assert core.received(ann) == ["hello"]


async def test_a_session_comes_with_each_event_and_goes_back() -> None:
    """As it is when the event is sent, whoever has changed it; what PHP wrote comes back to the byte."""
    session = b'a:2:{s:5:"count";i:1;s:1:"x";d:0.1;}'
    async with served() as core, PhpWorkerPeer(core.address) as worker:
        await core.taking(1)
        ann = core.connect()
        assert [each.ext for each in await worker.told(2)] == [b"", b""]
        await worker.say(Frame(Command.SET_SESSION, number_of(ann), session))
        await turns_until(lambda: ann.session)
        assert ann.session == {"count": 1, "x": 0.1}
        core.say(ann, "one")
        assert (await worker.next()).ext == session

        core.execute(SetSession(ann.client_id, {"from": "python"}))
        core.say(ann, "two")
        core.end(ann)

        expected = b'a:1:{s:4:"from";s:6:"python";}'
        assert [each.ext for each in await worker.told(2)] == [expected] * 2


# Beside others


async def test_php_workers_and_ours_share_the_clients() -> None:
    """Each gets its half, in its own words."""
    async with served() as core, PhpWorkerPeer(core.address) as php:
        await core.taking(1)
        ours = WorkerEnd(core.now)
        core.router.take(ours.worker(), lambda: None, core.now)
        clients = [core.connect() for _ in range(4)]

        assert len(ours.events()) == 2
        assert {each.connection_id for each in await php.told(4)} < set(map(number_of, clients))


async def test_clients_of_a_worker_that_is_gone_move() -> None:
    """Also to one of ours, which is told who they are and what their session holds."""
    async with served() as core, PhpWorkerPeer(core.address) as php:
        await core.taking(1)
        ann = core.connect()
        await php.told(2)
        await php.say(Frame(Command.SET_SESSION, number_of(ann), b'a:1:{s:1:"a";i:1;}'))
        await turns_until(lambda: ann.session)
        php.close()
        await core.taking(0)
        ours = WorkerEnd(core.now)
        core.router.take(ours.worker(), lambda: None, core.now)
        core.say(ann, "hello")

        assert ours.told() == [
            ClientAssigned(ann.client_id, {"a": 1}, "203.0.113.7", 4711, "public"),
            ClientMessage(2, ann.client_id, None, "hello"),
        ]
        assert core.sums() == (2, 1, 0, 1, 0)


async def test_what_waits_for_a_worker_reaches_the_first_that_comes() -> None:
    """Of what happens before the first ever came there are no events."""
    async with served() as core:
        ann = core.connect()
        async with PhpWorkerPeer(core.address) as first:
            await core.taking(1)
            first.close()
            await core.taking(0)
        core.say(ann, "waits")
        async with PhpWorkerPeer(core.address) as worker:
            assert (await worker.next()).body == b"waits"


# Workers that do not read


async def test_a_worker_that_does_not_read_is_not_sent_more_than_its_share() -> None:
    """Its client is not read from meanwhile; when it reads again nothing is missing, all in order."""
    async with served() as core, PhpWorkerPeer(core.address) as worker:
        await core.taking(1)
        ann = core.connect()
        count = await stuff(core, ann)

        assert 0 < core.router.unacked <= EVENT_CREDIT
        assert core.router.unacked * PIECE <= CLIENT_CREDIT_BYTES + PIECE
        assert core.router.paused == 1

        frames = await worker.told(2 + count)
        await core.finished()

        assert [each.body[:8] for each in frames[2:]] == [b"%08d" % each for each in range(count)]
        assert core.sums() == (1 + count, 1 + count, 0, 0, 0)
        assert pipe_of(ann).is_reading


async def test_what_was_not_written_is_lost_with_the_link() -> None:
    """And counted; what was written is not, and what waited moves on."""
    async with served() as core, PhpWorkerPeer(core.address) as worker:
        await core.taking(1)
        count = await stuff(core, core.connect())
        unwritten, held = core.router.unacked, core.router.held
        worker.close()
        await core.taking(0)

        assert core.sums() == (1 + count, 1 + count - unwritten - held, unwritten, 0, held)


async def test_a_worker_that_reads_counts_as_heard() -> None:
    """However long it has said nothing: it has no pings. One that does not read has its last word."""
    async with served() as core, PhpWorkerPeer(core.address) as worker:
        await core.taking(1)
        core.now += 1e6
        ann = core.connect()
        assert ann.worker is not None
        sink = ann.worker.sink
        quiet = WorkerEnd(core.now - 100)
        core.router.take(quiet.worker(), lambda: None, core.now)
        core.connect()

        assert quiet.events() == []

        await worker.told(4)
        await stuff(core, ann)

        assert sink.last_heard < core.now
        assert "not written" in repr(sink)


@pytest.mark.skipif(sys.platform != "linux", reason="others have no such option")
async def test_a_worker_whose_handler_blocks_keeps_its_link() -> None:
    """The kernel would take it for dead after 20 seconds, with all that it has not read."""
    async with served() as core, PhpWorkerPeer(core.address):
        await core.taking(1)
        link = link_of(core.connect())
        sock = link._transport.get_extra_info("socket")  # type: ignore[union-attr]

        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == BLOCKING_TIME * 1000


# Links


async def test_a_second_worker_of_the_same_name_takes_the_place_of_the_first(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The first one's link is closed, with a word in the log; its clients move."""
    async with served() as core, PhpWorkerPeer(core.address) as first:
        await core.taking(1)
        ann = core.connect()
        await first.told(2)
        async with PhpWorkerPeer(core.address) as second:
            assert await first.ended() == []
            await core.taking(1)
            core.say(ann, "hello")
            assert (await second.next()).body == b"hello"
        await core.taking(0)

    assert "says that it is 127.0.0.1:Business:0, the first one's link is closed" in caplog.text


async def test_a_worker_that_is_replaced_and_does_not_read_is_cut() -> None:
    """What it was not sent for want of reading is lost, and does not keep its clients from moving."""
    async with served() as core, PhpWorkerPeer(core.address):
        await core.taking(1)
        await stuff(core, core.connect())
        async with PhpWorkerPeer(core.address) as second:
            assert kinds(await second.told(1)) == [Command.ON_MESSAGE]
            await core.finished()


async def test_workers_of_other_names_or_numbers_stand_beside_each_other() -> None:
    """All take clients; the log knows them by name, machine and number."""
    async with (
        served() as core,
        PhpWorkerPeer(core.address, "A:0"),
        PhpWorkerPeer(core.address, "A:1"),
        PhpWorkerPeer(core.address, "B:C:0"),
    ):
        await core.taking(3)
        clients = [core.connect() for _ in range(3)]

        names = {"A@127.0.0.1#0", "A@127.0.0.1#1", "B:C@127.0.0.1#0"}
        assert {str(each.worker) for each in clients} == names
        assert "127.0.0.1:B:C:0" in repr(core.workers)


@pytest.mark.parametrize("key", ["", "nameless", ":1", "a:b", "x\n:1", "x" * 127 + ":1"])
async def test_a_key_that_is_none_ends_the_link(key: str, caplog: pytest.LogCaptureFixture) -> None:
    """With one line in the log."""
    async with served() as core, PhpWorkerPeer(core.address, key) as worker:
        assert await worker.ended() == []
        assert core.router.workers == 0

    assert "WORKER_CONNECT has the worker_key" in caplog.text
    assert caplog.text.count("\n") == 1


async def test_saying_hello_twice_ends_the_link(caplog: pytest.LogCaptureFixture) -> None:
    """Such a worker has lost its way."""
    async with served() as core, PhpWorkerPeer(core.address) as worker:
        await core.taking(1)
        await worker.say_hello()
        assert await worker.ended() == []
        await core.taking(0)

    assert "this link takes events already" in caplog.text


async def test_a_worker_with_another_secret_key_gets_no_events(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One with the right one does."""
    async with served("right") as core:
        async with PhpWorkerPeer(core.address, secret_key="wrong") as worker:
            assert await worker.ended() == []
        assert core.router.workers == 0
        assert "$secretKey" in caplog.text
        async with PhpWorkerPeer(core.address, secret_key="right"):
            await core.taking(1)


async def test_a_worker_that_hangs_up_at_once_is_none(caplog: pytest.LogCaptureFixture) -> None:
    """Its hello is read, and then its end."""
    caplog.set_level(logging.INFO)
    async with served() as core:
        for _ in range(10):
            async with PhpWorkerPeer(core.address) as worker:
                worker.close()
        await turns_until(lambda: not core.backend.links and not core.router.workers)

        assert repr(core.workers) == "<PhpWorkers >"


async def test_workers_are_pinged() -> None:
    """Again and again while there are any, and anew when one comes after a time without."""
    async with served(ping_interval=0.01) as core:
        for _ in range(2):
            async with PhpWorkerPeer(core.address) as worker:
                assert kinds(await worker.told(3)) == [Command.PING] * 3
            await core.taking(0)

    assert PING_INTERVAL == 25
