"""Answering who is here.

Counts of connections are sizes of what the hub keeps. Counts of uids per group walk the group's
members, and the questions for all groups walk all groups, part by part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.handlers.parts import counts_in_parts, list_in_parts, lists_in_parts
from gateway_wire.commands import (
    ClientIdsByGroups,
    ClientIdsByUids,
    Command,
    CountClients,
    CountClientsByGroups,
    CountUids,
    CountUidsByGroups,
    GetUid,
    IsOnline,
    ListAllClientIdsByGroup,
    ListAllUidsByGroup,
    ListClientIds,
    ListGroups,
    ListUids,
    OnlineUids,
    UidsByGroups,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator

    from gateway.connection import Connection
    from gateway.hub import Hub

__all__ = ["QueryHandlers"]


class QueryHandlers:
    """Executes the commands of :mod:`gateway_wire.commands.queries`."""

    def __init__(self, hub: Hub) -> None:
        """Take the indexes that the commands ask."""
        self._hub = hub

    def table(self) -> dict[type[Command], Callable[[Any], object]]:
        """Return the function for each command class."""
        return {
            IsOnline: self.is_online,
            OnlineUids: self.online_uids,
            ClientIdsByUids: self.client_ids_by_uids,
            ClientIdsByGroups: self.client_ids_by_groups,
            ListClientIds: self.list_client_ids,
            CountClients: self.count_clients,
            CountClientsByGroups: self.count_clients_by_groups,
            GetUid: self.get_uid,
            UidsByGroups: self.uids_by_groups,
            CountUidsByGroups: self.count_uids_by_groups,
            ListUids: self.list_uids,
            CountUids: self.count_uids,
            ListGroups: self.list_groups,
            ListAllUidsByGroup: self.list_all_uids_by_group,
            ListAllClientIdsByGroup: self.list_all_client_ids_by_group,
        }

    # Connections.

    def is_online(self, command: IsOnline) -> bool:
        """Tell whether a connection is open."""
        return command.client_id in self._hub.connections

    def list_client_ids(self, _: ListClientIds) -> Generator[list[str], None, None]:
        """List every connection."""
        return list_in_parts(list(self._hub.connections))

    def count_clients(self, _: CountClients) -> int:
        """Count the connections."""
        return len(self._hub.connections)

    def client_ids_by_groups(self, command: ClientIdsByGroups) -> Generator[list[str], None, None]:
        """List the members of some groups."""
        return list_in_parts(_client_ids(self._hub.of_groups(command.groups)))

    def count_clients_by_groups(
        self, command: CountClientsByGroups
    ) -> Generator[dict[str, int], None, None]:
        """Count the members of some groups, or of all."""
        return counts_in_parts(
            (group, len(members), 1) for group, members in self._some_groups(command.groups)
        )

    def list_groups(self, _: ListGroups) -> Generator[list[str], None, None]:
        """List the groups."""
        return list_in_parts(list(self._hub.groups))

    def list_all_client_ids_by_group(
        self, _: ListAllClientIdsByGroup
    ) -> Generator[dict[str, list[str]], None, None]:
        """List the members of every group."""
        return lists_in_parts(
            (group, _client_ids(members), 1) for group, members in self._some_groups(None)
        )

    # Uids.

    def get_uid(self, command: GetUid) -> str | None:
        """Return a connection's uid."""
        connection = self._hub.connections.get(command.client_id)
        return None if connection is None else connection.uid

    def online_uids(self, command: OnlineUids) -> list[str]:
        """List those uids that are online."""
        uids = self._hub.uids
        return [uid for uid in command.uids if uid in uids]

    def client_ids_by_uids(
        self, command: ClientIdsByUids
    ) -> Generator[dict[str, list[str]], None, None]:
        """List the connections of some uids."""
        uids = self._hub.uids
        return lists_in_parts(
            (uid, _client_ids(uids[uid]), 1) for uid in dict.fromkeys(command.uids) if uid in uids
        )

    def list_uids(self, _: ListUids) -> Generator[list[str], None, None]:
        """List the uids."""
        return list_in_parts(list(self._hub.uids))

    def count_uids(self, _: CountUids) -> int:
        """Count the uids."""
        return len(self._hub.uids)

    def uids_by_groups(self, command: UidsByGroups) -> Generator[list[str], None, None]:
        """List the uids of the members of some groups."""
        return list_in_parts(_uids(self._hub.of_groups(command.groups)))

    def count_uids_by_groups(
        self, command: CountUidsByGroups
    ) -> Generator[dict[str, int], None, None]:
        """Count the distinct uids in some groups, or in all."""
        return counts_in_parts(
            (group, len(_uids(members)), len(members))
            for group, members in self._some_groups(command.groups)
        )

    def list_all_uids_by_group(
        self, _: ListAllUidsByGroup
    ) -> Generator[dict[str, list[str]], None, None]:
        """List the uids of every group."""
        return lists_in_parts(
            (group, _uids(members), len(members)) for group, members in self._some_groups(None)
        )

    def _some_groups(
        self, names: Iterable[str] | None
    ) -> Iterator[tuple[str, Collection[Connection]]]:
        """Walk these groups, or all, as they are when each one's turn comes."""
        groups = self._hub.groups
        for name in list(groups) if names is None else dict.fromkeys(names):
            if name in groups:
                yield name, groups[name]


def _client_ids(connections: Iterable[Connection]) -> list[str]:
    return [each.client_id for each in connections]


def _uids(connections: Iterable[Connection]) -> set[str]:
    return {each.uid for each in connections if each.uid is not None}
