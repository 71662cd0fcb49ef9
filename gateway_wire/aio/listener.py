"""Accepting links on a listening socket."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from gateway_wire.aio.link import AioLink
from gateway_wire.limits import HELLO_TIMEOUT, UNREAD_REPLIES_TIMEOUT
from gateway_wire.link import Link
from gateway_wire.state import Side

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from gateway_wire.aio.link import LinkCore, LinkEvents
    from gateway_wire.errors import ErrorCode, GatewayError
    from gateway_wire.frames import Envelope
    from gateway_wire.hello import Party

__all__ = ["BACKLOG", "Acceptor", "LinkListener"]

BACKLOG: Final = 4096
"""Links that the kernel holds until they are accepted; every process of a web application dials a
gateway at once when it comes back, and asyncio's 100 would make them wait a second."""


class Acceptor:
    """Accepts links of any protocol and keeps account of them, so that all can be closed.

    Attributes:
        links: Every link that is accepted and not yet closed, open or in its hello.
    """

    def __init__(
        self,
        new_core: Callable[[], LinkCore],
        owner: LinkEvents,
        *,
        hello_timeout: float = HELLO_TIMEOUT,
        unread_timeout: float = UNREAD_REPLIES_TIMEOUT,
    ) -> None:
        """Make it; :meth:`start` begins to accept.

        Args:
            new_core: Makes the sans-I/O part of each link.
            owner: Who is told what happens on each link that got as far as open. A link that
                ends before it is open is told to `owner.link_closed` only.
            hello_timeout: Seconds in which a hello must be finished.
            unread_timeout: Seconds for which a peer may leave its replies unread.
        """
        self.links: set[AioLink] = set()
        self._new_core = new_core
        self._owner = owner
        self._hello_timeout = hello_timeout
        self._unread_timeout = unread_timeout
        self._server: asyncio.Server | None = None
        self._all_ended = asyncio.Event()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.links)} links>"

    async def start(
        self, sock: socket.socket, door: Callable[[], asyncio.Protocol] | None = None
    ) -> None:
        """Accept links on a socket that is bound; it is listened on and owned from here on.

        Args:
            sock: The socket.
            door: Makes who looks at what is accepted before :meth:`accept`; None to accept all.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(door or self.accept, sock=sock, backlog=BACKLOG)

    def accept(self) -> AioLink:
        """Make the link for a connection that was accepted, and take it into account."""
        link = AioLink(
            self._new_core(),
            self,
            hello_timeout=self._hello_timeout,
            unread_timeout=self._unread_timeout,
        )
        self.links.add(link)
        return link

    def stop_accepting(self) -> None:
        """Accept no more links; those that are open go on."""
        if self._server is not None:
            self._server.close()

    def close_links(self, code: ErrorCode, text: str) -> None:
        """Say goodbye on every link."""
        for link in tuple(self.links):
            link.close(code, text)

    async def wait_closed(self) -> None:
        """Wait until every link has ended; bound it, for a peer that does not read takes its time."""
        if self.links:
            self._all_ended.clear()
            await self._all_ended.wait()

    # The owner of each link: keeps account and passes on what it is told.

    def link_opened(self, link: AioLink) -> None:
        """A link is open."""
        self._owner.link_opened(link)

    def link_received(self, link: AioLink, envelopes: list[Envelope]) -> None:
        """Commands arrived."""
        self._owner.link_received(link, envelopes)

    def link_closed(self, link: AioLink, reason: GatewayError) -> None:
        """A link ended."""
        self.links.discard(link)
        if not self.links:
            self._all_ended.set()
        self._owner.link_closed(link, reason)


class LinkListener(Acceptor):
    """Accepts links of this protocol."""

    def __init__(
        self,
        party: Party,
        secret_key: str,
        owner: LinkEvents,
        *,
        hello_timeout: float = HELLO_TIMEOUT,
        unread_timeout: float = UNREAD_REPLIES_TIMEOUT,
    ) -> None:
        """Make a listener; :meth:`start` begins to accept.

        Args:
            party: Our side, as it introduces itself.
            secret_key: The cluster's secret key, empty for none.
            owner: As of an :class:`Acceptor`, and the times.
            hello_timeout: Seconds in which a hello must be finished.
            unread_timeout: Seconds for which a peer may leave its replies unread.
        """
        super().__init__(
            partial(Link, Side.ACCEPTOR, party, secret_key),
            owner,
            hello_timeout=hello_timeout,
            unread_timeout=unread_timeout,
        )
        self._party = party

    def __repr__(self) -> str:
        return f"<LinkListener of {self._party.role.value}, {len(self.links)} links>"
