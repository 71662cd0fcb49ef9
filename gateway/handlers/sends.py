"""Sending messages and closing connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.handlers.checks import check_close, check_message
from gateway_wire.commands import (
    CloseClient,
    CloseGroups,
    CloseUids,
    Command,
    DestroyClient,
    SendToAll,
    SendToClients,
    SendToGroups,
    SendToUids,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from gateway.clients import Clients
    from gateway.connection import Connection
    from gateway.hub import Hub
    from gateway.outbox import Outbox

__all__ = ["SendHandlers"]


class SendHandlers:
    """Executes the commands of :mod:`gateway_wire.commands.sends`."""

    def __init__(self, hub: Hub, outbox: Outbox, clients: Clients, max_message: int) -> None:
        """Take what the commands act upon; `max_message` is in bytes."""
        self._hub = hub
        self._outbox = outbox
        self._clients = clients
        self._max_message = max_message

    def table(self) -> dict[type[Command], Callable[[Any], object]]:
        """Return the function for each command class."""
        return {
            SendToAll: self.send_to_all,
            SendToClients: self.send_to_clients,
            SendToUids: self.send_to_uids,
            SendToGroups: self.send_to_groups,
            CloseClient: self.close_client,
            DestroyClient: self.destroy_client,
            CloseUids: self.close_uids,
            CloseGroups: self.close_groups,
        }

    def send_to_all(self, command: SendToAll) -> int:
        """Push to every connection but the excluded ones."""
        targets = self._hub.connections.values()
        return self._push(targets, command.message, command.exclude_client_ids)

    def send_to_clients(self, command: SendToClients) -> int:
        """Push to the connections named."""
        return self._push(self._hub.of_clients(command.client_ids), command.message)

    def send_to_uids(self, command: SendToUids) -> int:
        """Push to the connections of some uids."""
        return self._push(self._hub.of_uids(command.uids), command.message)

    def send_to_groups(self, command: SendToGroups) -> int:
        """Push to the members of some groups but the excluded ones."""
        targets = self._hub.of_groups(command.groups)
        return self._push(targets, command.message, command.exclude_client_ids)

    def close_client(self, command: CloseClient) -> bool:
        """Close one connection, after a last message if there is one."""
        targets = self._hub.of_clients([command.client_id])
        return self._close(targets, command) == 1

    def destroy_client(self, command: DestroyClient) -> bool:
        """Cut one connection."""
        connection = self._hub.connections.get(command.client_id)
        if connection is None:
            return False
        self._clients.destroy(connection)
        return True

    def close_uids(self, command: CloseUids) -> int:
        """Close the connections of some uids."""
        return self._close(self._hub.of_uids(command.uids), command)

    def close_groups(self, command: CloseGroups) -> int:
        """Close the members of some groups."""
        return self._close(self._hub.of_groups(command.groups), command)

    def _push(
        self,
        targets: Collection[Connection],
        message: str | bytes,
        exclude_client_ids: list[str] | None = None,
    ) -> int:
        check_message(message, self._max_message)
        if exclude_client_ids:
            excluded = self._hub.of_clients(exclude_client_ids)
            targets = [each for each in targets if each not in excluded]
        return self._outbox.offer(targets, message)

    def _close(
        self, targets: Iterable[Connection], command: CloseClient | CloseUids | CloseGroups
    ) -> int:
        check_message(command.message, self._max_message)
        check_close(command.close_code, command.reason)
        closing = tuple(targets)
        for connection in closing:
            self._clients.close(connection, command.message, command.close_code, command.reason)
        return len(closing)
