"""CONNMIX's names: a connection's context is its session, and a channel is a group.

There is one thing behind each pair of names. What is set as context is read with `get_session` and
by business workers as `session`; whoever is subscribed to a channel is a member of the group of that
name. Nothing is kept here that the others do not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway_client.calls.base import Call, EveryCall, OwnerCall, ReadyCall, flag
from gateway_client.reached import Published
from gateway_wire.commands import (
    Command,
    JoinGroups,
    LeaveGroups,
    PatchSession,
    SendToGroups,
    SetSession,
    check_session,
)
from gateway_wire.ids import ParsedId, parse_client_id
from gateway_wire.messages import Message, message_size, payload_of
from gateway_wire.names import Name, Names, names_of

__all__ = ["publish", "set_context", "set_context_value", "subscribe", "unsubscribe"]


def set_context(
    client_id: str, context: dict[Any, Any], *, timeout: float | None = None
) -> Call[bool]:
    """Replace a connection's context, which is its session.

    Args:
        client_id: The connection.
        context: The new one: None, bool, 64-bit int, float, str, bytes, list and dict, with str or
            int keys.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether the client was there.

    Raises:
        TypeError: If it holds what sessions cannot hold; the message names the place.
        ValueError: If an integer has more than 64 bits or it is nested too deeply.
        MessageTooLarge: If it is larger than 1 MiB.
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked.
        ReplyTimeout: If its gateway did not answer.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    check_session(context)
    return _told("set_context", owner, SetSession(owner.text, context), timeout)


def set_context_value(
    client_id: str, key: str | int, value: Any, *, timeout: float | None = None
) -> Call[bool]:
    """Set one key of a connection's context, which is its session; the others stay as they are.

    Args:
        client_id: The connection.
        key: The key. What it held is replaced as a whole, where `update_session` would merge dicts.
        value: Its value, of the types that `set_context` takes.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether the client was there.

    Raises:
        TypeError: If the value holds what sessions cannot hold; the message names the place.
        ValueError: If an integer has more than 64 bits or it is nested too deeply.
        MessageTooLarge: If the session becomes larger than 1 MiB.
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked.
        ReplyTimeout: If its gateway did not answer.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    changed = {key: value}
    check_session(changed)
    command = PatchSession(owner.text, changed, [], known=False)
    return _told("set_context_value", owner, command, timeout)


def subscribe(client_id: str, *channels: Name, timeout: float | None = None) -> Call[bool]:
    """Subscribe a connection to channels, which are groups: what is published there reaches it.

    Args:
        client_id: The connection.
        *channels: At least one (`str`, `int` or `UUID`).
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether the client was there. Subscribing twice is harmless; subscriptions end with the
        connection.

    Raises:
        TypeError: If no channel is given, or one is of another type, such as None or a list.
        ValueError: If a channel is empty.
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked; nothing was done.
        ReplyTimeout: If its gateway did not answer; it may have been done.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    command = JoinGroups(owner.text, _some("subscribe", channels))
    return _told("subscribe", owner, command, timeout)


def unsubscribe(client_id: str, *channels: Name, timeout: float | None = None) -> Call[bool]:
    """End a connection's subscriptions to channels, which are groups.

    Args:
        client_id: The connection.
        *channels: At least one (`str`, `int` or `UUID`).
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether the client was there, subscribed or not.

    Raises:
        TypeError: If no channel is given, or one is of another type, such as None or a list.
        ValueError: If a channel is empty.
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked; nothing was done.
        ReplyTimeout: If its gateway did not answer; it may have been done.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    command = LeaveGroups(owner.text, _some("unsubscribe", channels))
    return _told("unsubscribe", owner, command, timeout)


def publish(channel: Names, data: Message, *, timeout: float | None = None) -> Call[Published]:
    """Push a message to the subscribers of a channel, which is a group: `send_to_group`, counted.

    Args:
        channel: One channel or a list of them (`str`, `int` or `UUID`); each subscriber receives once.
        data: `str` for a text message, `bytes` for a binary one, `dict` or `list` for JSON text.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        How many connections took it into their outbox, with `.success`, `.fail` and `.total`.

    Raises:
        TypeError: If a channel or the data is of another type, or JSON cannot carry it.
        ValueError: If a channel is empty.
        MessageTooLarge: If the data is above `max_message`.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.

    Cost: one command to each gateway.
    """
    payload = payload_of(data)
    channels = names_of("channel", channel)
    if not channels:
        return ReadyCall("publish", timeout, Published(0))
    command = SendToGroups(channels, payload, None)
    return EveryCall("publish", timeout, command, _published, size=message_size(payload))


def _told(name: str, owner: ParsedId, command: Command, timeout: float | None) -> Call[bool]:
    return OwnerCall(name, timeout, command, owner.node_key, flag)


def _some(method: str, channels: Sequence[Name]) -> list[str]:
    if not channels:
        raise TypeError(f"{method} needs at least one channel after the client id")
    return names_of("channel", channels)


def _published(counts: Sequence[int]) -> Published:
    return Published(sum(counts))
