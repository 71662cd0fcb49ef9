"""The closes: ending connections, with a last message and a close code, or at once."""

from __future__ import annotations

from gateway_client.calls.base import Call, EveryCall, OwnerCall, ReadyCall, flag, reached
from gateway_client.reached import Reached
from gateway_wire.close_codes import application_reason
from gateway_wire.commands import CloseClient, CloseGroups, CloseUids, DestroyClient
from gateway_wire.ids import parse_client_id
from gateway_wire.messages import Message, message_size, payload_of
from gateway_wire.names import Names, names_of

__all__ = ["close_client", "close_group", "close_uid", "destroy_client"]


def close_client(
    client_id: str,
    message: Message | None = None,
    code: int = 1000,
    reason: str = "",
    *,
    timeout: float | None = None,
) -> Call[bool]:
    """Close a connection once everything sent to it has left.

    Args:
        client_id: The connection.
        message: Sent before closing, unless None.
        code: The close code that the browser sees: 1000, 4000-4999, or one of 3003 (credentials
            expired), 3500 (refused) and 3501 (revoked).
        reason: The reason that the browser sees; at most 123 bytes of UTF-8.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether the client was there.

    Raises:
        TypeError: If the message, code or reason is of another type.
        ValueError: If the code is not the application's, or the reason too long.
        InvalidClientId: If `client_id` is not a client id.
        MessageTooLarge: If the message is above `max_message`.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked; nothing was done.
        ReplyTimeout: If its gateway did not answer; it may have been closed.

    Cost: one command to the gateway that holds the connection.
    """
    payload, size = _last_message(message)
    application_reason(code, reason)
    owner = parse_client_id(client_id)
    command = CloseClient(owner.text, payload, int(code), reason)
    return OwnerCall("close_client", timeout, command, owner.node_key, flag, size=size)


def destroy_client(client_id: str, *, timeout: float | None = None) -> Call[bool]:
    """Cut a connection at once; what waits for it is lost, and the browser sees code 1006.

    Args:
        client_id: The connection.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether the client was there.

    Raises:
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked; nothing was done.
        ReplyTimeout: If its gateway did not answer; it may have been cut.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    command = DestroyClient(owner.text)
    return OwnerCall("destroy_client", timeout, command, owner.node_key, flag)


def close_uid(
    uid: Names,
    message: Message | None = None,
    code: int = 1000,
    reason: str = "",
    *,
    strict: bool = False,
    timeout: float | None = None,
) -> Call[Reached]:
    """Close every connection that is bound to a uid, or to one of several.

    Args:
        uid: One uid or a list of them; an empty list closes nothing.
        message: Sent before closing, unless None.
        code: The close code that the browser sees, as for `close_client`.
        reason: The reason that the browser sees; at most 123 bytes of UTF-8.
        strict: Raise unless every gateway did it.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        How many connections were closed, with `.not_sent` and `.unknown` as for a send.

    Raises:
        TypeError: If a uid, the message, code or reason is of another type.
        ValueError: If a uid is empty, the code not the application's or the reason too long.
        MessageTooLarge: If the message is above `max_message`.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: With `strict`, if not every gateway did it.

    Cost: one command to each gateway.
    """
    payload, size = _last_message(message)
    application_reason(code, reason)
    uids = names_of("uid", uid)
    if not uids:
        return ReadyCall("close_uid", timeout, Reached(0))
    command = CloseUids(uids, payload, int(code), reason)
    return EveryCall("close_uid", timeout, command, reached, strict=strict, size=size)


def close_group(
    group: Names,
    message: Message | None = None,
    code: int = 1000,
    reason: str = "",
    *,
    strict: bool = False,
    timeout: float | None = None,
) -> Call[Reached]:
    """Close every member of a group, or of one of several.

    Args:
        group: One group or a list of them; an empty list closes nothing.
        message: Sent before closing, unless None.
        code: The close code that the browser sees, as for `close_client`.
        reason: The reason that the browser sees; at most 123 bytes of UTF-8.
        strict: Raise unless every gateway did it.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        How many connections were closed, with `.not_sent` and `.unknown` as for a send.

    Raises:
        TypeError: If a group, the message, code or reason is of another type.
        ValueError: If a group is empty, the code not the application's or the reason too long.
        MessageTooLarge: If the message is above `max_message`.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: With `strict`, if not every gateway did it.

    Cost: one command to each gateway.
    """
    payload, size = _last_message(message)
    application_reason(code, reason)
    groups = names_of("group", group)
    if not groups:
        return ReadyCall("close_group", timeout, Reached(0))
    command = CloseGroups(groups, payload, int(code), reason)
    return EveryCall("close_group", timeout, command, reached, strict=strict, size=size)


def _last_message(message: Message | None) -> tuple[str | bytes | None, int]:
    if message is None:
        return None, 0
    payload = payload_of(message)
    return payload, message_size(payload)
