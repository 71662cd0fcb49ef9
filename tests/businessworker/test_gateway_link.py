"""The link to one gateway, over real sockets: events in, everything else out, and what a loss means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from businessworker.gateway_link import GatewayLink, LinkState
from gateway_client.calls import get_all_client_count, send_to_all
from gateway_client.cluster import Cluster
from gateway_client.config import Config
from gateway_client.directory import Node
from gateway_client.tally import Losses, Request, Tally
from gateway_wire import commands as wire
from gateway_wire.commands import Role
from gateway_wire.errors import ErrorCode, GatewayError
from gateway_wire.frames import encode_frame
from gateway_wire.hello import Party, new_instance
from tests.businessworker.peers import (
    EventGateway,
    Peers,
    RecordingOwner,
    RecordingReceiver,
    message,
    peers,
)
from tests.businessworker.stage import assigned
from tests.gateway_client.peers import answer_with, refuse

TAKE = wire.TakeEvents("shop", 3)


@pytest.fixture
def there() -> Iterator[Peers]:
    """The other side."""
    with peers() as running:
        yield running


@pytest.fixture
def owner() -> RecordingOwner:
    """One who wants events from the start."""
    return RecordingOwner(Losses(), TAKE)


@pytest.fixture
async def link(there: Peers, owner: RecordingOwner) -> AsyncIterator[GatewayLink]:
    """A link that is being dialled."""
    made = link_to(there.gateway, owner)
    yield made
    await made.close()


def link_to(gateway: EventGateway, owner: RecordingOwner) -> GatewayLink:
    """Make a link; it dials at once."""
    node = Node(gateway.node_id, gateway.address, 1, ("n:" + gateway.node_id,))
    party = Party(Role.WORKER, new_instance())
    return GatewayLink(node, Cluster(Config((gateway.address,))), party, owner)


async def until(owner: RecordingOwner, state: LinkState) -> None:
    """Wait until the link's state was this."""
    while await owner.states.get() != state.name:
        pass


def receiver_of(owner: RecordingOwner) -> RecordingReceiver:
    """Give who takes the events."""
    assert owner.receiver is not None
    return owner.receiver


async def test_it_introduces_itself_and_takes_events_in_the_order_of_the_link(
    there: Peers, link: GatewayLink, owner: RecordingOwner
) -> None:
    """Name and number are told; what came together is handed over together."""
    await until(owner, LinkState.TAKING)
    assert there.gateway.commands(wire.TakeEvents) == [TAKE]
    assert (link.is_tried, link.is_taking, link.trouble) == (True, True, "")
    there.gateway.emit(assigned("a"), message(1, "a"), message(2, "a"))

    source, commands = await receiver_of(owner).received.get()

    assert commands == [assigned("a"), message(1, "a"), message(2, "a")]
    assert source.name == str(there.gateway.address)
    assert source.gateway_addr == "127.0.0.1"
    assert (link.events, link.unfinished) == (2, 2)
    source.acknowledge([1, 2])
    await asyncio.to_thread(
        there.gateway.wait_for, lambda: wire.Acknowledge([1, 2]) in there.gateway.received
    )
    assert (link.events, link.unfinished) == (2, 0)
    assert "taking events" in repr(link)
    assert "2 of 2 events finished" in repr(source)


async def test_what_a_handler_says_leaves_in_its_order(
    there: Peers, link: GatewayLink, owner: RecordingOwner
) -> None:
    """A command to the current client, one of a call, the patch and the acknowledgement."""
    await until(owner, LinkState.TAKING)
    there.gateway.connect()
    there.gateway.emit(assigned("a"), message(1, "a"))
    source, _ = await receiver_of(owner).received.get()
    said = len(there.gateway.received)
    settled: asyncio.Future[wire.Error | None] = asyncio.get_running_loop().create_future()
    call = send_to_all("second")
    tally = Tally(call, ())
    second = wire.SendToAll("second")

    source.send_frame(encode_frame(wire.SendToClients(["a"], "first")))
    request_id = owner.next_request_id()
    request = Request(tally, link.node, wire.SendToAll)
    link.say(encode_frame(second, request_id), request, request_id, confirm=True)
    patch = wire.PatchSession("a", {"n": 1}, [])
    source.patch_session(patch, settled.set_result)
    source.acknowledge([1])

    assert await settled is None
    assert tally.result() == 1
    kinds = [type(each) for each in there.gateway.received[said:]]
    assert kinds == [wire.SendToClients, wire.SendToAll, wire.PatchSession, wire.Acknowledge]
    assert (owner.sent, owner.losses.count) == (1, 0)


async def test_answers_and_events_keep_the_order_in_which_they_came(
    there: Peers, link: GatewayLink, owner: RecordingOwner
) -> None:
    """A patch is settled before the session that was sent behind its answer is handed over."""
    await until(owner, LinkState.TAKING)
    there.gateway.emit(assigned("a"), message(1, "a"))
    source, _ = await receiver_of(owner).received.get()
    order: list[object] = []

    def emit(link_: object, command: object, request_id: int) -> None:
        there.gateway.fault = None
        for each in there.gateway.listener.links:
            each.send(message(2, "a", "before"))
            each.send(wire.Reply(False), request_id)
            each.send(wire.ClientSession("a", {"n": 2}))

    there.gateway.fault = emit
    source.patch_session(wire.PatchSession("a", {}, ["n"]), order.append)
    order.append((await receiver_of(owner).received.get())[1])
    order.append((await receiver_of(owner).received.get())[1])
    assert order == [None, [message(2, "a", "before")], [wire.ClientSession("a", {"n": 2})]]


async def test_a_refused_patch_is_told(
    there: Peers, link: GatewayLink, owner: RecordingOwner
) -> None:
    """The gateway's error reaches whoever sent the patch."""
    await until(owner, LinkState.TAKING)
    there.gateway.emit(assigned("a"))
    source, _ = await receiver_of(owner).received.get()
    there.gateway.fault = refuse(ErrorCode.TOO_LARGE, "over it")
    settled: asyncio.Future[wire.Error | None] = asyncio.get_running_loop().create_future()
    source.patch_session(wire.PatchSession("a", {"n": 1}, []), settled.set_result)
    assert await settled == wire.Error("too_large", "over it")


async def test_a_lost_link_is_dialled_again_as_a_new_source(
    there: Peers, link: GatewayLink, owner: RecordingOwner
) -> None:
    """The old source is reported lost and takes nothing; what is dropped is counted."""
    await until(owner, LinkState.TAKING)
    there.gateway.emit(assigned("a"), message(1, "a"))
    source, _ = await receiver_of(owner).received.get()
    there.gateway.cut_links()
    assert await receiver_of(owner).lost.get() is source
    await until(owner, LinkState.TAKING)

    source.acknowledge([1])
    source.send_frame(encode_frame(wire.SendToClients(["a"], "late")))
    source.patch_session(wire.PatchSession("a", {}, []), lambda _: pytest.fail("it is lost"))
    there.gateway.emit(assigned("b"), message(1, "b"))
    new, _ = await receiver_of(owner).received.get()

    assert new is not source
    assert (link.events, link.unfinished) == (2, 1)
    new.acknowledge([1])
    await asyncio.to_thread(
        there.gateway.wait_for, lambda: len(there.gateway.commands(wire.Acknowledge)) == 1
    )
    assert there.gateway.commands(wire.SendToClients) == []
    assert (owner.sent, owner.losses.count) == (0, 1)


async def test_it_is_dialled_until_the_gateway_is_there(
    there: Peers, owner: RecordingOwner
) -> None:
    """Calls fail at once while it cannot be reached, and say why; then it takes events."""
    there.gateway.stop()
    link = link_to(there.gateway, owner)
    await owner.states.get()
    assert (link.is_tried, link.is_linked) == (True, False)
    assert "could not be reached" in link.trouble
    tally = Tally(get_all_client_count(), ())
    request = Request(tally, link.node, wire.CountClients)
    link.say(encode_frame(wire.CountClients(), 99), request, 99, confirm=True)
    with pytest.raises(GatewayError, match="could not be reached"):
        tally.result()
    await asyncio.to_thread(there.gateway.start)
    await until(owner, LinkState.TAKING)
    assert link.trouble == ""
    await link.close()


async def test_a_call_waits_for_the_first_dialling(there: Peers, owner: RecordingOwner) -> None:
    """What is said before the link is open leaves when it is."""
    link = link_to(there.gateway, owner)
    tally = Tally(get_all_client_count(), ())
    done = asyncio.Event()
    tally.on_settled = lambda _: done.set()
    request = Request(tally, link.node, wire.CountClients)
    link.say(encode_frame(wire.CountClients(), 99), request, 99, confirm=True)
    await done.wait()
    assert tally.result() == 0
    await link.close()


async def test_leaving_is_over_when_the_gateway_says_so(
    there: Peers, link: GatewayLink, owner: RecordingOwner
) -> None:
    """Events may still come until the answer; leaving twice asks once."""
    await until(owner, LinkState.TAKING)
    there.gateway.holds = True
    link.leave_events()
    link.leave_events()
    assert link.state is LinkState.LEAVING
    there.gateway.emit(assigned("a"), message(1, "a"))
    await receiver_of(owner).received.get()
    await asyncio.to_thread(
        there.gateway.wait_for, lambda: there.gateway.commands(wire.LeaveEvents) != []
    )
    there.gateway.let_go()
    await until(owner, LinkState.LEFT)
    assert len(there.gateway.commands(wire.LeaveEvents)) == 1


async def test_a_gateway_that_sends_no_events_is_named(there: Peers, owner: RecordingOwner) -> None:
    """A refusal, as by an older gateway, shows; calls still go there."""
    there.gateway.fault = refuse(ErrorCode.UNSUPPORTED, "unknown here")
    link = link_to(there.gateway, owner)
    while not link.is_tried:
        await owner.states.get()
    assert link.state is LinkState.OPEN
    assert link.trouble == "sends this worker no events: unknown here"
    await link.close()


@pytest.mark.parametrize("is_wanted", [True, False])
async def test_what_is_no_answer_ends_the_link(
    there: Peers, owner: RecordingOwner, *, is_wanted: bool
) -> None:
    """A part where a whole is due, or events that nobody asked for, cut it."""
    if is_wanted:
        there.gateway.fault = answer_with({}, None)
    else:
        owner.wants, owner.receiver = None, None
    link = link_to(there.gateway, owner)
    if not is_wanted:
        await until(owner, LinkState.OPEN)
        there.gateway.emit(assigned("a"))
    await until(owner, LinkState.DIALLING)
    assert "is lost" in link.trouble
    await link.close()


async def test_nothing_is_asked_for_before_it_is_wanted(
    there: Peers, owner: RecordingOwner
) -> None:
    """The link opens without events, and takes them when it is told to."""
    owner.wants = None
    link = link_to(there.gateway, owner)
    await until(owner, LinkState.OPEN)
    link.leave_events()
    assert link.state is LinkState.OPEN
    owner.wants = TAKE
    link.take_events()
    link.take_events()
    await until(owner, LinkState.TAKING)
    assert there.gateway.commands(wire.TakeEvents) == [TAKE]
    assert there.gateway.commands(wire.LeaveEvents) == []
    await link.close()
    assert not link.is_linked


async def test_a_gateway_that_is_gone_is_not_dialled_any_more(
    there: Peers, link: GatewayLink, owner: RecordingOwner
) -> None:
    """Forgetting says goodbye and ends the dialling."""
    await until(owner, LinkState.TAKING)
    link.forget()
    await until(owner, LinkState.DIALLING)
    assert there.gateway.openings == 1


async def test_a_gateway_that_says_goodbye_is_no_trouble(
    there: Peers, link: GatewayLink, owner: RecordingOwner
) -> None:
    """It has stopped, also when it then refuses connections; one that comes back takes us again."""
    await until(owner, LinkState.TAKING)
    there.gateway.say_goodbye()
    await until(owner, LinkState.DIALLING)
    await until(owner, LinkState.DIALLING)  # an attempt failed
    assert (link.has_stopped, link.trouble) == (True, "has stopped")

    there.gateway.start()
    await until(owner, LinkState.TAKING)
    assert (link.has_stopped, link.trouble) == (False, "")


async def test_a_gateway_that_is_cut_is_trouble(
    there: Peers, link: GatewayLink, owner: RecordingOwner
) -> None:
    """Without a goodbye it is lost, and then refuses connections."""
    await until(owner, LinkState.TAKING)
    there.gateway.stop()
    await until(owner, LinkState.DIALLING)
    assert "is lost" in link.trouble
    await until(owner, LinkState.DIALLING)
    assert not link.has_stopped
    assert "could not be reached" in link.trouble
