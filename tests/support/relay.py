"""A network between two processes that the test can cut.

async with relay(("127.0.0.2", 2900), ("127.0.0.1", 2900)) as wire:
    ...
    wire.cut()
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

_PIECE: Final = 1 << 16


class Relay:
    """Carries connections to another address.

    Attributes:
        connections: How many there were so far.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.connections = 0
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """End every connection at once, on both sides; what was on its way is gone."""
        for writer in self._writers:
            writer.transport.abort()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to its end."""
        self.connections += 1
        other_reader, other_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, other_writer}
        await asyncio.gather(_carry(reader, other_writer), _carry(other_reader, writer))
        self._writers -= {writer, other_writer}


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(_PIECE):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def relay(listen: tuple[str, int], target: tuple[str, int]) -> AsyncIterator[Relay]:
    """Listen on one address and carry what comes to another."""
    wire = Relay(target)
    server = await asyncio.start_server(wire.accept, *listen)
    async with server:
        yield wire
        server.close()
        wire.cut()
