"""A link on real sockets: opening, flowing, being held up, ending."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from gateway_wire.addresses import Address
from gateway_wire.aio.link import AioLink, LinkLost
from gateway_wire.commands import Goodbye, Ping, Reply, Role, SendToAll
from gateway_wire.errors import ErrorCode, LinkRefused, LocalProtocolError, RemoteProtocolError
from gateway_wire.frames import FrameDecoder, decode_body, encode_frame
from gateway_wire.limits import MAX_FRAME, MAX_UNSENT
from gateway_wire.link import Link
from gateway_wire.state import Side
from tests.support.links import Dialler, Owner, party, serving

MEBIBYTE = Reply(b"x" * 1024 * 1024)


@asynccontextmanager
async def linked(
    host: str = "127.0.0.1",
) -> AsyncIterator[tuple[tuple[AioLink, Owner], tuple[AioLink, Owner]]]:
    """Give a client's link to a gateway and the gateway's side of it, each with what it tells."""
    async with serving(Role.GATEWAY, host=host) as (address, owner), Dialler(address) as peers:
        client = await peers.dial(Role.CLIENT)
        yield client, (await owner.links.get(), owner)


class RawPeer:
    """A client on a plain socket, which reads only when a test tells it to."""

    def __init__(self, sock: socket.socket) -> None:
        self.core = Link(Side.DIALER, party(Role.CLIENT))
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    async def send(self) -> None:
        """Write what the core has queued."""
        await self._loop.sock_sendall(self._sock, self.core.data_to_send())

    async def read(self) -> bytes:
        """Read once."""
        return await self._loop.sock_recv(self._sock, 1 << 20)

    async def open(self) -> None:
        """Finish the hello."""
        await self.send()
        while not self.core.is_open:
            self.core.receive_data(await self.read())

    async def read_to_end(self) -> int:
        """Read until the other side closes; give the number of bytes."""
        size = 0
        with suppress(ConnectionResetError):
            while data := await self.read():
                size += len(data)
        return size


@asynccontextmanager
async def raw_peer(address: Address) -> AsyncIterator[RawPeer]:
    """Connect a raw client."""
    with socket.socket() as sock:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
        yield RawPeer(sock)


async def command(owner: Owner) -> object:
    """Give the next command that arrives."""
    return (await owner.envelopes.get()).command


def fill(link: AioLink) -> int:
    """Send replies until there is no room; give their number."""
    sent = 0
    while link.has_room():
        link.send(MEBIBYTE, 1)
        link.flush()
        sent += 1
    return sent


async def test_commands_flow_both_ways() -> None:
    """What one side sends its peer's owner is told, in order, with ids and options."""
    async with linked() as ((client, client_owner), (server, server_owner)):
        client.send(SendToAll("a"), 1)
        client.send(SendToAll("b"), 2, {"trace": "t"})
        assert await server_owner.envelopes.get() == (SendToAll("a"), 1, None)
        assert await server_owner.envelopes.get() == (SendToAll("b"), 2, {"trace": "t"})

        server.send_frame(encode_frame(Reply(3), 1))
        assert await client_owner.envelopes.get() == (Reply(3), 1, None)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_link_knows_its_peer(host: str) -> None:
    """Both sides know each other's address, in IPv4 and IPv6."""
    async with linked(host) as ((client, _), (server, _owner)):
        assert server.remote.startswith(f"[{host}]:" if ":" in host else f"{host}:")
        assert repr(client).startswith(f"<AioLink {client.remote} <Link dialler open with gateway")


async def test_any_byte_is_a_sign_of_life() -> None:
    """A ping moves the time at which the peer was last heard, and so does its answer."""
    async with linked() as ((client, client_owner), (server, server_owner)):
        client.last_heard = server.last_heard = 0.0
        client.send(Ping())
        server.send(Reply(), 1)
        await client_owner.envelopes.get()
        client.send(SendToAll("x"))
        await server_owner.envelopes.get()

        assert client.last_heard > 0
        assert server.last_heard > 0


async def test_what_is_sent_in_one_turn_leaves_together() -> None:
    """Commands wait for the end of the turn, unless somebody flushes."""
    async with linked() as ((client, _), (_server, server_owner)):
        client.send(SendToAll("a"))
        client.queue(SendToAll("b"), 0)
        assert client.core.unsent > 0
        client.flush()
        assert client.core.unsent == 0

        assert await command(server_owner) == SendToAll("a")
        assert await command(server_owner) == SendToAll("b")


async def test_what_is_queued_waits_for_a_flush() -> None:
    """Whoever answers many commands at a time decides when the answers leave."""
    async with linked() as ((_client, client_owner), (server, _)):
        server.queue(Reply(1), 1)
        assert server.core.unsent > 0
        server.flush()

        assert await command(client_owner) == Reply(1)


# The hello


async def test_a_stranger_who_says_nothing_is_told_to_go() -> None:
    """A hello that is not finished in time ends the link with a goodbye, and the owner is told."""
    async with (
        serving(Role.GATEWAY, hello_timeout=0.02) as (address, owner),
        raw_peer(address) as peer,
    ):
        (body,) = FrameDecoder(MAX_FRAME).feed(await peer.read())
        goodbye = decode_body(body).command
        reason = await owner.reasons.get()

        assert await peer.read() == b""
    assert isinstance(goodbye, Goodbye)
    assert goodbye.error == "timeout"
    assert isinstance(reason, RemoteProtocolError)
    assert reason.code is ErrorCode.TIMEOUT
    assert owner.links.empty()


async def test_a_finished_hello_stops_the_clock() -> None:
    """A link that opened in time lives on after the hello's timeout."""
    async with (
        serving(Role.GATEWAY, hello_timeout=0.3) as (address, owner),
        Dialler(address) as peers,
        raw_peer(address),
    ):
        link, _ = await peers.dial(Role.CLIENT)
        await owner.reasons.get()  # the silent one's clock, which began later, has run out
        link.send(SendToAll("alive"))

        assert await command(owner) == SendToAll("alive")


async def test_a_garbled_hello_is_answered_and_ended() -> None:
    """What is no hello gets a goodbye that says so."""
    async with serving(Role.GATEWAY) as (address, owner), raw_peer(address) as peer:
        await asyncio.get_running_loop().sock_sendall(peer._sock, b"\0\0\0\1\xc1")

        assert b"protocol" in await peer.read()
        assert isinstance(await owner.reasons.get(), RemoteProtocolError)


# Peers that do not read


async def test_a_peer_that_leaves_its_replies_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    """Over the bound it is not read any more, and after the timeout it is gone; memory is bounded."""
    async with (
        serving(Role.GATEWAY, unread_timeout=0.05) as (address, owner),
        raw_peer(address) as peer,
    ):
        await peer.open()
        link = await owner.links.get()
        fill(link)
        assert MAX_UNSENT <= link.unsent < MAX_UNSENT + 2 * MAX_FRAME
        peer.core.send(SendToAll("unread"))
        await peer.send()

        reason = await owner.reasons.get()

        assert isinstance(reason, RemoteProtocolError)
        assert reason.code is ErrorCode.TIMEOUT
        assert "bytes unread for 0.05 s" in caplog.text
        assert owner.envelopes.empty()
        assert not link.is_open


async def test_a_peer_that_reads_again_in_time_is_kept() -> None:
    """Once it has read, everything arrives, it is read again, and there is room."""
    async with serving(Role.GATEWAY) as (address, owner), raw_peer(address) as peer:
        await peer.open()
        link = await owner.links.get()
        sent = fill(link)
        writable = asyncio.Event()
        link.call_when_writable(lambda _: writable.set())
        peer.core.send(SendToAll("held up"))
        await peer.send()

        size = 0
        while size < sent * 1024 * 1024:
            size += len(await peer.read())
        await writable.wait()

        assert await command(owner) == SendToAll("held up")
        assert link.has_room()
        assert link.is_open


async def test_whoever_waits_for_a_peer_to_read_is_called_once() -> None:
    """However many wait, and however often each has asked."""
    async with serving(Role.GATEWAY) as (address, owner), raw_peer(address) as peer:
        await peer.open()
        link = await owner.links.get()
        assert not link.is_backed_up
        sent = fill(link)
        assert link.is_backed_up
        called: list[str] = []
        writable = asyncio.Event()

        def first(_: AioLink) -> None:
            called.append("first")

        def last(_: AioLink) -> None:
            called.append("last")
            writable.set()

        for each in (first, last, first):
            link.call_when_writable(each)
        size = 0
        while size < sent * 1024 * 1024:
            size += len(await peer.read())
        await writable.wait()

        assert called == ["first", "last"]
        assert not link.is_backed_up


async def test_an_owner_may_stop_reading() -> None:
    """Nothing is read from a paused peer until it is resumed; other links do not notice."""
    async with serving(Role.GATEWAY) as (address, owner), Dialler(address) as peers:
        paused, _ = await peers.dial(Role.CLIENT)
        server = await owner.links.get()
        other, _ = await peers.dial(Role.CLIENT)
        server.pause_reading()
        paused.send(SendToAll("later"))
        paused.flush()
        other.send(SendToAll("now"))
        assert await command(owner) == SendToAll("now")
        assert owner.envelopes.empty()

        server.resume_reading()

        assert await command(owner) == SendToAll("later")


async def test_unread_replies_hold_what_an_owner_resumes() -> None:
    """A peer that does not read its replies is not read, whatever its owner says."""
    async with serving(Role.GATEWAY) as (address, owner), raw_peer(address) as peer:
        await peer.open()
        link = await owner.links.get()
        link.pause_reading()
        fill(link)
        peer.core.send(SendToAll("held up"))
        await peer.send()
        link.resume_reading()
        async with Dialler(address) as peers:
            other, _ = await peers.dial(Role.CLIENT)
            other.send(SendToAll("now"))
            assert await command(owner) == SendToAll("now")
            assert owner.envelopes.empty()
        link.abort(LinkLost("the test is over"))


# Ending


async def test_closing_writes_what_was_sent_and_says_why() -> None:
    """The peer gets everything, then the goodbye; each owner is told exactly once."""
    async with linked() as ((client, client_owner), (server, server_owner)):
        server.send(MEBIBYTE, 1)
        server.close(ErrorCode.STOPPING, "the gateway is stopping")
        server.close(ErrorCode.STOPPING, "again")

        assert await command(client_owner) == MEBIBYTE
        reason = await client_owner.reasons.get()
        await server_owner.ended.wait()
        assert isinstance(reason, LinkRefused)
        assert reason.code == "stopping"
        assert client_owner.reasons.empty()
        assert server_owner.reasons.qsize() == 1
        for link in (client, server):
            assert not link.is_open
            assert link.unsent == 0
            with pytest.raises(LocalProtocolError):
                link.send(Ping())


async def test_aborting_keeps_the_reason() -> None:
    """The owner is told why its own side cut the link; the peer sees it lost."""
    async with linked() as ((client, client_owner), (_server, server_owner)):
        why = LinkLost("enough")
        client.abort(why)
        client.abort(LinkLost("later"))

        assert await client_owner.reasons.get() is why
        lost = await server_owner.reasons.get()
        assert isinstance(lost, LinkLost)
        assert "closed the connection" in str(lost)


async def test_an_ended_link_takes_no_orders() -> None:
    """Pausing, resuming, flushing, closing and aborting are harmless afterwards."""
    async with linked() as ((client, owner), _):
        client.abort(LinkLost("over"))
        await owner.ended.wait()

        client.pause_reading()
        client.resume_reading()
        client.flush()
        client.close(ErrorCode.STOPPING, "over")
        client.abort(LinkLost("over"))

        assert owner.reasons.qsize() == 1


@pytest.mark.skipif(sys.platform != "linux", reason="others have no such option")
async def test_an_owner_may_bear_with_a_peer_that_does_not_read() -> None:
    """The kernel then waits so long for it; on a link that has ended that is harmless."""
    async with linked() as ((link, owner), _):
        link.bear_with(60)
        sock = link._transport.get_extra_info("socket")  # type: ignore[union-attr]
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000

        link.abort(LinkLost("enough"))
        await owner.ended.wait()
        link.bear_with(60)
