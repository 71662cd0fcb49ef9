"""Which protocol a connection speaks, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway_wire.addresses import Address
from register.doorway import Doorway
from tests.gateway.support import turns_until
from tests.support.links import address_of, bound


class Echo(asyncio.Protocol):
    """Says which first byte it was chosen for, and what it got."""

    def __init__(self, first_byte: bytes) -> None:
        self._name = first_byte

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._name + b":" + data)


@asynccontextmanager
async def doors(timeout: float = 3600.0) -> AsyncIterator[tuple[Address, set[Doorway]]]:
    """Open a port behind which is a door; give it and who stands at it."""
    waiting: set[Doorway] = set()
    sock = bound()
    address = address_of(sock)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Doorway(Echo, timeout, waiting), sock=sock)
    try:
        yield address, waiting
    finally:
        server.close()


async def test_the_first_byte_chooses_and_is_kept() -> None:
    """Who was chosen gets everything, from the first byte on."""
    async with doors() as (address, waiting):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"{12")
        assert await reader.readexactly(5) == b"{:{12"
        writer.write(b"34")

        assert await reader.readexactly(4) == b"{:34"
        assert waiting == set()
        writer.close()
        await writer.wait_closed()


async def test_who_says_nothing_is_closed() -> None:
    """A port that is knocked at holds nobody for long."""
    async with doors(0.01) as (address, waiting):
        reader, writer = await asyncio.open_connection(*address)

        assert await reader.read() == b""
        assert waiting == set()
        writer.close()


async def test_who_leaves_is_forgotten() -> None:
    """Before a byte has come."""
    async with doors() as (address, waiting):
        _, writer = await asyncio.open_connection(*address)
        await turns_until(lambda: waiting)
        (door,) = waiting
        assert repr(door) == "<Doorway open>"
        writer.close()
        await turns_until(lambda: not waiting)

        assert repr(door) == "<Doorway closed>"
        door.close()  # harmless
