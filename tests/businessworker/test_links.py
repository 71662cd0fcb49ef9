"""All links of a worker, over real sockets: registers come and go, gateways come and go."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from businessworker.links import Links
from gateway_client.calls import get_all_client_count
from gateway_client.config import Config
from gateway_process.errors import StartupError
from gateway_wire import commands as wire
from gateway_wire.addresses import Address
from gateway_wire.commands import TakeEvents
from tests.businessworker.peers import Peers, RecordingReceiver, message, peers
from tests.businessworker.stage import assigned
from tests.gateway_client.peers import FakeGateway, FakeRegister
from tests.support.cluster import closed_address

TAKE = TakeEvents("shop", 3)
NOBODY = Address.parse(closed_address())


@pytest.fixture
def there() -> Iterator[Peers]:
    """A register and its gateways."""
    with peers() as running:
        yield running


@pytest.fixture
def receiver() -> RecordingReceiver:
    """Who takes the events."""
    return RecordingReceiver()


@pytest.fixture
async def links(there: Peers) -> AsyncIterator[Links]:
    """Links that have heard the register."""
    made = Links(Config((there.register.address,)), TAKE)
    await made.start()
    yield made
    await made.close()


async def has(peer: FakeGateway | FakeRegister, command: wire.Command, count: int = 1) -> None:
    """Wait until a peer was told something so many times."""
    await asyncio.to_thread(peer.wait_for, lambda: peer.received.count(command) >= count)


async def test_every_announced_gateway_is_asked_for_events(
    there: Peers, links: Links, receiver: RecordingReceiver
) -> None:
    """Those that are there are asked before it is ready, one that is announced later at once."""
    await links.take_events(receiver)
    assert there.gateway.commands(TakeEvents) == [TAKE]
    there.register.tell(there.gateway, there.other)
    await has(there.other, TAKE)
    there.other.emit(assigned("a"), message(1, "a"))
    source, commands = await receiver.received.get()
    assert source.name == str(there.other.address)
    assert len(commands) == 2
    assert [each.events for each in links.gateways] == [0, 1]
    assert repr(links) == "<Links to 2 of 2 gateways>"


@pytest.fixture
async def early(there: Peers) -> AsyncIterator[Links]:
    """Links that have heard a register which has just started and knows nobody."""
    there.register.tell(settling=True)
    made = Links(Config((there.register.address,)), TAKE)
    await made.start()
    yield made
    await made.close()


async def test_while_registers_settle_the_first_gateway_is_waited_for(
    there: Peers, early: Links, receiver: RecordingReceiver
) -> None:
    """Who starts with everything else is ready once that gateway sends events."""
    taking = asyncio.create_task(early.take_events(receiver))
    await asyncio.sleep(0)
    assert not taking.done()
    there.register.tell(there.gateway, settling=True)
    await taking
    assert repr(early) == "<Links to 1 of 1 gateways>"


async def test_a_register_that_has_settled_without_gateways_is_believed(
    there: Peers, early: Links, receiver: RecordingReceiver
) -> None:
    """A worker may be ready before the first gateway exists; it is asked when it comes."""
    taking = asyncio.create_task(early.take_events(receiver))
    there.register.tell()
    await taking
    assert early.gateways == ()
    there.register.tell(there.gateway)
    await has(there.gateway, TAKE)


async def test_calls_use_the_same_link_as_events(
    there: Peers, links: Links, receiver: RecordingReceiver
) -> None:
    """A gateway sees one link of the worker, before and after it asks for events."""
    there.gateway.connect()
    assert await links.engine.run(get_all_client_count()) == 1
    await links.take_events(receiver)
    assert await links.engine.run(get_all_client_count()) == 1
    assert there.gateway.openings == 1


async def test_a_gateway_that_is_down_does_not_keep_the_worker_from_starting(
    there: Peers, links: Links, receiver: RecordingReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """It counts as asked when it could not be reached once, and is asked when it is back."""
    there.other.stop()
    there.register.tell(there.gateway, there.other)
    await links.take_events(receiver)
    await asyncio.to_thread(there.other.start)
    await has(there.other, TAKE)
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert warnings
    assert all("could not be reached" in each for each in warnings)


async def test_a_gateway_is_dialled_until_every_register_has_dropped_it(
    there: Peers, links: Links, receiver: RecordingReceiver
) -> None:
    """While its link lives it is kept; when that ends it is forgotten, and its clients with it."""
    await links.take_events(receiver)
    there.register.tell(there.gateway, there.other)
    await has(there.other, TAKE)
    there.other.emit(assigned("a"))
    source, _ = await receiver.received.get()
    there.register.tell(there.gateway)
    await has(there.register, wire.Watch())
    assert len(links.gateways) == 2
    there.other.stop()
    assert await receiver.lost.get() is source
    assert [each.address for each in links.gateways] == [there.gateway.address]


async def test_a_gateway_that_announces_itself_anew_replaces_what_was_there(
    there: Peers, links: Links, receiver: RecordingReceiver
) -> None:
    """Another node at the same address gets a link of its own, the old one is closed."""
    await links.take_events(receiver)
    (old,) = links.gateways
    there.gateway.node_id = "cccccccccccc"
    there.register.tell(there.gateway)
    await has(there.gateway, TAKE, 2)
    (new,) = links.gateways
    assert new is not old
    assert new.node.node_id == "cccccccccccc"


async def test_a_lost_register_costs_nothing(
    there: Peers, links: Links, receiver: RecordingReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Events go on, the log says what to do once, and a register that is back is watched again."""
    await links.take_events(receiver)
    there.register.stop()
    there.gateway.emit(assigned("a"))
    await receiver.received.get()
    assert len(links.gateways) == 1
    await asyncio.to_thread(there.register.start)
    there.register.tell(there.gateway, there.other)
    await has(there.other, TAKE)
    messages = [each.getMessage() for each in caplog.records]
    assert len(messages) == len(set(messages))


async def test_it_waits_for_a_register_and_says_so(
    there: Peers, receiver: RecordingReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a register the worker waits, with the remedy in its log."""
    there.register.stop()
    links = Links(Config((there.register.address,)), TAKE)
    starting = asyncio.create_task(links.start())
    while not caplog.records:  # noqa: ASYNC110 - a turn of the loop, no polling of others
        await asyncio.sleep(0)
    assert "start it with `register start`" in caplog.text
    assert not starting.done()
    await asyncio.to_thread(there.register.start)
    await starting
    await links.take_events(receiver)
    assert there.gateway.commands(TakeEvents) == [TAKE]
    await links.close()


async def test_one_register_of_several_is_enough(there: Peers, receiver: RecordingReceiver) -> None:
    """A register that is down does not keep the worker from starting."""
    links = Links(Config((NOBODY, there.register.address)), TAKE)
    await links.start()
    await links.take_events(receiver)
    assert len(links.gateways) == 1
    await links.close()


async def test_a_wrong_key_ends_the_start() -> None:
    """When every register refuses the key, waiting would not mend it."""
    with peers(secret_key="right") as there:
        links = Links(Config((there.register.address,), "wrong"), TAKE)
        with pytest.raises(StartupError, match="refuses this worker"):
            await links.start()
        await links.close()


async def test_the_right_key_opens_every_link(receiver: RecordingReceiver) -> None:
    """With the cluster's key register and gateway let the worker in."""
    with peers(secret_key="right") as there:
        links = Links(Config((there.register.address,), "right"), TAKE)
        await links.start()
        await links.take_events(receiver)
        assert there.gateway.commands(TakeEvents) == [TAKE]
        await links.close()


async def test_leaving_waits_for_every_gateway(
    there: Peers, links: Links, receiver: RecordingReceiver
) -> None:
    """It is over when the last has answered; a lost link counts as answered."""
    there.register.tell(there.gateway, there.other)
    await links.take_events(receiver)
    await has(there.other, TAKE)
    there.gateway.holds = there.other.holds = True
    leaving = asyncio.create_task(links.leave())
    await has(there.gateway, wire.LeaveEvents())
    await has(there.other, wire.LeaveEvents())
    there.gateway.let_go()
    assert not leaving.done()
    there.other.cut_links()
    await leaving
    await has(there.other, wire.TakeEvents("shop", 3))
    assert there.other.commands(TakeEvents) == [TAKE]


async def test_closing_says_everything_that_was_given_before(
    there: Peers, links: Links, receiver: RecordingReceiver
) -> None:
    """What a handler sent in its last moment arrives."""
    await links.take_events(receiver)
    there.gateway.emit(assigned("a"), message(1, "a"))
    source, _ = await receiver.received.get()
    source.acknowledge([1])
    await links.close()
    await has(there.gateway, wire.Acknowledge([1]))
    assert "stopping" not in links.engine.registers.failures


async def test_a_forked_child_does_not_hold_the_links(
    there: Peers, links: Links, receiver: RecordingReceiver
) -> None:
    """The gateway sees the worker's link end while a child that was forked before lives on."""
    await links.take_events(receiver)
    ready, tell = os.pipe()
    wait, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(tell, b"!")
        os.read(wait, 1)
        os._exit(0)
    try:
        os.read(ready, 1)
        await links.close()
        await asyncio.to_thread(there.gateway.wait_for, lambda: there.gateway.links() == 0)
    finally:
        os.write(go, b"!")
        await asyncio.to_thread(os.waitpid, child, 0)
        for each in (ready, tell, wait, go):
            os.close(each)
