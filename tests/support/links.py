"""Both ends of internal links for tests: owners that remember what they are told.

`Owner` is what a link reports to; a test awaits its events instead of sleeping. `serving` opens a real
listener on a port the kernel chose.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from gateway_wire.addresses import Address
from gateway_wire.aio.dialer import dial
from gateway_wire.aio.link import AioLink, LinkLost
from gateway_wire.aio.listener import LinkListener
from gateway_wire.commands import Role
from gateway_wire.errors import ErrorCode, GatewayError
from gateway_wire.frames import Envelope
from gateway_wire.hello import Party, new_instance


class Owner:
    """Remembers what a link tells its owner, for a test to await."""

    def __init__(self) -> None:
        self.links: asyncio.Queue[AioLink] = asyncio.Queue()
        self.envelopes: asyncio.Queue[Envelope] = asyncio.Queue()
        self.reasons: asyncio.Queue[GatewayError] = asyncio.Queue()
        self.ended = asyncio.Event()
        """Set while a link has ended and none is open."""
        self._open: set[AioLink] = set()

    def link_opened(self, link: AioLink) -> None:
        """Remember the link."""
        self.links.put_nowait(link)
        self._open.add(link)
        self.ended.clear()

    def link_received(self, link: AioLink, envelopes: list[Envelope]) -> None:
        """Remember what arrived."""
        for envelope in envelopes:
            self.envelopes.put_nowait(envelope)

    def link_closed(self, link: AioLink, reason: GatewayError) -> None:
        """Remember why."""
        self.reasons.put_nowait(reason)
        self._open.discard(link)
        if not self._open:
            self.ended.set()


def party(role: Role, instance: str = "") -> Party:
    """Give a side of a link; a fresh instance unless one is named."""
    return Party(role, instance or new_instance())


def bound(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """Give a bound socket on a port the kernel chose."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.setblocking(False)
    return sock


def address_of(sock: socket.socket) -> Address:
    """Give where a socket is bound."""
    return Address(*sock.getsockname()[:2])


class Dialler:
    """Dials one address, and ends what it dialled; a context manager."""

    def __init__(self, address: Address, secret_key: str = "") -> None:
        self.address = address
        self._secret_key = secret_key
        self._dialled: list[tuple[AioLink, Owner]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for link, owner in self._dialled:
            link.abort(LinkLost("the test is over"))
            await owner.ended.wait()

    async def dial(
        self, role: Role, *, instance: str = "", secret_key: str | None = None
    ) -> tuple[AioLink, Owner]:
        """Dial and finish the hello; give the link and what it tells."""
        owner = Owner()
        key = self._secret_key if secret_key is None else secret_key
        link = await dial(self.address, party(role, instance), key, owner)
        self._dialled.append((link, owner))
        return link, owner


@asynccontextmanager
async def serving(
    role: Role, secret_key: str = "", host: str = "127.0.0.1", port: int = 0, **timeouts: float
) -> AsyncIterator[tuple[Address, Owner]]:
    """Accept links as this role; give the address and what the links tell."""
    owner = Owner()
    listener = LinkListener(party(role), secret_key, owner, **timeouts)
    sock = bound(host, port)
    address = address_of(sock)
    await listener.start(sock)
    try:
        yield address, owner
    finally:
        listener.stop_accepting()
        listener.close_links(ErrorCode.STOPPING, "the test is over")
        await listener.wait_closed()
