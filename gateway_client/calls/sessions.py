"""The sessions: a map of the application's own beside each connection, kept by its gateway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway_client.calls.base import (
    Call,
    EveryCall,
    OwnerCall,
    Partial,
    ReadyCall,
    flag,
    joined,
    only,
)
from gateway_wire.commands import (
    AllSessions,
    GetSession,
    SessionsByGroups,
    SetSession,
    UpdateSession,
    check_session,
)
from gateway_wire.commands.replies import SESSIONS
from gateway_wire.ids import parse_client_id
from gateway_wire.names import Names, names_of

__all__ = [
    "get_all_client_sessions",
    "get_client_sessions_by_group",
    "get_session",
    "set_session",
    "update_session",
]


def set_session(
    client_id: str, session: dict[Any, Any], *, timeout: float | None = None
) -> Call[bool]:
    """Replace a connection's session.

    Args:
        client_id: The connection.
        session: The new one: None, bool, 64-bit int, float, str, bytes, list and dict, with str or
            int keys.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether the client was there.

    Raises:
        TypeError: If it holds what sessions cannot hold; the message names the place.
        ValueError: If an integer has more than 64 bits or it is nested too deeply.
        MessageTooLarge: If the session becomes larger than 1 MiB.
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked.
        ReplyTimeout: If its gateway did not answer.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    check_session(session)
    command = SetSession(owner.text, session)
    return OwnerCall("set_session", timeout, command, owner.node_key, flag)


def update_session(
    client_id: str, session: dict[Any, Any], *, timeout: float | None = None
) -> Call[bool]:
    """Merge changes into a connection's session: dicts recursively, anything else is replaced.

    Args:
        client_id: The connection.
        session: The changes, of the types that `set_session` takes.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether the client was there.

    Raises:
        TypeError: If it holds what sessions cannot hold; the message names the place.
        ValueError: If an integer has more than 64 bits or it is nested too deeply.
        MessageTooLarge: If the session becomes larger than 1 MiB.
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked.
        ReplyTimeout: If its gateway did not answer.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    check_session(session)
    command = UpdateSession(owner.text, session)
    return OwnerCall("update_session", timeout, command, owner.node_key, flag)


def get_session(client_id: str, *, timeout: float | None = None) -> Call[dict[Any, Any] | None]:
    """Return a connection's session.

    Args:
        client_id: The connection.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        The session, empty if none was set; None if the client is offline.

    Raises:
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked.
        ReplyTimeout: If its gateway did not answer.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    command = GetSession(owner.text)
    return OwnerCall("get_session", timeout, command, owner.node_key, only)


def get_client_sessions_by_group(
    group: Names, *, partial: Partial = "raise", timeout: float | None = None
) -> Call[dict[str, dict[Any, Any]]]:
    """Return the sessions of the members of a group, or of any of several.

    Args:
        group: One group or a list of them; an empty list has no members.
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        By client id, the sessions.

    Raises:
        TypeError: If a group is of another type, such as None.
        ValueError: If a group is empty.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, whose answer grows with the sessions.
    """
    groups = names_of("group", group)
    if not groups:
        return ReadyCall("get_client_sessions_by_group", timeout, {})
    command = SessionsByGroups(groups)
    return EveryCall(
        "get_client_sessions_by_group",
        timeout,
        command,
        _joined_sessions,
        is_query=True,
        partial=partial,
    )


def get_all_client_sessions(
    *, partial: Partial = "raise", timeout: float | None = None
) -> Call[dict[str, dict[Any, Any]]]:
    """Return the sessions of all connections of the cluster.

    Args:
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        By client id, the sessions.

    Raises:
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, whose answer grows with the sessions.
    """
    command = AllSessions()
    return EveryCall(
        "get_all_client_sessions",
        timeout,
        command,
        _joined_sessions,
        is_query=True,
        partial=partial,
    )


def _joined_sessions(answers: Sequence[dict[str, Any]]) -> dict[str, dict[Any, Any]]:
    return joined(SESSIONS, answers)
