"""Reading and writing the sessions of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgpack

from gateway.handlers.parts import sessions_in_parts
from gateway_wire.commands import (
    AllSessions,
    Command,
    CommandError,
    GetSession,
    SessionsByGroups,
    SetSession,
    UpdateSession,
    check_session,
)
from gateway_wire.errors import ErrorCode
from gateway_wire.limits import MAX_SESSION

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from gateway.connection import Connection
    from gateway.hub import Hub

__all__ = ["SessionHandlers", "check_size", "check_values", "merged"]


class SessionHandlers:
    """Executes the commands of :mod:`gateway_wire.commands.sessions`."""

    def __init__(self, hub: Hub) -> None:
        """Take the indexes by which connections are found."""
        self._hub = hub

    def table(self) -> dict[type[Command], Callable[[Any], object]]:
        """Return the function for each command class."""
        return {
            SetSession: self.set_session,
            UpdateSession: self.update_session,
            GetSession: self.get_session,
            SessionsByGroups: self.sessions_by_groups,
            AllSessions: self.all_sessions,
        }

    def set_session(self, command: SetSession) -> bool:
        """Replace a connection's session."""
        connection = self._hub.connections.get(command.client_id)
        check_values(command.session)
        check_size(command.session)
        if connection is None:
            return False
        self._hub.store_session(connection, command.session)
        connection.session_moved()
        return True

    def update_session(self, command: UpdateSession) -> bool:
        """Merge into a connection's session."""
        connection = self._hub.connections.get(command.client_id)
        check_values(command.changes)
        if connection is None:
            return False
        session = merged(connection.session, command.changes)
        check_size(session)
        self._hub.store_session(connection, session)
        connection.session_moved()
        return True

    def get_session(self, command: GetSession) -> Mapping[Any, Any] | None:
        """Return a connection's session, None if it is offline."""
        connection = self._hub.connections.get(command.client_id)
        return None if connection is None else connection.session

    def sessions_by_groups(
        self, command: SessionsByGroups
    ) -> Generator[dict[str, dict[Any, Any]], None, None]:
        """Return the sessions of the members of some groups."""
        return self._sessions(self._hub.of_groups(command.groups))

    def all_sessions(self, _: AllSessions) -> Generator[dict[str, dict[Any, Any]], None, None]:
        """Return all sessions."""
        return self._sessions(self._hub.connections.values())

    def _sessions(
        self, connections: Iterable[Connection]
    ) -> Generator[dict[str, dict[Any, Any]], None, None]:
        here = self._hub.connections
        return sessions_in_parts(
            (each.client_id, dict(each.session))
            for each in tuple(connections)
            if each.client_id in here
        )


def merged(session: Mapping[Any, Any], changes: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a session with changes merged in: dicts recursively, anything else replaced."""
    result = dict(session)
    for key, value in changes.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = merged(old, value)
        else:
            result[key] = value
    return result


def check_values(session: dict[Any, Any]) -> None:
    """Check that a session, or changes to one, hold what sessions may hold.

    Raises:
        CommandError: If not; the message names the place.
    """
    try:
        check_session(session)
    except (TypeError, ValueError) as error:
        raise CommandError(ErrorCode.INVALID, str(error)) from error


def check_size(session: dict[Any, Any]) -> None:
    """Check that a session is not too large.

    Raises:
        CommandError: If it is.
    """
    size = len(msgpack.packb(session))
    if size > MAX_SESSION:
        text = f"the session has {size:,} bytes, the limit is {MAX_SESSION:,}: store a key to it"
        raise CommandError(ErrorCode.TOO_LARGE, text)
