"""Announcing a gateway to real registers: coming, waiting, being refused, leaving."""

import asyncio
import itertools
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from gateway.announcer import Announcer, _told
from gateway_process.errors import StartupError
from gateway_wire.addresses import Address
from gateway_wire.commands import Announce, Nodes, Role, Watch
from register.server import Server
from tests.support.links import Dialler, address_of, bound, party, serving

KEY = "of the cluster"


@dataclass
class Gateway:
    """What an announcer asks: a gateway that counts its node ids."""

    host: str = "127.0.0.1"
    numbers: Iterator[int] = field(default_factory=itertools.count)
    announced: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    node_id: str = ""
    has_choice: bool = True

    def __post_init__(self) -> None:
        self.choose()

    def choose(self) -> bool:
        """Choose the next node id, if it may."""
        if self.has_choice:
            self.node_id = f"{next(self.numbers):012x}"
        return self.has_choice

    def announce(self) -> Announce:
        """Give the announcement."""
        self.announced.put_nowait(None)
        return Announce(self.node_id, self.host, 2900, 0, [f"n:{self.node_id}"])


@asynccontextmanager
async def register(
    *, key: str = "", host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[tuple[Server, Address]]:
    """Run a register."""
    server = Server(key)
    sock = bound(host, port)
    address = Address("127.0.0.1", address_of(sock).port)
    await server.start(sock)
    try:
        yield server, address
    finally:
        await server.stop()


@asynccontextmanager
async def announcing(
    gateway: Gateway, *registers: Address, key: str = "", retry: float = 3600.0
) -> AsyncIterator[Announcer]:
    """Announce a gateway until the end of the test."""
    us = party(Role.GATEWAY)
    announcer = Announcer(registers, us, key, gateway.announce, gateway.choose, retry=retry)
    announcer.start()
    try:
        yield announcer
    finally:
        await announcer.withdraw()


async def listed(
    address: Address, fits: Callable[[list[str]], bool], *, field: str = "node_id"
) -> list[str]:
    """Give one field of each gateway that a register lists, once they are as wanted."""
    async with Dialler(address) as peers:
        link, owner = await peers.dial(Role.CLIENT)
        link.send(Watch())
        while True:
            nodes = (await owner.envelopes.get()).command
            assert isinstance(nodes, Nodes)
            values = [each[field] for each in nodes.nodes]
            if fits(values):
                return values


async def test_it_waits_for_the_first_acknowledgement() -> None:
    """Once a register holds the gateway, it may open its port."""
    gateway = Gateway()
    async with (
        register(key=KEY) as (server, address),
        announcing(gateway, address, key=KEY) as announcer,
    ):
        await announcer.first_ack()

        assert server.directory.nodes() == [gateway.announce()]
        assert (announcer.connected, announcer.lost) == (1, 0)


async def test_it_announces_to_every_register() -> None:
    """All registers are told, however many there are."""
    gateway = Gateway()
    async with register() as (_, one), register() as (_, two), announcing(gateway, one, two):
        for address in (one, two):
            assert await listed(address, bool) == [gateway.node_id]


class Log(logging.Handler):
    """Hears what the gateway logs; a test awaits a line instead of looking for it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: asyncio.Queue[str] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line."""
        self.lines.put_nowait(f"{record.levelname} {record.getMessage()}")


@pytest.fixture
def log() -> Iterator[Log]:
    """Give the log of the gateway."""
    handler = Log()
    logger = logging.getLogger("gateway")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


async def test_it_waits_for_a_register_that_comes_later(log: Log) -> None:
    """Nobody there is no failure: the log says what to start, and it goes on when it is there."""
    with bound() as sock:
        address = address_of(sock)
    async with announcing(Gateway(), address) as announcer:
        assert await log.lines.get() == (
            f"WARNING register {address} cannot be reached: connection refused; "
            "start it with `register start`"
        )
        async with register(port=address.port):
            await announcer.first_ack()


async def test_a_restarted_register_knows_again() -> None:
    """A register that comes back is told without anybody's doing."""
    gateway = Gateway()
    async with AsyncExitStack() as announced:
        async with register() as (_, address):
            announcer = await announced.enter_async_context(announcing(gateway, address))
            await announcer.first_ack()
        async with register(port=address.port):
            assert await listed(address, bool) == [gateway.node_id]


async def test_withdrawing_drops_it_at_once() -> None:
    """A gateway that stops is gone from the directory before its links could be missed."""
    gateway = Gateway()
    async with register() as (server, address):
        async with announcing(gateway, address) as announcer:
            await announcer.first_ack()
        assert await listed(address, lambda ids: not ids) == []
        assert announcer.connected == 0
        assert len(server.directory) == 0


async def test_a_duplicate_node_id_is_chosen_anew() -> None:
    """Before the first acknowledgement a taken node id costs one more announcement, no more."""
    first, second = Gateway(), Gateway()
    async with register() as (_, address), announcing(first, address) as announcer:
        await announcer.first_ack()
        async with announcing(second, address) as other:
            await other.first_ack()

            assert await listed(address, lambda ids: len(ids) == 2) == [
                first.node_id,
                second.node_id,
            ]


async def test_a_duplicate_without_a_choice_is_a_refusal() -> None:
    """A gateway that is known by its address cannot choose anew: the start fails and says why."""
    first, second = Gateway(), Gateway()
    second.has_choice = False
    async with register() as (_, address), announcing(first, address) as announcer:
        await announcer.first_ack()
        async with announcing(second, address) as other:
            with pytest.raises(StartupError, match="another living gateway has the node id or key"):
                await other.first_ack()


async def test_a_duplicate_at_two_registers_costs_one_choice() -> None:
    """The second register's answer to the id that was given up is not taken for one to the new."""
    first, second = Gateway(), Gateway()
    async with (
        register() as (_, one),
        register() as (_, two),
        announcing(first, one, two),
    ):
        for address in (one, two):
            await listed(address, bool)
        async with announcing(second, one, two):
            for address in (one, two):
                await listed(address, lambda ids: len(ids) == 2)

    assert second.node_id == f"{1:012x}"


async def test_a_duplicate_found_later_is_an_error_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With the port open the node id stays; the register takes it when the other one has gone."""
    ours, theirs = Gateway("127.0.0.1"), Gateway("10.0.0.9")
    theirs.choose()
    async with (
        register() as (_, one),
        register(host="0.0.0.0") as (_, two),
        announcing(ours, one, two, retry=0.01) as announcer,
    ):
        await announcer.first_ack()  # by `one`; `two` refuses the loopback address
        async with announcing(theirs, two) as them:
            await them.first_ack()
            ours.host, ours.node_id = "10.0.0.1", theirs.node_id
            for _ in range(3):
                await ours.announced.get()
        await listed(two, lambda hosts: hosts == ["10.0.0.1"], field="host")
    assert ours.node_id == theirs.node_id
    assert "another living gateway has the node id" in caplog.text


async def test_a_loopback_address_at_an_exposed_register_is_fatal() -> None:
    """No register would take it, so waiting is useless: the error names the remedy."""
    async with (
        register(host="0.0.0.0") as (_, address),
        announcing(Gateway(), address) as announcer,
    ):
        with pytest.raises(StartupError, match="--advertise HOST"):
            await announcer.first_ack()


@pytest.mark.parametrize(
    ("theirs", "ours", "told"),
    [
        (KEY, "another", "is not that of this register"),
        (KEY, "", "has a secret key and the gateway has none"),
        ("", KEY, "has a secret key and this register has none"),
    ],
)
async def test_a_wrong_key_is_fatal(theirs: str, ours: str, told: str) -> None:
    """The error names the register and the side that has the wrong key or none."""
    async with (
        register(key=theirs) as (_, address),
        announcing(Gateway(), address, key=ours) as announcer,
    ):
        with pytest.raises(StartupError, match=told) as caught:
            await announcer.first_ack()

    assert str(address) in str(caught.value)


async def test_one_register_that_takes_it_is_enough() -> None:
    """A refusal by one register is not fatal while another holds the gateway."""
    async with (
        register(key="another") as (_, refusing),
        register(key=KEY) as (_, taking),
        announcing(Gateway(), refusing, taking, key=KEY) as announcer,
    ):
        await announcer.first_ack()

        assert (announcer.connected, announcer.lost) == (1, 1)
        assert repr(announcer) == "<Announcer at 1 of 2 registers>"


async def test_what_is_no_register_is_fatal() -> None:
    """A gateway's internal port in place of a register's is said plainly."""
    async with serving(Role.GATEWAY) as (address, _), announcing(Gateway(), address) as announcer:
        with pytest.raises(StartupError, match="is a gateway, not a register"):
            await announcer.first_ack()


async def test_another_protocol_is_fatal() -> None:
    """A web server in place of a register is said plainly."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, sock=bound())
    async with server:
        address = address_of(server.sockets[0])
        async with announcing(Gateway(), Address(*address)) as announcer:
            with pytest.raises(StartupError, match="another protocol"):
                await announcer.first_ack()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "start it with `register start`"),
        (TimeoutError(), "no answer in 3 s; is it frozen, or is a firewall in between?"),
        (socket.gaierror(-2, "Name or service not known"), "check the name in --register"),
        (OSError(101, "Network is unreachable"), "Network is unreachable"),
    ],
)
def test_the_log_says_what_to_do(error: Exception, told: str) -> None:
    """Each way in which dialling fails has its sentence."""
    assert told in _told(error)


async def test_an_unreachable_register_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """However often dialling fails, the log has one line until the reason changes."""
    dialled: asyncio.Queue[None] = asyncio.Queue()

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()
        dialled.put_nowait(None)

    server = await asyncio.start_server(hang_up, sock=bound())
    async with server, announcing(Gateway(), Address(*address_of(server.sockets[0]))):
        for _ in range(4):
            await dialled.get()

    assert len([each for each in caplog.messages if "cannot be reached" in each]) == 1
