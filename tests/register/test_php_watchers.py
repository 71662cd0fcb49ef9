"""PHP programs that ask a register over real sockets: when they are answered, and told of changes."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import pytest

from gateway_wire.addresses import Address
from gateway_wire.aio.link import AioLink
from gateway_wire.commands import Announce, Nodes, Reply, Role, Watch
from gateway_wire.errors import ErrorCode
from gateway_wire.ids import PhpIds
from gateway_wire.limits import MAX_UNSENT
from register.directory import Times
from register.php_watchers import PhpTimes
from register.server import Server
from tests.support.links import Dialler, address_of, bound

SETTLED = Times(settling=0.0)
SETTLING = Times(settling=3600.0)
HOUR = 3600.0
FIRST, SECOND = Address("10.0.0.1", 2950), Address("10.0.0.2", 2950)


class Program:
    """A PHP program's end of a connection; a context manager."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        await asyncio.wait([asyncio.create_task(self.writer.wait_closed())])

    def ask(self, secret_key: str = "") -> None:
        """Ask where gateways are."""
        self.say({"event": "worker_connect", "secret_key": secret_key})

    def say(self, told: dict[str, str]) -> None:
        """Say a line."""
        self.writer.write(json.dumps(told).encode() + b"\n")

    async def addresses(self) -> list[str]:
        """Give what it is told next."""
        told = json.loads(await self.reader.readline())
        assert told.pop("event") == "broadcast_addresses"
        addresses: list[str] = told.pop("addresses")
        assert told == {}
        return addresses

    async def is_closed(self) -> bool:
        """Wait for the end of the connection; tell whether nothing was said before."""
        return await self.reader.read() == b""


def announcement(address: Address, node_id: str) -> Announce:
    """Give what a gateway says that serves PHP programs."""
    return Announce(node_id, address.host, 2900, 0, [*PhpIds(node_id, address).keys])


class Peers(Dialler):
    """What dials the register: gateways, and PHP programs."""

    async def program(self) -> Program:
        """Dial as a PHP program."""
        return Program(*await asyncio.open_connection(*self.address))

    async def gateway(self, address: Address, node_id: str = "0123456789ab") -> AioLink:
        """Announce a gateway that serves PHP programs."""
        link, owner = await self.dial(Role.GATEWAY)
        link.send(announcement(address, node_id), 1)
        assert (await owner.envelopes.get()).command == Reply()
        return link


@asynccontextmanager
async def register(
    times: Times = SETTLED, secret_key: str = "", **php_times: float
) -> AsyncIterator[tuple[Server, Peers]]:
    """Run a register on a port that the kernel chose."""
    server = Server(secret_key, times, PhpTimes(**php_times))
    sock = bound()
    address = address_of(sock)
    await server.start(sock)
    try:
        async with Peers(address, secret_key) as peers:
            yield server, peers
    finally:
        await server.stop()


async def test_a_program_that_asks_is_told_where_gateways_are() -> None:
    """And a link of ours on the same port is served as ever."""
    async with register(secret_key="key") as (server, peers):
        await peers.gateway(FIRST)
        async with await peers.program() as program:
            program.ask("key")

            assert await program.addresses() == ["10.0.0.1:2950"]
            assert repr(server.php) == "<PhpWatchers 1 of 1 connections>"
            (watcher,) = server.php.opened
            assert repr(watcher).startswith("<PhpWatcher 127.0.0.1:")

        link, owner = await peers.dial(Role.CLIENT)
        link.send(Watch())
        nodes = (await owner.envelopes.get()).command
        assert isinstance(nodes, Nodes)
        assert len(nodes.nodes) == 1


async def test_a_program_that_stays_is_told_of_changes() -> None:
    """A gateway that comes, and one that leaves; a ping in between asks for nothing."""
    async with register() as (_, peers), await peers.program() as program:
        program.ask()
        assert await program.addresses() == []
        await peers.gateway(FIRST)
        assert await program.addresses() == ["10.0.0.1:2950"]
        program.say({"event": "ping"})
        second = await peers.gateway(SECOND, "ba9876543210")
        assert await program.addresses() == ["10.0.0.1:2950", "10.0.0.2:2950"]
        second.close(ErrorCode.STOPPING, "stopping")
        assert await program.addresses() == ["10.0.0.1:2950"]


async def test_a_change_that_is_none_to_php_is_not_told() -> None:
    """A gateway without a listener for PHP programs is nothing to them."""
    async with register() as (_, peers), await peers.program() as program:
        program.ask()
        assert await program.addresses() == []
        link, owner = await peers.dial(Role.GATEWAY)
        link.send(Announce("ba9876543210", "10.0.0.9", 2900, 0, []), 1)
        await owner.envelopes.get()

        await peers.gateway(FIRST)

        assert await program.addresses() == ["10.0.0.1:2950"]


async def test_clients_come_for_one_line_and_nobody_logs_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A web application does so at each request."""
    caplog.set_level(logging.INFO, "register")
    async with register() as (server, peers):
        await peers.gateway(FIRST)
        caplog.clear()
        for _ in range(20):
            async with await peers.program() as program:
                program.ask()
                assert await program.addresses() == ["10.0.0.1:2950"]
        await asyncio.sleep(0)

        assert caplog.records == []
        assert len(server.php.opened) <= 1


async def test_while_it_settles_an_answer_waits_for_quiet() -> None:
    """A register that was just started has heard of one gateway, and soon will of another."""
    async with (
        register(SETTLING, quiet=0.2, patience=HOUR) as (_, peers),
        await peers.program() as program,
    ):
        first, _ = await peers.dial(Role.GATEWAY)
        second, _ = await peers.dial(Role.GATEWAY)
        # All in one turn, so that they arrive together, however busy the machine is.
        first.send(announcement(FIRST, "0123456789ab"), 1)
        first.flush()
        program.ask()
        second.send(announcement(SECOND, "ba9876543210"), 1)
        second.flush()

        assert await program.addresses() == ["10.0.0.1:2950", "10.0.0.2:2950"]


async def test_while_it_settles_and_all_is_quiet_the_answer_comes_at_once() -> None:
    """Who has asked gets an answer soon, and who asks after that does not wait."""
    async with register(SETTLING, quiet=0.01, patience=HOUR) as (_, peers):
        await peers.gateway(FIRST)
        for _ in range(2):
            async with await peers.program() as program:
                program.ask()

                assert await program.addresses() == ["10.0.0.1:2950"]


async def test_no_answer_waits_longer_than_a_client_does() -> None:
    """Without any gateway it is an empty list in the end, of which the client makes an error."""
    async with (
        register(SETTLING, quiet=HOUR, patience=0.05) as (_, peers),
        await peers.program() as program,
    ):
        program.ask()

        assert await program.addresses() == []


async def test_who_leaves_before_its_answer_is_forgotten() -> None:
    """And the others are answered."""
    async with register(SETTLING, quiet=HOUR, patience=0.2) as (server, peers):
        async with await peers.program() as gone:
            gone.ask()
            await gone.writer.drain()
        async with await peers.program() as program:
            program.ask()

            assert await program.addresses() == []
            assert len(server.php.opened) == 1


async def test_a_wrong_key_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """The connection is closed without an answer; the log says why, however often it comes."""
    async with register(secret_key="right") as (server, peers):
        for _ in range(3):
            async with await peers.program() as program:
                program.ask("wrong")
                assert await program.is_closed()

        assert server.counters.links_refused == {"key_wrong": 3}
    said = [each.getMessage() for each in caplog.records]
    assert len(said) == 1
    assert said[0].startswith("refused the PHP program at 127.0.0.1")
    assert "is not that of this register: give both the same" in said[0]


async def test_a_gateway_of_php_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """It is told nothing, and the log says what to start instead."""
    async with register() as (server, peers), await peers.program() as program:
        program.say({"event": "gateway_connect", "address": "10.0.0.1:2900", "secret_key": ""})

        assert await program.is_closed()
        assert len(server.directory) == 0
    assert "--php-start-port" in caplog.text


async def test_who_does_not_ask_in_time_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    """It began a line, or pings only."""
    async with register(introduction=0.05) as (server, peers):
        async with await peers.program() as program:
            program.writer.write(b'{"event"')

            assert await program.is_closed()
        assert server.counters.links_refused == {"timeout": 1}
    assert "no worker_connect came in 0.05 s" in caplog.text


async def test_a_program_that_does_not_read_is_cut() -> None:
    """What waits for it is bounded."""
    async with register() as (server, peers), await peers.program() as program:
        program.ask()
        await program.addresses()
        (watcher,) = server.php.opened
        while watcher in server.php.opened:
            watcher.send(bytes(MAX_UNSENT))
            await asyncio.sleep(0)

        await peers.gateway(FIRST)
        assert server.php.opened == {}


async def test_the_kernel_finds_programs_that_are_gone() -> None:
    """A worker whose machine lost its power says nothing, and nothing is said to it for days."""
    async with register() as (server, _):
        with (
            socket.create_server(("127.0.0.1", 0)) as listening,
            socket.create_connection(listening.getsockname()),
        ):
            accepted = listening.accept()[0]
            with accepted.dup() as same:
                loop = asyncio.get_running_loop()
                await loop.connect_accepted_socket(server.php.accept, accepted)
                assert same.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_stopping_closes_every_connection() -> None:
    """Those that are told of changes, those that wait, and those that said nothing yet."""
    async with (
        register(SETTLING, quiet=HOUR, patience=HOUR) as (server, peers),
        await peers.program() as asking,
        await peers.program() as silent,
    ):
        asking.ask()
        await peers.gateway(FIRST)

        await server.stop()

        assert await asking.is_closed()
        assert await silent.is_closed() is True
