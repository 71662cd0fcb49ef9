"""The sends: a message to all, to clients, to uids, to groups."""

from __future__ import annotations

from gateway_client.calls.base import Call, EveryCall, OwnerCall, OwnersCall, ReadyCall, reached
from gateway_client.reached import Reached
from gateway_wire.commands import Command, SendToAll, SendToClients, SendToGroups, SendToUids
from gateway_wire.ids import parse_client_id
from gateway_wire.messages import Message, message_size, payload_of
from gateway_wire.names import ClientIds, Names, client_ids_of, names_of

__all__ = ["send_to_all", "send_to_client", "send_to_group", "send_to_uid"]


def send_to_all(
    message: Message,
    client_ids: ClientIds | None = None,
    exclude_client_ids: ClientIds | None = None,
    *,
    confirm: bool = True,
    strict: bool = False,
    timeout: float | None = None,
) -> Call[Reached]:
    """Push a message to every connection of the cluster, or to these.

    Args:
        message: `str` for a text message, `bytes` for a binary one, `dict` or `list` for JSON text.
        client_ids: Only these connections; an empty list sends nothing. None for all.
        exclude_client_ids: All but these connections.
        confirm: Wait until the gateways have it; with False the result is None and what is lost is
            only counted.
        strict: Raise unless every gateway took it.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        How many connections took it into their outbox; `.not_sent` and `.unknown` name the
        gateways that are not counted.

    Raises:
        TypeError: If the message is of another type, or JSON cannot carry it.
        InvalidClientId: If an id is not a client id.
        MessageTooLarge: If the message is above `max_message`.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: With `strict`, if not every gateway took it; `.value` is what was reached.

    Cost: one command to each gateway, or to each that holds one of `client_ids`.
    """
    payload = payload_of(message)
    size = message_size(payload)
    excluded = client_ids_of(exclude_client_ids) if exclude_client_ids is not None else {}
    if client_ids is None:
        command = SendToAll(payload, list(excluded) or None)
        return EveryCall(
            "send_to_all",
            timeout,
            command,
            reached,
            strict=strict,
            confirm=confirm,
            size=size,
        )
    owners = client_ids_of(client_ids)
    for each in excluded:
        owners.pop(each, None)
    if not owners:
        return ReadyCall("send_to_all", timeout, Reached(0), confirm=confirm)

    def make(ids: list[str]) -> Command:
        return SendToClients(ids, payload)

    return OwnersCall(
        "send_to_all", timeout, owners, make, reached, strict, confirm=confirm, size=size
    )


def send_to_client(
    client_id: str, message: Message, *, confirm: bool = True, timeout: float | None = None
) -> Call[Reached]:
    """Push a message to one connection.

    Args:
        client_id: The id that the page received in its init message.
        message: `str` for a text message, `bytes` for a binary one, `dict` or `list` for JSON text.
        confirm: Wait until the gateway has it; with False the result is None and what is lost is
            only counted.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        1 if the connection took it into its outbox, 0 if it is offline.

    Raises:
        TypeError: If the message is of another type, or JSON cannot carry it.
        InvalidClientId: If `client_id` is not a client id.
        MessageTooLarge: If the message is above `max_message`.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked; nothing was sent.
        ReplyTimeout: If its gateway did not answer; it may have been sent.

    Cost: one command to the gateway that holds the connection.
    """
    payload = payload_of(message)
    owner = parse_client_id(client_id)
    return OwnerCall(
        "send_to_client",
        timeout,
        SendToClients([owner.text], payload),
        owner.node_key,
        reached,
        confirm=confirm,
        size=message_size(payload),
    )


def send_to_uid(
    uid: Names,
    message: Message,
    *,
    confirm: bool = True,
    strict: bool = False,
    timeout: float | None = None,
) -> Call[Reached]:
    """Push a message to every connection that is bound to a uid, or to one of several.

    Args:
        uid: One uid or a list of them (`str`, `int` or `UUID`); an empty list sends nothing.
        message: `str` for a text message, `bytes` for a binary one, `dict` or `list` for JSON text.
        confirm: Wait until the gateways have it; with False the result is None and what is lost is
            only counted.
        strict: Raise unless every gateway took it.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        How many connections took it into their outbox; `.not_sent` and `.unknown` name the
        gateways that are not counted.

    Raises:
        TypeError: If a uid or the message is of another type, or JSON cannot carry it.
        ValueError: If a uid is empty.
        MessageTooLarge: If the message is above `max_message`.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: With `strict`, if not every gateway took it; `.value` is what was reached.

    Cost: one command to each gateway.
    """
    payload = payload_of(message)
    uids = names_of("uid", uid)
    if not uids:
        return ReadyCall("send_to_uid", timeout, Reached(0), confirm=confirm)
    command = SendToUids(uids, payload)
    return EveryCall(
        "send_to_uid",
        timeout,
        command,
        reached,
        strict=strict,
        confirm=confirm,
        size=message_size(payload),
    )


def send_to_group(
    group: Names,
    message: Message,
    exclude_client_ids: ClientIds | None = None,
    *,
    confirm: bool = True,
    strict: bool = False,
    timeout: float | None = None,
) -> Call[Reached]:
    """Push a message to every member of a group, or of one of several; each receives it once.

    Args:
        group: One group or a list of them (`str`, `int` or `UUID`); an empty list sends nothing.
        message: `str` for a text message, `bytes` for a binary one, `dict` or `list` for JSON text.
        exclude_client_ids: All but these connections.
        confirm: Wait until the gateways have it; with False the result is None and what is lost is
            only counted.
        strict: Raise unless every gateway took it.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        How many connections took it into their outbox; `.not_sent` and `.unknown` name the
        gateways that are not counted.

    Raises:
        TypeError: If a group or the message is of another type, or JSON cannot carry it.
        ValueError: If a group is empty.
        InvalidClientId: If an excluded id is not a client id.
        MessageTooLarge: If the message is above `max_message`.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: With `strict`, if not every gateway took it; `.value` is what was reached.

    Cost: one command to each gateway.
    """
    payload = payload_of(message)
    groups = names_of("group", group)
    excluded = list(client_ids_of(exclude_client_ids)) if exclude_client_ids is not None else None
    if not groups:
        return ReadyCall("send_to_group", timeout, Reached(0), confirm=confirm)
    command = SendToGroups(groups, payload, excluded or None)
    return EveryCall(
        "send_to_group",
        timeout,
        command,
        reached,
        strict=strict,
        confirm=confirm,
        size=message_size(payload),
    )
