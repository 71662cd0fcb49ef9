"""The register over real links: announcing, watching, ending."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway_wire.addresses import Address
from gateway_wire.aio.link import AioLink
from gateway_wire.commands import Announce, Error, Nodes, Reply, Role, Watch
from gateway_wire.errors import AuthenticationFailed, ErrorCode, LinkRefused
from gateway_wire.frames import encode_frame
from register.directory import Times
from register.server import Server
from tests.support.links import Dialler, Owner, address_of, bound

NODE = "0123456789ab"
PATIENT = Times(settling=3600.0)
"""Settling never ends, so that each `Nodes` is the answer to something the test did."""


def announcement(node_id: str = NODE, host: str = "127.0.0.1", generation: int = 0) -> Announce:
    """Give what a gateway announces."""
    return Announce(node_id, host, 2900, generation, [f"n:{node_id}"])


class Peers(Dialler):
    """What dials the register."""

    async def announced(self, announce: Announce, *, instance: str = "") -> tuple[AioLink, Owner]:
        """Announce a gateway and wait until the directory holds it."""
        link, owner = await self.dial(Role.GATEWAY, instance=instance)
        link.send(announce, 1)
        assert await answer(owner) == Reply()
        return link, owner

    async def watching(self) -> tuple[AioLink, Owner]:
        """Watch, without waiting for the first answer."""
        link, owner = await self.dial(Role.CLIENT)
        link.send(Watch())
        return link, owner


@asynccontextmanager
async def register(
    times: Times = PATIENT, *, host: str = "127.0.0.1", secret_key: str = ""
) -> AsyncIterator[tuple[Server, Peers]]:
    """Run a register on a port that the kernel chose."""
    server = Server(secret_key, times)
    sock = bound(host)
    port = address_of(sock).port
    await server.start(sock)
    try:
        async with Peers(Address("127.0.0.1", port), secret_key) as peers:
            yield server, peers
    finally:
        await server.stop()


async def answer(owner: Owner) -> Any:
    """Give the next command that arrives."""
    return (await owner.envelopes.get()).command


async def nodes_when(owner: Owner, fits: Callable[[Nodes], bool]) -> Nodes:
    """Give the first directory a watcher is told that is as wanted."""
    while True:
        nodes: Nodes = await answer(owner)
        if fits(nodes):
            return nodes


def ids(nodes: Nodes) -> list[str]:
    """Give the node ids that a directory lists."""
    return [each["node_id"] for each in nodes.nodes]


async def test_a_watcher_is_told_who_is_there() -> None:
    """Watching answers at once with the whole directory, settling included."""
    async with register() as (_, peers):
        await peers.announced(announcement())
        _, watcher = await peers.watching()

        nodes = await answer(watcher)

        assert isinstance(nodes, Nodes)
        assert nodes.settling
        assert ids(nodes) == [NODE]


async def test_a_watch_that_asks_for_a_reply_gets_one() -> None:
    """The reply comes first, then the directory."""
    async with register() as (_, peers):
        link, owner = await peers.dial(Role.WORKER)
        link.send(Watch(), 7)

        first = await owner.envelopes.get()

        assert (first.request_id, first.command) == (7, Reply())
        assert await answer(owner) == Nodes(True, [])


async def test_watchers_are_told_of_changes() -> None:
    """A gateway that comes, and one that leaves, is told to every watcher."""
    async with register() as (server, peers):
        watchers = [(await peers.watching())[1] for _ in range(3)]
        assert [ids(await answer(each)) for each in watchers] == [[], [], []]

        link, _ = await peers.announced(announcement())
        assert [ids(await answer(each)) for each in watchers] == [[NODE], [NODE], [NODE]]

        link.close(ErrorCode.STOPPING, "stopping")
        assert [ids(await answer(each)) for each in watchers] == [[], [], []]
        assert len(server.watchers) == 3


async def test_changes_of_one_turn_are_told_once() -> None:
    """Commands that arrive together cause one frame to a watcher, with the last state."""
    async with register() as (_, peers):
        _, watcher = await peers.watching()
        assert await answer(watcher) == Nodes(True, [])
        link, _ = await peers.dial(Role.GATEWAY)

        for number in range(5):
            link.send(announcement(f"{number:012x}"))

        assert ids(await answer(watcher)) == [f"{4:012x}"]


async def test_a_watcher_that_comes_amid_a_change_hides_it_from_nobody() -> None:
    """Who watches in the same turn as a change does not keep the others from being told."""
    async with register() as (server, peers):
        _, early = await peers.watching()
        assert await answer(early) == Nodes(True, [])
        link, _ = await peers.dial(Role.GATEWAY)
        late, late_owner = await peers.dial(Role.CLIENT)

        link.send(announcement())
        late.send(Watch())

        assert ids(await nodes_when(early, lambda nodes: bool(nodes.nodes))) == [NODE]
        assert ids(await nodes_when(late_owner, lambda nodes: bool(nodes.nodes))) == [NODE]
        assert len(server.watchers) == 2


async def test_a_watcher_that_does_not_read_is_cut() -> None:
    """What waits for it is bounded, and it must not go on with an old directory."""
    async with register() as (server, peers):
        watcher, owner = await peers.watching()
        await answer(owner)
        (link,) = server.watchers
        watcher.pause_reading()
        while link.has_room():
            link.send(Reply(bytes(1 << 20)), 1)
            link.flush()

        await peers.announced(announcement())

        watcher.resume_reading()
        await owner.reasons.get()
        assert server.watchers == set()


async def test_the_end_of_settling_is_told() -> None:
    """Watchers hear by themselves when the directory counts as complete."""
    async with register(Times(settling=0.05, look=0.02)) as (_, peers):
        _, watcher = await peers.watching()

        await nodes_when(watcher, lambda nodes: not nodes.settling)


async def test_a_gateway_that_dies_without_a_word_is_dropped() -> None:
    """A link on which nothing comes is cut, and watchers are told."""
    async with register(Times(silence=0.05, look=0.02)) as (server, peers):
        _, gateway = await peers.announced(announcement())
        _, watcher = await peers.watching()

        await nodes_when(watcher, lambda nodes: nodes.nodes == [])

        await gateway.reasons.get()
        assert server.counters.silences == 1


async def test_a_link_that_is_cut_drops_its_gateway() -> None:
    """No goodbye is needed: the end of the connection is enough."""
    async with register() as (_, peers):
        link, _ = await peers.announced(announcement())
        _, watcher = await peers.watching()
        link.abort(LinkRefused("test", "cut"))

        await nodes_when(watcher, lambda nodes: nodes.nodes == [])


async def test_a_duplicate_node_is_refused() -> None:
    """Another process with the node id of a living gateway is told so, and may choose anew."""
    async with register() as (server, peers):
        await peers.announced(announcement())
        link, owner = await peers.dial(Role.GATEWAY)

        link.send(announcement(), 1)
        refusal = await answer(owner)
        link.send(announcement("ba9876543210"), 2)

        assert isinstance(refusal, Error)
        assert refusal.error == "duplicate_node"
        assert NODE in refusal.text
        assert await answer(owner) == Reply()
        assert server.counters.refusals == {"duplicate_node": 1}
        assert server.counters.announcements == 2


async def test_a_duplicate_key_is_refused() -> None:
    """Another process with a key of a living gateway is told so, by name, as with a node id."""
    async with register() as (_, peers):
        first, second = announcement(), announcement("ba9876543210")
        first.keys.append("c:9000")
        second.keys.append("c:9000")
        await peers.announced(first)
        link, owner = await peers.dial(Role.GATEWAY)

        link.send(second, 1)
        refusal = await answer(owner)

        assert isinstance(refusal, Error)
        assert refusal.error == "duplicate_node"
        assert "c:9000" in refusal.text


async def test_a_process_that_reconnects_is_no_duplicate() -> None:
    """The same instance may announce itself on a new link while the old one is still open."""
    async with register() as (_, peers):
        await peers.announced(announcement(), instance="same")
        await peers.announced(announcement(), instance="same")


async def test_a_hand_over_wins() -> None:
    """The next generation of a node takes its place."""
    async with register() as (server, peers):
        old, _ = await peers.announced(announcement(generation=0))
        await peers.announced(announcement(generation=1, host="127.0.0.2"))
        _, watcher = await peers.watching()
        old.close(ErrorCode.STOPPING, "handed over")

        nodes = await answer(watcher)

        assert [each["host"] for each in nodes.nodes] == ["127.0.0.2"]
        assert len(server.directory) == 1


async def test_an_exposed_register_refuses_loopback() -> None:
    """A register that others reach takes no address that only its own machine can dial."""
    async with register(host="0.0.0.0") as (server, peers):
        link, owner = await peers.dial(Role.GATEWAY)
        link.send(announcement(host="127.0.0.1"), 1)

        refusal = await answer(owner)

        assert refusal.error == "unreachable_address"
        assert "--advertise" in refusal.text
        assert len(server.directory) == 0


async def test_a_gateway_cannot_watch() -> None:
    """Commands of other roles are refused and cost nothing else."""
    async with register() as (_, peers):
        link, owner = await peers.dial(Role.GATEWAY)
        link.send(Watch(), 1)
        link.send(announcement(), 2)

        refusal = await answer(owner)

        assert refusal.error == "forbidden"
        assert await answer(owner) == Reply()


async def test_a_goodbye_behind_a_command_is_no_accident() -> None:
    """What comes in one piece with a goodbye is answered to nobody, and nothing breaks."""
    async with register() as (server, peers):
        link, owner = await peers.dial(Role.CLIENT)
        link.send_frame(encode_frame(Watch(), 1))
        link.close(ErrorCode.STOPPING, "gone again")
        await owner.reasons.get()
        _, watcher = await peers.watching()

        assert await answer(watcher) == Nodes(True, [])
        assert len(server.watchers) == 1


async def test_a_wrong_key_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """Who has another secret key is refused; the log says it once, however often it tries."""
    async with register(secret_key="right") as (server, peers):
        for _ in range(3):
            with pytest.raises(AuthenticationFailed, match="secret key"):
                await peers.dial(Role.GATEWAY, secret_key="wrong")

        said = [each for each in caplog.records if "secret key" in each.getMessage()]
        assert len(said) == 1
        assert server.counters.links_refused == {"key_wrong": 3}


async def test_another_protocol_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """HTTP on this port ends the link with a goodbye that names the protocol error."""
    async with register() as (server, peers):
        reader, writer = await asyncio.open_connection(*peers.address)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")

        assert b"another protocol" in await reader.read()

        writer.close()
        await writer.wait_closed()
        assert server.counters.links_refused == {"protocol": 1}
        assert "another protocol" in caplog.text


async def test_stopping_says_goodbye() -> None:
    """A register that stops tells everyone, and may be stopped again."""
    async with register() as (server, peers):
        _, watcher = await peers.watching()
        await answer(watcher)

        await server.stop()
        reason = await watcher.reasons.get()

        assert isinstance(reason, LinkRefused)
        assert reason.code == "stopping"


async def test_it_says_what_it_serves() -> None:
    """The repr tells of the directory and of the watchers."""
    async with register() as (server, peers):
        link, owner = await peers.dial(Role.CLIENT)
        link.send(Watch(), 1)
        await answer(owner)

        assert repr(server) == "<Server of <Directory of 0 gateways, revision 0>, 1 watchers>"
