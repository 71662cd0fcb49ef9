"""One open link to a gateway, as the dispatcher sees it: a source of events.

What belongs to a link that is lost, above all the ids of its events, must not reach the next one. So each link
that opens is a source of its own, and one that is lost takes nothing any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway_wire.commands import Acknowledge, Command, Error, Reply
from gateway_wire.errors import GatewayError, RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway_wire.addresses import Address
    from gateway_wire.aio.link import AioLink
    from gateway_wire.commands import PatchSession

__all__ = ["Answer", "LinkSource", "Way"]


class Way(Protocol):
    """The way to the gateway, which outlives the link."""

    @property
    def address(self) -> Address:
        """Where the gateway is."""

    def request(
        self, link: AioLink, command: Command, settled: Callable[[Error | None], None]
    ) -> None:
        """Send a command whose answer is awaited."""

    def count_sent(self) -> None:
        """Count a command for a handler's current client."""

    def count_lost(self) -> None:
        """Count one that found no link, or one that is not read."""


class Answer:
    """A request whose answer is a matter of the worker alone."""

    __slots__ = ("_settled",)

    def __init__(self, settled: Callable[[Error | None], None]) -> None:
        self._settled = settled

    def receive(self, answer: object) -> bool:
        """Take the answer."""
        if not isinstance(answer, Reply | Error):
            raise RemoteProtocolError(f"{answer!r:.80} was sent in place of an answer")
        self._settled(answer if isinstance(answer, Error) else None)
        return True

    def fail(self, reason: str, *, sent: bool, error: GatewayError | None = None) -> None:
        """Nobody waits for the answer of a lost link: all that it was about is lost with it."""


class LinkSource:
    """One link to a gateway as the dispatcher sees it (a `Source`).

    Attributes:
        events: Events that came on it.
        acknowledged: How many of them are finished.
    """

    __slots__ = ("_link", "_way", "acknowledged", "events")

    def __init__(self, way: Way, link: AioLink) -> None:
        self._way = way
        self._link = link
        self.events = 0
        self.acknowledged = 0

    def __repr__(self) -> str:
        return f"<LinkSource {self.name}: {self.acknowledged} of {self.events} events finished>"

    @property
    def name(self) -> str:
        """The gateway's internal address."""
        return str(self._way.address)

    @property
    def gateway_addr(self) -> str:
        """The host under which the gateway is known."""
        return self._way.address.host

    def acknowledge(self, event_ids: list[int]) -> None:
        """Say that these events are finished."""
        self.acknowledged += len(event_ids)
        if self._link.is_open:
            self._link.send(Acknowledge(event_ids))

    def send_frame(self, frame: bytes) -> None:
        """Send an encoded command that asks for no reply."""
        if self._link.is_open and self._link.has_room():
            self._way.count_sent()
            self._link.send_frame(frame)
        else:
            self._way.count_lost()

    def patch_session(self, patch: PatchSession, settled: Callable[[Error | None], None]) -> None:
        """Send a session patch; its answer is told."""
        if self._link.is_open:
            self._way.request(self._link, patch, settled)
