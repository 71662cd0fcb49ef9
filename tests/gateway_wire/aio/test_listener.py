"""Accepting links, keeping account of them, and closing them all."""

import pytest

from gateway_wire.aio.dialer import dial
from gateway_wire.aio.link import AioLink
from gateway_wire.aio.listener import Acceptor, LinkListener
from gateway_wire.commands import Role
from gateway_wire.errors import AuthenticationFailed, ErrorCode, LinkRefused
from gateway_wire.link import Link
from gateway_wire.state import Side
from tests.support.links import Dialler, Owner, address_of, bound, party


async def test_every_link_is_accounted_for() -> None:
    """Accepted links are listed until they end; the owner is told of each."""
    owner = Owner()
    listener = LinkListener(party(Role.GATEWAY), "", owner)
    sock = bound()
    await listener.start(sock)
    async with Dialler(address_of(sock)) as peers:
        for number in (1, 2, 3):
            await peers.dial(Role.CLIENT)
            assert await owner.links.get() in listener.links
            assert len(listener.links) == number
        assert repr(listener) == "<LinkListener of gateway, 3 links>"
    await listener.wait_closed()

    assert listener.links == set()
    assert owner.reasons.qsize() == 3
    listener.stop_accepting()


async def test_a_door_may_look_first() -> None:
    """What is accepted goes through it, and is served by `accept`."""
    owner = Owner()
    listener = LinkListener(party(Role.GATEWAY), "", owner)
    passed: list[AioLink] = []

    def door() -> AioLink:
        passed.append(listener.accept())
        return passed[-1]

    sock = bound()
    await listener.start(sock, door)
    async with Dialler(address_of(sock)) as peers:
        await peers.dial(Role.CLIENT)

        assert {await owner.links.get()} == listener.links == {*passed}
    await listener.wait_closed()
    listener.stop_accepting()


async def test_links_of_any_core_are_accepted() -> None:
    """An acceptor knows no protocol; the core of each link does."""
    owner = Owner()
    ours = party(Role.GATEWAY)
    acceptor = Acceptor(lambda: Link(Side.ACCEPTOR, ours), owner)
    sock = bound()
    await acceptor.start(sock)
    async with Dialler(address_of(sock)) as peers:
        await peers.dial(Role.CLIENT)

        assert {await owner.links.get()} == acceptor.links
        assert repr(acceptor) == "<Acceptor of 1 links>"
    await acceptor.wait_closed()
    acceptor.stop_accepting()


async def test_a_link_that_never_opened_is_told_once() -> None:
    """Who is refused in the hello is reported as closed, never as open."""
    owner = Owner()
    listener = LinkListener(party(Role.GATEWAY), "right", owner)
    sock = bound()
    await listener.start(sock)
    with pytest.raises(AuthenticationFailed):
        await dial(address_of(sock), party(Role.CLIENT), "wrong", Owner())
    await listener.wait_closed()

    assert owner.links.empty()
    assert isinstance(owner.reasons.get_nowait(), AuthenticationFailed)
    listener.stop_accepting()


async def test_stopping_refuses_the_next_and_keeps_the_others() -> None:
    """After `stop_accepting` nobody new comes in; open links go on until they are closed."""
    owner = Owner()
    listener = LinkListener(party(Role.GATEWAY), "", owner)
    listener.stop_accepting()  # harmless before the start
    sock = bound()
    address = address_of(sock)
    await listener.start(sock)
    async with Dialler(address) as peers:
        link, told = await peers.dial(Role.CLIENT)
        listener.stop_accepting()
        with pytest.raises(ConnectionRefusedError):
            await peers.dial(Role.CLIENT)
        assert link.is_open

        listener.close_links(ErrorCode.STOPPING, "the gateway is stopping")
        reason = await told.reasons.get()
        assert isinstance(reason, LinkRefused)
        assert reason.code == "stopping"
        await listener.wait_closed()
        await listener.wait_closed()
