"""Dialling: one attempt, and a link that is kept."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway_wire.addresses import Address
from gateway_wire.aio.dialer import KeptLink, dial
from gateway_wire.aio.link import LinkLost
from gateway_wire.commands import Reply, Role, SendToAll
from gateway_wire.errors import AuthenticationFailed, ErrorCode, LinkRefused, RemoteProtocolError
from gateway_wire.link import Link
from gateway_wire.state import Side
from tests.support.links import Owner, address_of, bound, party, serving

CLIENT = party(Role.CLIENT)


class Failures:
    """What a kept link reports besides its events."""

    def __init__(self) -> None:
        self.errors: asyncio.Queue[Exception] = asyncio.Queue()

    def __call__(self, _: KeptLink, error: Exception) -> None:
        """Take one."""
        self.errors.put_nowait(error)


@asynccontextmanager
async def kept(
    address: Address, key: str = "", **times: float
) -> AsyncIterator[tuple[KeptLink, Owner, Failures]]:
    """Keep a link until the end of the test."""
    owner, failures = Owner(), Failures()
    link = KeptLink(address, CLIENT, key, owner, failures, **times)
    link.start()
    try:
        yield link, owner, failures
    finally:
        was_open = link.link is not None
        await link.stop()
        if was_open:
            await owner.ended.wait()


def nobody() -> Address:
    """Give an address at which nothing listens."""
    with bound() as sock:
        return address_of(sock)


@asynccontextmanager
async def silent_server() -> AsyncIterator[tuple[Address, asyncio.Queue[bytes]]]:
    """Accept connections and never answer; tells the first bytes of each, and of its end."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heard.put_nowait(await reader.read(1))
            heard.put_nowait(await reader.read())
        except ConnectionResetError:
            heard.put_nowait(b"")
        finally:
            writer.close()

    server = await asyncio.start_server(listen, sock=bound())
    async with server:
        yield address_of(server.sockets[0]), heard


# One attempt


@pytest.mark.parametrize("key", ["", "of the cluster"])
async def test_a_dialled_link_is_open(key: str) -> None:
    """When `dial` returns, the hello is finished and the owner knows."""
    owner = Owner()
    async with serving(Role.GATEWAY, key) as (address, _):
        link = await dial(address, CLIENT, key, owner)

        assert link.is_open
        assert owner.links.get_nowait() is link
        link.abort(LinkLost("over"))
        await owner.ended.wait()


async def test_nobody_there_is_refused() -> None:
    """A closed port is an OSError; the owner is told nothing."""
    owner = Owner()
    with pytest.raises(ConnectionRefusedError):
        await dial(nobody(), CLIENT, "", owner)

    assert owner.links.empty()
    assert owner.reasons.empty()


async def test_a_silent_server_times_out() -> None:
    """Connecting and hello have one deadline; the connection is ended, and the owner told nothing."""
    owner = Owner()
    async with silent_server() as (address, heard):
        with pytest.raises(TimeoutError):
            await dial(address, CLIENT, "", owner, timeout=0.02)
        await heard.get()
        await heard.get()

    assert owner.reasons.empty()


async def test_a_wrong_key_is_raised() -> None:
    """The peer's refusal comes out as what it is."""
    async with serving(Role.GATEWAY, "right") as (address, owner):
        with pytest.raises(AuthenticationFailed, match="is not that of this gateway"):
            await dial(address, CLIENT, "wrong", Owner())
        assert isinstance(await owner.reasons.get(), AuthenticationFailed)


async def test_a_goodbye_with_the_welcome_is_a_refusal() -> None:
    """A link that a stopping peer opens and ends in one breath was never open to its owner."""

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        core = Link(Side.ACCEPTOR, party(Role.GATEWAY))
        while not core.is_closed:
            core.receive_data(await reader.read(65_536))
            if core.is_open:
                core.say_goodbye(ErrorCode.STOPPING, "stopping")
            writer.write(core.data_to_send())
        writer.close()
        await writer.wait_closed()

    owner = Owner()
    async with await asyncio.start_server(leave, sock=bound()) as server:
        with pytest.raises(LinkRefused, match="stopping"):
            await dial(address_of(server.sockets[0]), CLIENT, "", owner)
    assert owner.links.empty()


async def test_a_cancelled_attempt_leaves_no_connection() -> None:
    """Who gives up dialling ends the connection that was made for it."""
    async with silent_server() as (address, heard):
        attempt = asyncio.create_task(dial(address, CLIENT, "", Owner()))
        await heard.get()  # the hello
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await heard.get()


# A link that stays


async def test_a_kept_link_opens_and_serves() -> None:
    """Its owner is told of the link, of what arrives, and of its end."""
    async with serving(Role.GATEWAY) as (address, server):
        async with kept(address) as (link, owner, _):
            opened = await owner.links.get()
            assert link.link is opened
            assert repr(link) == f"<KeptLink {address} open>"
            opened.send(SendToAll("x"), 1)
            await server.envelopes.get()
            (await server.links.get()).send(Reply(1), 1)

            assert await owner.envelopes.get() == (Reply(1), 1, None)
        reason = await server.reasons.get()
        assert isinstance(reason, LinkRefused)
        assert reason.code == "stopping"


async def test_a_kept_link_is_dialled_again_when_it_ends() -> None:
    """A goodbye of the peer, and a lost connection, are followed by a new link."""
    async with serving(Role.GATEWAY) as (address, server), kept(address) as (link, owner, failures):
        for ending in ("goodbye", "cut"):
            first = await owner.links.get()
            accepted = await server.links.get()
            if ending == "goodbye":
                accepted.close(ErrorCode.STOPPING, "restarting")
            else:
                accepted.abort(LinkLost("cut"))
            reason = await owner.reasons.get()
            assert await failures.errors.get() is reason

            again = await owner.links.get()
            assert again is not first
            assert link.link is again
            assert link.failure is None
            owner.links.put_nowait(again)


async def test_a_kept_link_waits_for_its_peer() -> None:
    """Each failed attempt is reported, and the link opens when somebody is there."""
    address = nobody()
    async with kept(address) as (link, owner, failures):
        for _ in range(2):
            assert isinstance(await failures.errors.get(), ConnectionRefusedError)
        assert isinstance(link.failure, ConnectionRefusedError)
        assert str(link.failure) in repr(link)
        async with serving(Role.GATEWAY, port=address.port):
            await owner.links.get()
            assert link.failure is None


async def test_a_kept_link_goes_on_after_a_refusal() -> None:
    """A wrong key is reported and tried again: the peer may be restarted with the right one."""
    async with (
        serving(Role.GATEWAY, "right") as (address, _),
        kept(address, "wrong") as (_link, _, failures),
    ):
        for _ in range(2):
            assert isinstance(await failures.errors.get(), AuthenticationFailed)


async def test_a_frozen_peer_is_noticed() -> None:
    """A link on which nothing is heard any more, in spite of pings, is cut and dialled again."""
    async with (
        serving(Role.GATEWAY) as (address, server),
        kept(address, ping_interval=0.01, silence=0.05) as (_link, owner, failures),
    ):
        await owner.links.get()
        (await server.links.get()).pause_reading()

        reason = await failures.errors.get()

        assert "was silent for 0.05 s" in str(reason)
        await owner.links.get()


async def test_a_silence_of_our_own_making_does_not_count() -> None:
    """When this side stood still, what the peer said meanwhile is read before it is judged."""
    async with (
        serving(Role.GATEWAY) as (address, server),
        kept(address, ping_interval=0.05, silence=0.1) as (link, owner, failures),
    ):
        opened = await owner.links.get()
        accepted = await server.links.get()
        stands_until = time.monotonic() + 0.3
        while time.monotonic() < stands_until:
            pass
        for number in range(3):
            accepted.send(Reply(), number + 1)
            await owner.envelopes.get()
        assert failures.errors.empty()
        assert link.link is opened


async def test_a_link_may_be_ended_without_waiting() -> None:
    """The owner is told when it has, and nothing is dialled any more."""
    async with serving(Role.GATEWAY) as (address, server), kept(address) as (link, owner, _):
        await owner.links.get()
        await server.links.get()
        link.retire(text="done")
        link.retire()
        assert str(await server.reasons.get()) == "done (stopping)"
        await owner.ended.wait()
        assert link.link is None
    async with kept(nobody()) as (link, _owner, _failures):
        link.retire()


async def test_pings_keep_a_link_alive() -> None:
    """A peer that answers pings is never silent."""
    async with (
        serving(Role.GATEWAY) as (address, server),
        kept(address, ping_interval=0.001, silence=3600.0) as (link, owner, failures),
    ):
        await owner.links.get()
        accepted = await server.links.get()
        accepted.send(Reply(), 1)
        await owner.envelopes.get()
        assert failures.errors.empty()
        assert link.link is not None


async def test_a_stopped_link_stays_stopped() -> None:
    """Stopping says goodbye, dials no more, and may be done twice and before the first success."""
    async with serving(Role.GATEWAY) as (address, server), kept(address) as (link, owner, _):
        await owner.links.get()
        await link.stop(ErrorCode.STOPPING, "the client is done")
        await link.stop()
        reason = await server.reasons.get()
        assert str(reason) == "the client is done (stopping)"
        assert link.link is None
        await owner.ended.wait()
    async with kept(nobody()):
        pass


async def test_what_is_no_gateway_is_reported() -> None:
    """Another protocol on the port is a protocol error each time."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, sock=bound())
    async with server, kept(address_of(server.sockets[0])) as (_, _owner, failures):
        error = await failures.errors.get()

    assert isinstance(error, RemoteProtocolError)
    assert "another protocol" in str(error)
