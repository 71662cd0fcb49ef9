"""Which connections there are: of uids, of groups, of the cluster; and how many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gateway_client.calls.base import (
    Call,
    EveryCall,
    Partial,
    ReadyCall,
    added_up,
    joined,
    united,
)
from gateway_wire.commands import (
    ClientIdsByGroups,
    ClientIdsByUids,
    CountClients,
    CountClientsByGroups,
    ListClientIds,
)
from gateway_wire.commands.replies import COUNTS, LISTS
from gateway_wire.names import Name, Names, name_of, names_by_key, names_of

__all__ = [
    "batch_get_client_count_by_group",
    "batch_get_client_id_by_uid",
    "get_all_client_count",
    "get_all_client_id_list",
    "get_client_count_by_group",
    "get_client_id_by_uid",
    "get_client_id_list_by_group",
]


def get_client_id_by_uid(
    uid: Name, *, partial: Partial = "raise", timeout: float | None = None
) -> Call[list[str]]:
    """List the connections that are bound to a uid.

    Args:
        uid: The uid.
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Their client ids; empty if the uid is offline.

    Raises:
        TypeError: If a uid is of another type, such as None.
        ValueError: If a uid is empty.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway.
    """
    text = name_of("uid", uid)

    def combine(answers: Sequence[dict[str, list[str]]]) -> list[str]:
        return united(answer.get(text, []) for answer in answers)

    command = ClientIdsByUids([text])
    return EveryCall(
        "get_client_id_by_uid", timeout, command, combine, is_query=True, partial=partial
    )


def batch_get_client_id_by_uid(
    uids: Iterable[Name], *, partial: Partial = "raise", timeout: float | None = None
) -> Call[dict[Name, list[str]]]:
    """List the connections that are bound to each of these uids.

    Args:
        uids: The uids.
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        By the uids as they were given, their client ids; empty lists for those that are offline.

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
        return ReadyCall("batch_get_client_id_by_uid", timeout, {})

    def combine(answers: Sequence[dict[str, Any]]) -> dict[Name, list[str]]:
        whole = joined(LISTS, answers)
        return {uid: list(whole.get(text, ())) for uid, text in texts.items()}

    command = ClientIdsByUids(united([list(texts.values())]))
    return EveryCall(
        "batch_get_client_id_by_uid", timeout, command, combine, is_query=True, partial=partial
    )


def get_client_id_list_by_group(
    group: Names, *, partial: Partial = "raise", timeout: float | None = None
) -> Call[list[str]]:
    """List the members of a group, or of any of several.

    Args:
        group: One group or a list of them; an empty list has no members.
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Their client ids, each once.

    Raises:
        TypeError: If a group is of another type, such as None.
        ValueError: If a group is empty.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, whose answer grows with the members.
    """
    groups = names_of("group", group)
    if not groups:
        return ReadyCall("get_client_id_list_by_group", timeout, [])
    command = ClientIdsByGroups(groups)
    return EveryCall(
        "get_client_id_list_by_group", timeout, command, united, is_query=True, partial=partial
    )


def get_all_client_id_list(
    *, partial: Partial = "raise", timeout: float | None = None
) -> Call[list[str]]:
    """List every connection of the cluster.

    Args:
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        Their client ids.

    Raises:
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, whose answer grows with the connections.
    """
    command = ListClientIds()
    return EveryCall(
        "get_all_client_id_list", timeout, command, united, is_query=True, partial=partial
    )


def get_all_client_count(*, partial: Partial = "raise", timeout: float | None = None) -> Call[int]:
    """Count the connections of the cluster.

    Args:
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        How many there are.

    Raises:
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, however many connections there are.
    """
    command = CountClients()
    return EveryCall(
        "get_all_client_count", timeout, command, added_up, is_query=True, partial=partial
    )


def get_client_count_by_group(
    group: Name, *, partial: Partial = "raise", timeout: float | None = None
) -> Call[int]:
    """Count the members of a group.

    Args:
        group: The group.
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        How many connections are members.

    Raises:
        TypeError: If a group is of another type, such as None.
        ValueError: If a group is empty.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, however many members there are.
    """
    text = name_of("group", group)

    def combine(answers: Sequence[dict[str, int]]) -> int:
        return sum(answer.get(text, 0) for answer in answers)

    command = CountClientsByGroups([text])
    return EveryCall(
        "get_client_count_by_group", timeout, command, combine, is_query=True, partial=partial
    )


def batch_get_client_count_by_group(
    groups: Iterable[Name], *, partial: Partial = "raise", timeout: float | None = None
) -> Call[dict[Name, int]]:
    """Count the members of each of these groups.

    Args:
        groups: The groups.
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        By the groups as they were given, how many connections are members.

    Raises:
        TypeError: If a group is of another type, such as None.
        ValueError: If a group is empty.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, however many members there are.
    """
    texts = names_by_key("group", groups)
    if not texts:
        return ReadyCall("batch_get_client_count_by_group", timeout, {})

    def combine(answers: Sequence[dict[str, Any]]) -> dict[Name, int]:
        whole = joined(COUNTS, answers)
        return {group: whole.get(text, 0) for group, text in texts.items()}

    command = CountClientsByGroups(united([list(texts.values())]))
    return EveryCall(
        "batch_get_client_count_by_group",
        timeout,
        command,
        combine,
        is_query=True,
        partial=partial,
    )
