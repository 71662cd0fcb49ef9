"""What the entry module reaches of its gateway: the parts, and nothing of how they are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from gateway.clients import Clients
    from gateway.connection import Connection
    from gateway.entry.lane import Lane
    from gateway.hub import Hub
    from gateway.outbox import Outbox
    from gateway.queues.queues import Queues
    from gateway_wire.messages import Message
    from gateway_wire.names import Name

__all__ = ["Mesh", "Ports", "Published"]


class Published(Protocol):
    """How far a message reached that was published."""

    @property
    def success(self) -> int:
        """Connections that took it."""

    @property
    def fail(self) -> int:
        """Where it was not, or perhaps not, sent."""


class Mesh(Protocol):
    """Sends to clients of all gateways."""

    async def send(self, client_id: str, data: Message) -> bool:
        """Send a message to one client; return whether it was there to take it."""

    async def publish(self, channel: Name, data: Message) -> Published:
        """Send a message to the members of a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The parts of a gateway process that handlers act upon.

    Attributes:
        hub: Who is connected.
        outbox: What is on the way to them.
        clients: Closes connections, and lets them in.
        queues: Where pushed messages go.
        mesh: The way to all gateways.
        max_message: Largest message to a client, in bytes.
        clock: Gives the loop's time.
        lanes: What connections have under way; those of the others are idle.
        waits: Who waits for a session to be stored, by connection.
    """

    hub: Hub
    outbox: Outbox
    clients: Clients
    queues: Queues
    mesh: Mesh
    max_message: int
    clock: Callable[[], float]
    lanes: dict[Connection, Lane] = field(default_factory=dict)
    waits: dict[Connection, set[asyncio.Future[None]]] = field(default_factory=dict)
