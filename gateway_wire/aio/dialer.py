"""Dialling links: one attempt (:func:`dial`), and one that stays (:class:`KeptLink`).

A link that stays is dialled again whenever it ends, with backoff and full jitter, so that a
hundred gateways do not all fall upon a register that comes back; and it is pinged, so that a peer
that froze is noticed.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from gateway_wire.aio.link import AioLink, LinkLost
from gateway_wire.commands import Ping
from gateway_wire.errors import ErrorCode, GatewayError
from gateway_wire.limits import ANNOUNCE_INTERVAL, NODE_SILENCE
from gateway_wire.link import Link
from gateway_wire.redial import Redial
from gateway_wire.state import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway_wire.addresses import Address
    from gateway_wire.aio.link import LinkEvents
    from gateway_wire.frames import Envelope
    from gateway_wire.hello import Party

__all__ = ["CONNECT_TIMEOUT", "KeptLink", "dial"]

CONNECT_TIMEOUT: Final = 3.0
"""Seconds for connecting and hello together."""


class _Opening:
    """Owner of a link until it is open: passes everything on and settles one future."""

    def __init__(self, owner: LinkEvents) -> None:
        self.owner = owner
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def link_opened(self, link: AioLink) -> None:
        link.owner = self.owner
        self.owner.link_opened(link)
        if not self.opened.done():
            self.opened.set_result(None)

    def link_received(self, _link: AioLink, _envelopes: list[Envelope]) -> None:
        raise AssertionError("nothing is received before the link is open")

    def link_closed(self, _link: AioLink, reason: GatewayError) -> None:
        if not self.opened.done():
            self.opened.set_exception(reason)


async def dial(
    address: Address,
    party: Party,
    secret_key: str,
    owner: LinkEvents,
    timeout: float = CONNECT_TIMEOUT,
) -> AioLink:
    """Dial an address and finish the hello.

    Args:
        address: Where to connect to.
        party: Our side, as it introduces itself.
        secret_key: The cluster's secret key, empty for none.
        owner: Who is told what happens once the link is open; before, nothing is told.
        timeout: Seconds for connecting and hello together.

    Returns:
        The open link; `owner.link_opened` was called.

    Raises:
        OSError: If the connection was refused or the host is unknown.
        TimeoutError: If it took longer than `timeout`.
        GatewayError: If the other side refused the hello or is something else.
    """
    opening = _Opening(owner)
    loop = asyncio.get_running_loop()
    link: AioLink | None = None
    try:
        async with asyncio.timeout(timeout):
            _, link = await loop.create_connection(
                lambda: AioLink(Link(Side.DIALER, party, secret_key), opening, str(address)),
                address.host,
                address.port,
            )
            await opening.opened
    except BaseException:
        if link is not None:
            link.abort(LinkLost(f"gave up dialling {address}"))
        raise
    return link


class KeptLink:
    """A link that is dialled again whenever it ends, until it is stopped.

    Attributes:
        address: Where it goes.
        link: The link while it is open, else None.
        failure: Why the last attempt or link ended; None before, and while it is open.
    """

    def __init__(
        self,
        address: Address,
        party: Party,
        secret_key: str,
        owner: LinkEvents,
        on_failure: Callable[[KeptLink, Exception], None],
        *,
        ping_interval: float = ANNOUNCE_INTERVAL,
        silence: float = NODE_SILENCE,
    ) -> None:
        """Make the link; :meth:`start` begins to dial.

        Args:
            address: Where to connect to.
            party: Our side, as it introduces itself.
            secret_key: The cluster's secret key, empty for none.
            owner: Who is told what happens on each link.
            on_failure: Called with each failed attempt and each end of a link.
            ping_interval: Seconds between two pings.
            silence: Seconds without a byte after which the peer counts as dead.
        """
        self.address = address
        self.link: AioLink | None = None
        self.failure: Exception | None = None
        self._party = party
        self._secret_key = secret_key
        self._owner = owner
        self._on_failure = on_failure
        self._ping_interval = ping_interval
        self._silence = silence
        self._task: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[GatewayError] | None = None

    def __repr__(self) -> str:
        return f"<KeptLink {self.address} {'open' if self.link else self.failure or 'dialling'}>"

    def start(self) -> None:
        """Begin to dial; call once, on the loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self, code: ErrorCode = ErrorCode.STOPPING, text: str = "stopping") -> None:
        """Say goodbye and dial no more; harmless when stopped."""
        task, self._task = self._task, None
        self._end(task, code, text)
        if task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self.link = None

    def retire(self, code: ErrorCode = ErrorCode.STOPPING, text: str = "stopping") -> None:
        """Do the same without waiting for it: the owner is told when the link has ended."""
        task, self._task = self._task, None
        self._end(task, code, text)

    # The owner of each link: passes on what it is told.

    def link_opened(self, link: AioLink) -> None:
        """The link is open."""
        self.link, self.failure = link, None
        self._owner.link_opened(link)

    def link_received(self, link: AioLink, envelopes: list[Envelope]) -> None:
        """Commands arrived."""
        self._owner.link_received(link, envelopes)

    def link_closed(self, link: AioLink, reason: GatewayError) -> None:
        """The link ended; it will be dialled again."""
        self.link = None
        self._owner.link_closed(link, reason)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(reason)

    def _end(self, task: asyncio.Task[None] | None, code: ErrorCode, text: str) -> None:
        if self.link is not None:  # first: a dialling that is cancelled cuts its link
            self.link.close(code, text)
        if task is not None:
            task.cancel()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        redial = Redial()
        while True:
            lasted = 0.0
            self._ended = loop.create_future()
            try:
                link = await dial(self.address, self._party, self._secret_key, self)
            except (OSError, GatewayError) as error:  # TimeoutError is an OSError
                self._failed(error)
            else:
                opened_at = loop.time()
                self._failed(await self._keep(link, self._ended))
                lasted = loop.time() - opened_at
            await asyncio.sleep(redial.pause(lasted))

    async def _keep(self, link: AioLink, ended: asyncio.Future[GatewayError]) -> GatewayError:
        loop = asyncio.get_running_loop()
        due = link.last_heard
        while not ended.done():
            now = loop.time()
            # When it is our side that stood still, what the peer said meanwhile is still to be read.
            stood_still = now - due > self._ping_interval
            due = now + self._ping_interval
            if now - link.last_heard > self._silence and not stood_still:
                link.abort(LinkLost(f"{self.address} was silent for {self._silence:g} s"))
            elif link.is_open:
                link.send(Ping())
            await asyncio.wait([ended], timeout=self._ping_interval)
        return ended.result()

    def _failed(self, error: Exception) -> None:
        self.failure = error
        self._on_failure(self, error)
