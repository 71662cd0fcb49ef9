"""The link of a consumer to one gateway: messages come in on it, acknowledgements go out.

It stays, and asks for messages each time it opens. What the gateway gave on a link that ended is settled, as it
comes again. Before it is closed the gateway is asked to stop, and its answer is awaited: what was on its way until then is
given back like what was in store, so that nothing that nobody has looked at counts as tried.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Protocol

from gateway_client.aio.kept_outlet import KeptOutlet
from gateway_client.config import ASK_AGAIN_PAUSE
from gateway_client.consuming import Intake, IntakeState, Request, Store
from gateway_wire.errors import GatewayError, LinkError, RemoteProtocolError

if TYPE_CHECKING:
    from gateway_client.aio.message import AsyncMessage
    from gateway_client.cluster import Cluster
    from gateway_client.directory import Node
    from gateway_client.troubles import Troubles
    from gateway_wire.aio.link import AioLink
    from gateway_wire.frames import Envelope
    from gateway_wire.hello import Party

__all__ = ["ConsumerLink", "Owner"]


class Owner(Protocol):
    """Whose links they are: the consumer.

    Attributes:
        store: Where messages go.
        troubles: Is told what keeps them from coming.
        is_closing: Whether no more are wanted.
    """

    store: Store[AsyncMessage]
    troubles: Troubles
    is_closing: bool

    def link_received(self) -> None:
        """Take note that messages may have come."""

    def link_changed(self, link: ConsumerLink) -> None:
        """Take note that a gateway agreed or refused to send, or that its link has ended."""

    def stop(self) -> float:
        """Have all gateways stop, once; return the loop time until which they are waited for."""


class ConsumerLink(KeptOutlet):
    """The way of messages from one gateway, for as long as it is announced."""

    __slots__ = ("_intake", "_is_retired", "_owner", "_retry", "_stopped")

    def __init__(self, node: Node, cluster: Cluster, party: Party, owner: Owner) -> None:
        """Make it and begin to dial."""
        self._owner = owner
        self._intake: Intake[AsyncMessage] | None = None
        self._stopped: asyncio.Future[None] | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._is_retired = False
        super().__init__(node, cluster, party, "the consumer is closing")

    def __repr__(self) -> str:
        return f"<ConsumerLink to {self.node.address}: {self._intake or 'dialling'}>"

    @property
    def address(self) -> str:
        """Where the gateway is."""
        return str(self.node.address)

    def stop(self) -> None:
        """Have no more messages sent."""
        if self._intake is not None:
            self._intake.stop()

    async def close(self) -> None:
        """Give back what nobody has looked at, then say goodbye; bounded in time."""
        until = self._owner.stop()
        if self._intake is not None and not self._intake.is_finished:
            loop = asyncio.get_running_loop()
            self._stopped = loop.create_future()
            await asyncio.wait([self._stopped], timeout=until - loop.time())
        self._owner.store.flush()
        await super().close()

    def retire(self) -> None:
        """Say goodbye once what was sent is written, and dial no more."""
        self._is_retired = True
        self._cancel_retry()
        self._owner.troubles.forget(self.address)
        super().retire()

    # What the link tells.

    def dial_failed(self, why_not: str, error: Exception) -> None:
        """Tell that the gateway could not be reached; it is dialled again."""
        self._owner.troubles.not_linked(self.address, why_not, error)
        self._owner.link_changed(self)

    def link_opened(self, link: AioLink) -> None:
        """Ask for messages."""
        super().link_opened(link)
        if not self._owner.is_closing:
            self._intake = self._owner.store.opened(partial(_send, link))

    def link_received(self, link: AioLink, envelopes: list[Envelope]) -> None:
        """Put messages into the store."""
        intake = self._intake
        if intake is None:  # it was not asked for anything, as the consumer is closing
            return
        before = intake.state
        try:
            intake.receive(envelopes)
        except RemoteProtocolError as error:
            link.abort(error)
        if intake.state is not before:
            self._moved_on(link, intake)
        self._owner.link_received()

    def link_closed(self, link: AioLink, reason: GatewayError) -> None:
        """Forget what belonged to the link; it is dialled again."""
        intake, self._intake = self._intake, None
        self._cancel_retry()
        super().link_closed(link, reason)
        if intake is not None:
            if intake.refusal is None and not self._is_retired:
                self._owner.troubles.lost(self.address, reason)
            intake.lose()
        self._finished()
        self._owner.link_changed(self)

    # Private methods

    def _moved_on(self, link: AioLink, intake: Intake[AsyncMessage]) -> None:
        if intake.refusal is not None:
            self._owner.troubles.refused(self.address, intake.refusal)
            again = LinkError("it is asked again for messages")
            loop = asyncio.get_running_loop()
            self._retry = loop.call_later(ASK_AGAIN_PAUSE, link.abort, again)
        elif intake.state is IntakeState.CONSUMING:
            self._owner.troubles.consuming(self.address)
        if intake.is_finished:
            self._finished()
        self._owner.link_changed(self)

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()

    def _finished(self) -> None:
        if self._stopped is not None and not self._stopped.done():
            self._stopped.set_result(None)


def _send(link: AioLink, requests: list[Request]) -> None:
    """Write what is to be said: this turn of the loop ends with it."""
    if link.is_open:
        for command, request_id in requests:
            link.send(command, request_id)
        link.flush()
