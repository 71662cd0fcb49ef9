"""The link of a worker to one gateway: events come in on it, and everything said to the gateway goes out.

It is the client library's way out to a gateway over a link that stays (`KeptOutlet`). So a handler's calls, its
session patch and the acknowledgement of its event leave in the order in which they were made.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol, cast

from businessworker.link_source import Answer, LinkSource
from gateway_client.aio.kept_outlet import KeptOutlet
from gateway_wire.commands import (
    WORKER_EVENTS,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    Command,
    Error,
    LeaveEvents,
    TakeEvents,
)
from gateway_wire.errors import GatewayError, LinkRefused, RemoteProtocolError
from gateway_wire.frames import encode_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from businessworker.source import Source
    from gateway_client.cluster import Cluster
    from gateway_client.directory import Node
    from gateway_client.tally import Losses
    from gateway_wire.addresses import Address
    from gateway_wire.aio.link import AioLink
    from gateway_wire.frames import Envelope
    from gateway_wire.hello import Party

__all__ = ["GatewayLink", "LinkState", "Owner", "Receiver"]

_HANDLED: Final = frozenset({ClientConnected, ClientMessage, ClientClosed})
"""The commands that have an event id."""


class Receiver(Protocol):
    """Who takes the events: the dispatcher."""

    def receive(self, source: Source, commands: list[Command]) -> None:
        """Take what came from a gateway, in the order of its link."""

    def source_lost(self, source: Source) -> None:
        """Forget the clients of a gateway whose link ended."""


class Owner(Protocol):
    """Who owns the links of all gateways, as one of them sees it.

    Attributes:
        losses: Is told what does not reach the gateway.
        sent: Counts what handlers say to their current clients.
    """

    losses: Losses
    sent: int

    @property
    def receiver(self) -> Receiver | None:
        """Who takes the events; None until they are wanted."""

    def next_request_id(self) -> int:
        """Return a request id that is not in use."""

    def introduction(self) -> TakeEvents | None:
        """Return how the worker asks for events, or None while it wants none."""

    def link_changed(self, link: GatewayLink) -> None:
        """Take note that a link has opened or ended, or that the gateway answered."""


class LinkState(Enum):
    """How far the way to one gateway has come; the words stand in status."""

    DIALLING = "dialling"
    OPEN = "open"
    ASKING = "asking for events"
    TAKING = "taking events"
    LEAVING = "leaving"
    LEFT = "left"


class GatewayLink(KeptOutlet):
    """The way to one gateway, for as long as it is announced.

    Attributes:
        state: How far it has come.
        trouble: Why it sends no events, as the end of a sentence that begins with it; else empty.
        has_stopped: Whether it said goodbye, so that this is how it should be.
        is_tried: Whether it was tried once: it has taken us, or could not.
    """

    __slots__ = (
        "_events_before",
        "_owner",
        "_source",
        "has_stopped",
        "is_tried",
        "state",
        "trouble",
    )

    def __init__(self, node: Node, cluster: Cluster, party: Party, owner: Owner) -> None:
        """Make it and begin to dial."""
        super().__init__(node, cluster, party, "the worker is closing")
        self.state = LinkState.DIALLING
        self.trouble = ""
        self.has_stopped = False
        self.is_tried = False
        self._owner = owner
        self._source: LinkSource | None = None
        self._events_before = 0

    def __repr__(self) -> str:
        return f"<GatewayLink to {self.node.address} {self.state.value}>"

    @property
    def address(self) -> Address:
        """Where the gateway is."""
        return self.node.address

    @property
    def events(self) -> int:
        """Events that came from it."""
        return self._events_before + (self._source.events if self._source else 0)

    @property
    def unfinished(self) -> int:
        """Events of the link that is open which are not acknowledged yet."""
        return self._source.events - self._source.acknowledged if self._source else 0

    @property
    def is_taking(self) -> bool:
        """Whether events may come and the gateway was not told that we leave."""
        return self.state in {LinkState.ASKING, LinkState.TAKING}

    def request(
        self, link: AioLink, command: Command, settled: Callable[[Error | None], None]
    ) -> None:
        """Send a command of the worker's own on the link that is open.

        Args:
            link: That link.
            command: The command.
            settled: Called with None when it was executed, with the answer if it was refused; never
                if the link is lost.
        """
        request_id = self._owner.next_request_id()
        link.send_frame(encode_frame(command, request_id))
        self._open[request_id] = Answer(settled)

    def count_sent(self) -> None:
        """Count a command for a handler's current client."""
        self._owner.sent += 1

    def count_lost(self) -> None:
        """Count one that found no link, or one that is not read."""
        self._owner.losses.count += 1

    def take_events(self) -> None:
        """Ask for events if the link is open and none were asked for on it."""
        introduction = self._owner.introduction()
        link = self._link
        if link is not None and self.state is LinkState.OPEN and introduction is not None:
            self.state = LinkState.ASKING
            self.request(link, introduction, self._taken)

    def leave_events(self) -> None:
        """Ask to be given no more clients; `state` is LEFT when the last event is acknowledged."""
        link = self._link
        if link is not None and link.is_open and self.is_taking:
            self.state = LinkState.LEAVING
            self.request(link, LeaveEvents(), self._left)

    # What the link tells.

    def dial_failed(self, why_not: str, _: Exception) -> None:
        """Take note that the gateway could not be reached; it is dialled again."""
        self.is_tried = True
        if not self.has_stopped:
            self.trouble = why_not
        self._owner.link_changed(self)

    def link_opened(self, link: AioLink) -> None:
        """Send what waited, and ask for events."""
        self.trouble, self.has_stopped = "", False
        self.state = LinkState.OPEN
        self._source = LinkSource(self, link)
        super().link_opened(link)
        self.take_events()
        self._owner.link_changed(self)

    def link_received(self, link: AioLink, envelopes: list[Envelope]) -> None:
        """Give events to the dispatcher and answers to their requests, in their order."""
        source = self._source
        if source is None:
            raise AssertionError("a link that receives was opened")
        self._cluster.health.answered(self.node.node_id)
        events: list[Command] = []
        try:
            for command, request_id, _ in envelopes:
                if type(command) in WORKER_EVENTS:
                    events.append(cast("Command", command))
                    continue
                if events:
                    self._hand_over(source, events)
                    events = []
                self._receive(command, request_id)
            if events:
                self._hand_over(source, events)
        except RemoteProtocolError as error:
            link.abort(error)

    def link_closed(self, link: AioLink, reason: GatewayError) -> None:
        """Forget what belonged to the link; it is dialled again."""
        source, self._source = self._source, None
        self.state, self.is_tried = LinkState.DIALLING, True
        self.has_stopped = isinstance(reason, LinkRefused) and reason.is_stop
        self.trouble = "has stopped" if self.has_stopped else f"is lost: {reason}"
        super().link_closed(link, reason)
        if source is not None:
            self._events_before += source.events
            if self._owner.receiver is not None:
                self._owner.receiver.source_lost(source)
        self._owner.link_changed(self)

    # Private methods

    def _hand_over(self, source: LinkSource, events: list[Command]) -> None:
        receiver = self._owner.receiver
        if receiver is None:
            raise RemoteProtocolError("it sent events that were not asked for")
        source.events += sum(type(each) in _HANDLED for each in events)
        receiver.receive(source, events)

    def _taken(self, refusal: Error | None) -> None:
        self.is_tried = True
        if refusal is not None:
            self.state = LinkState.OPEN
            self.trouble = f"sends this worker no events: {refusal.text}"
        elif self.state is LinkState.ASKING:
            self.state = LinkState.TAKING
        self._owner.link_changed(self)

    def _left(self, _: Error | None) -> None:
        self.state = LinkState.LEFT
        self._owner.link_changed(self)
