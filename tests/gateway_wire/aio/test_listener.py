"""Accepting links, keeping account of them, and closing them all."""

import pytest

from gateway_wire.aio.dialer import dial
from gateway_wire.aio.listener import LinkListener
from gateway_wire.commands import Role
from gateway_wire.errors import AuthenticationFailed, ErrorCode, LinkRefused
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
