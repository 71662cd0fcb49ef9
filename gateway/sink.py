"""How an event reaches a worker: the seam between the dispatch and what a worker speaks.

The dispatch decides which worker gets an event and when (:mod:`gateway.dispatch`). How it is written, and
what the worker must be told before it, is the sink's: here that of our own protocol. Another protocol
brings a sink of its own. Nothing waits here: a sink sends at once, or says that its link has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway_wire.commands import ClientAssigned, ClientSession
from gateway_wire.frames import encode_frame

if TYPE_CHECKING:
    from gateway.connection import Connection
    from gateway.holding import Event

__all__ = ["EventSink", "FrameLink", "LinkSink"]


class EventSink(Protocol):
    """Where the events of one worker go."""

    @property
    def last_heard(self) -> float:
        """When the worker last showed that it lives, in the loop's time."""

    def send(self, connection: Connection, event: Event) -> int:
        """Send an event of a client, and before it what the worker must be told.

        Args:
            connection: The client.
            event: What it did; the `event_id` is set.

        Returns:
            The bytes that it took.

        Raises:
            LocalProtocolError: If the link is not open.
        """


class FrameLink(Protocol):
    """What is needed of the link to a worker that speaks our protocol."""

    @property
    def last_heard(self) -> float:
        """When the last byte came from the worker, in the loop's time."""

    def send_frame(self, frame: bytes) -> None:
        """Send an encoded command.

        Raises:
            LocalProtocolError: If the link is not open.
        """


class LinkSink:
    """Sends the events of one worker in our own protocol (an `EventSink`)."""

    __slots__ = ("_link",)

    def __init__(self, link: FrameLink) -> None:
        """Take the worker's link."""
        self._link = link

    def __repr__(self) -> str:
        return f"<LinkSink {self._link!r}>"

    @property
    def last_heard(self) -> float:
        """When the last byte came from the worker."""
        return self._link.last_heard

    def send(self, connection: Connection, event: Event) -> int:
        """Send an event as a command, behind the news of its client."""
        link, frame = self._link, encode_frame(event)
        size = len(frame)
        if connection.untold is not None:
            told = encode_frame(_news(connection))
            link.send_frame(told)
            size += len(told)
            connection.untold = None
        link.send_frame(frame)
        return size


def _news(connection: Connection) -> ClientAssigned | ClientSession:
    """Return what a client's worker must be told before the next event."""
    session = dict(connection.session)
    if connection.untold is ClientSession:
        return ClientSession(connection.client_id, session)
    address, port = connection.remote_addr, connection.remote_port
    return ClientAssigned(connection.client_id, session, address, port, connection.listener)
