"""Who is online: a connection, a uid, many uids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway_client.calls.base import Call, EveryCall, OwnerCall, Partial, ReadyCall, flag, united
from gateway_wire.commands import IsOnline, OnlineUids
from gateway_wire.ids import parse_client_id
from gateway_wire.names import Name, name_of, names_by_key

__all__ = ["is_online", "is_uid_online", "is_uids_online"]


def is_online(client_id: str, *, timeout: float | None = None) -> Call[bool]:
    """Tell whether a connection is open.

    Args:
        client_id: The connection.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether it is open.

    Raises:
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked.
        ReplyTimeout: If its gateway did not answer.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    command = IsOnline(owner.text)
    return OwnerCall("is_online", timeout, command, owner.node_key, flag)


def is_uid_online(
    uid: Name, *, partial: Partial = "raise", timeout: float | None = None
) -> Call[bool]:
    """Tell whether at least one connection is bound to a uid.

    Args:
        uid: The uid.
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Whether one is.

    Raises:
        TypeError: If a uid is of another type, such as None.
        ValueError: If a uid is empty.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway.
    """
    command = OnlineUids([name_of("uid", uid)])
    return EveryCall("is_uid_online", timeout, command, any, is_query=True, partial=partial)


def is_uids_online(
    uids: Iterable[Name], *, partial: Partial = "raise", timeout: float | None = None
) -> Call[dict[Name, bool]]:
    """Tell of each of these uids whether at least one connection is bound to it.

    Args:
        uids: The uids.
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        By the uids as they were given, whether each is online.

    Raises:
        TypeError: If a uid is of another type, such as None.
        ValueError: If a uid is empty.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway.
    """
    texts = names_by_key("uid", uids)
    if not texts:
        return ReadyCall("is_uids_online", timeout, {})

    def combine(lists: Sequence[list[str]]) -> dict[Name, bool]:
        online = {uid for answered in lists for uid in answered}
        return {uid: text in online for uid, text in texts.items()}

    command = OnlineUids(united([list(texts.values())]))
    return EveryCall("is_uids_online", timeout, command, combine, is_query=True, partial=partial)
