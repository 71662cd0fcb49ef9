"""PHP programs that dial a gateway: they send frames and read answers, as GatewayClient does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from gateway.php.frames import SCALAR, Command, Frame
from gateway.php.values import PhpValue, unserialize
from gateway_process.secret import Secret
from gateway_wire.addresses import Address
from tests.gateway.admin.core import register
from tests.gateway.running import Running


class PhpProgram:
    """One connection of a PHP program; a context manager."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def dial(cls, address: Address) -> Self:
        """Connect."""
        return cls(*await asyncio.open_connection(*address))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        await asyncio.wait([asyncio.create_task(self.writer.wait_closed())])

    def show(self, secret_key: str) -> None:
        """Show the secret key, as before every request where there is one."""
        body = json.dumps({"secret_key": secret_key}).encode()
        self.writer.write(Frame(Command.GATEWAY_CLIENT_CONNECT, body=body).encode())

    def tell(
        self, command: Command, client_id: str = "", ext: str = "", body: str | bytes = ""
    ) -> None:
        """Send a frame, about a client if one is named."""
        number = int(client_id[12:] or "0", 16)
        body = body if isinstance(body, bytes) else body.encode()
        self.writer.write(Frame(command, number, ext.encode(), body, SCALAR).encode())

    async def answer(self) -> PhpValue:
        """Give the next answer."""
        size = int.from_bytes(await self.reader.readexactly(4), "big")
        return unserialize(await self.reader.readexactly(size))

    async def ask(self, command: Command, client_id: str = "", ext: str = "") -> PhpValue:
        """Send a question and give the answer."""
        self.tell(command, client_id, ext)
        return await self.answer()

    async def rest(self) -> bytes:
        """Give all that comes until the end of the connection."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""


@asynccontextmanager
async def serving_php(secret_key: str = "", **settings: object) -> AsyncIterator[Running]:
    """Run a gateway that serves PHP programs, at a register of its own."""
    async with register(secret_key) as (_, registers):
        if secret_key:
            settings["secret_key"] = Secret(secret_key)
        running = Running(registers, php_start_port=0, **settings)
        await running.process.start()
        try:
            yield running
        finally:
            await running.process.stop()
