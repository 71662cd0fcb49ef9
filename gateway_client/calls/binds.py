"""The binds: which uid a connection has and which groups it is in."""

from __future__ import annotations

from gateway_client.calls.base import Call, EveryCall, OwnerCall, flag, reached
from gateway_client.reached import Reached
from gateway_wire.commands import BindUid, Command, JoinGroups, LeaveGroups, UnbindUid, Ungroup
from gateway_wire.ids import ParsedId, parse_client_id
from gateway_wire.names import Name, Names, name_of, names_of

__all__ = ["bind_uid", "join_group", "leave_group", "unbind_uid", "ungroup"]


def bind_uid(client_id: str, uid: Name, *, timeout: float | None = None) -> Call[bool]:
    """Bind a connection to a uid, replacing the one it had; a uid may have many connections.

    Args:
        client_id: The id that the page received in its init message and posted.
        uid: Your own id of the user: `str`, `int` or `UUID`.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether the client was there. Binds end with the connection.

    Raises:
        TypeError: If the uid is of another type, such as None.
        ValueError: If the uid is empty.
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked; nothing was done.
        ReplyTimeout: If its gateway did not answer; it may have been done.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    return _bind("bind_uid", owner, BindUid(owner.text, name_of("uid", uid)), timeout)


def unbind_uid(client_id: str, uid: Name, *, timeout: float | None = None) -> Call[bool]:
    """Unbind a connection from a uid, if it is bound to that uid and no other.

    Args:
        client_id: The connection.
        uid: The uid it is to lose.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether the client was there.

    Raises:
        TypeError: If the uid is of another type, such as None.
        ValueError: If the uid is empty.
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked; nothing was done.
        ReplyTimeout: If its gateway did not answer; it may have been done.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    return _bind("unbind_uid", owner, UnbindUid(owner.text, name_of("uid", uid)), timeout)


def join_group(client_id: str, group: Names, *, timeout: float | None = None) -> Call[bool]:
    """Make a connection a member of a group, or of several.

    Args:
        client_id: The connection.
        group: One group or a list of them (`str`, `int` or `UUID`).
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether the client was there. Joining twice is harmless; memberships end with the
        connection, and a group lives while it has members.

    Raises:
        TypeError: If a group is of another type, such as None.
        ValueError: If a group is empty.
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked; nothing was done.
        ReplyTimeout: If its gateway did not answer; it may have been done.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    return _bind("join_group", owner, JoinGroups(owner.text, names_of("group", group)), timeout)


def leave_group(client_id: str, group: Names, *, timeout: float | None = None) -> Call[bool]:
    """End a connection's membership in a group, or in several.

    Args:
        client_id: The connection.
        group: One group or a list of them (`str`, `int` or `UUID`).
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether the client was there, member or not.

    Raises:
        TypeError: If a group is of another type, such as None.
        ValueError: If a group is empty.
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked; nothing was done.
        ReplyTimeout: If its gateway did not answer; it may have been done.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    return _bind("leave_group", owner, LeaveGroups(owner.text, names_of("group", group)), timeout)


def ungroup(group: Name, *, strict: bool = False, timeout: float | None = None) -> Call[Reached]:
    """Dissolve a group; its connections stay open.

    Args:
        group: The group.
        strict: Raise unless every gateway did it.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        How many members it had, with `.not_sent` and `.unknown` as for a send.

    Raises:
        TypeError: If the group is of another type, such as None.
        ValueError: If the group is empty.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: With `strict`, if not every gateway did it.

    Cost: one command to each gateway.
    """
    command = Ungroup(name_of("group", group))
    return EveryCall("ungroup", timeout, command, reached, strict=strict)


def _bind(name: str, owner: ParsedId, command: Command, timeout: float | None) -> Call[bool]:
    return OwnerCall(name, timeout, command, owner.node_key, flag)
