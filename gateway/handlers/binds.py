"""Binding connections to uids and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.handlers.checks import check_names
from gateway_wire.commands import BindUid, Command, JoinGroups, LeaveGroups, UnbindUid, Ungroup

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.hub import Hub

__all__ = ["BindHandlers"]


class BindHandlers:
    """Executes the commands of :mod:`gateway_wire.commands.binds`."""

    def __init__(self, hub: Hub) -> None:
        """Take the indexes that the commands change."""
        self._hub = hub

    def table(self) -> dict[type[Command], Callable[[Any], object]]:
        """Return the function for each command class."""
        return {
            BindUid: self.bind_uid,
            UnbindUid: self.unbind_uid,
            JoinGroups: self.join_groups,
            LeaveGroups: self.leave_groups,
            Ungroup: self.ungroup,
        }

    def bind_uid(self, command: BindUid) -> bool:
        """Bind a connection to a uid."""
        check_names("uid", (command.uid,))
        connection = self._hub.connections.get(command.client_id)
        if connection is None:
            return False
        self._hub.bind(connection, command.uid)
        return True

    def unbind_uid(self, command: UnbindUid) -> bool:
        """Unbind a connection from a uid, if it is that one."""
        connection = self._hub.connections.get(command.client_id)
        if connection is None:
            return False
        self._hub.unbind(connection, command.uid)
        return True

    def join_groups(self, command: JoinGroups) -> bool:
        """Make a connection a member of some groups."""
        check_names("group", command.groups)
        connection = self._hub.connections.get(command.client_id)
        if connection is None:
            return False
        for group in command.groups:
            self._hub.join(connection, group)
        return True

    def leave_groups(self, command: LeaveGroups) -> bool:
        """End a connection's membership in some groups."""
        connection = self._hub.connections.get(command.client_id)
        if connection is None:
            return False
        for group in command.groups:
            self._hub.leave(connection, group)
        return True

    def ungroup(self, command: Ungroup) -> int:
        """Dissolve a group."""
        return self._hub.dissolve(command.group)
