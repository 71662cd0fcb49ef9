"""What the entry module's `mesh` does: sends to clients of all gateways, by the client library."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway_client import AsyncGatewayClient, Published
    from gateway_wire.messages import Message
    from gateway_wire.names import Name

__all__ = ["ClusterMesh"]


class ClusterMesh:
    """Sends to clients of all gateways (a `gateway.entry.ports.Mesh`).

    Args:
        client: Asks the cluster; closed by who made it.
    """

    __slots__ = ("_client",)

    def __init__(self, client: AsyncGatewayClient) -> None:
        self._client = client

    def __repr__(self) -> str:
        return f"<ClusterMesh by {self._client!r}>"

    async def send(self, client_id: str, data: Message) -> bool:
        """Send a message to one client; return whether it was there to take it.

        Raises:
            GatewayError: The gateway that has it cannot be asked.
            TypeError, ValueError: It is no message, or the id is none.
        """
        return bool(await self._client.send_to_client(client_id, data))

    async def publish(self, channel: Name, data: Message) -> Published:
        """Send a message to the members of a group.

        Raises:
            GatewayError: No gateway can be asked.
            TypeError, ValueError: It is no message, or the channel is no name.
        """
        return await self._client.publish(channel, data)
