"""What a source does that `test_gateway_link.py` does not show over real links: a gateway that does not read."""

from __future__ import annotations

import asyncio

import pytest

from businessworker.link_source import Answer, LinkSource
from gateway_wire.addresses import Address
from gateway_wire.aio.link import AioLink
from gateway_wire.commands import Command, Error, Reply, ReplyPart, Role, SendToClients
from gateway_wire.errors import RemoteProtocolError
from gateway_wire.frames import encode_frame
from gateway_wire.limits import MAX_UNSENT
from tests.support.links import Dialler, serving


class Counting:
    """The way to a gateway: counts what is said on it."""

    def __init__(self) -> None:
        self.address = Address("192.0.2.1", 2900)
        self.sent = self.lost = 0

    def request(self, link: AioLink, command: Command, settled: object) -> None:
        """Nobody asks here."""
        raise NotImplementedError

    def count_sent(self) -> None:
        """Count one."""
        self.sent += 1

    def count_lost(self) -> None:
        """Count one."""
        self.lost += 1


async def test_what_a_gateway_does_not_read_is_dropped_and_counted() -> None:
    """Above the bound of a link a command goes nowhere, and the worker's memory stays bounded."""
    frame = encode_frame(SendToClients(["a" * 32], "x" * 1024 * 1024))
    async with serving(Role.GATEWAY) as (address, gateway), Dialler(address) as dialler:
        link, _ = await dialler.dial(Role.WORKER)
        (await gateway.links.get()).pause_reading()
        way = Counting()
        source = LinkSource(way, link)
        while not way.lost:
            source.send_frame(frame)
            await asyncio.sleep(0)
        assert link.unsent < MAX_UNSENT + 2 * len(frame)
        assert (source.name, source.gateway_addr) == ("192.0.2.1:2900", "192.0.2.1")


def test_an_answer_is_a_reply_or_an_error() -> None:
    """Either is told and ends the request; part of an answer is the peer's mistake."""
    told: list[Error | None] = []
    answer = Answer(told.append)
    refusal = Error("too_large", "over it")
    assert answer.receive(Reply(True))
    assert answer.receive(refusal)
    assert told == [None, refusal]
    with pytest.raises(RemoteProtocolError, match="in place of an answer"):
        answer.receive(ReplyPart([]))
    answer.fail("the link was lost", sent=True)
    assert told == [None, refusal]
