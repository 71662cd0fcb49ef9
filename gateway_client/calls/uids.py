"""Which uids there are: of a connection, of groups, of the cluster; and how many.

A uid may be on several gateways, so counts of uids over several gateways need the uids themselves;
a single gateway is asked for its counter.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway_client.calls.base import (
    Call,
    EveryCall,
    OwnerCall,
    Partial,
    ReadyCall,
    added_up,
    only,
    united,
)
from gateway_wire.commands import (
    CountUids,
    CountUidsByGroups,
    GetUid,
    ListUids,
    UidsByGroups,
)
from gateway_wire.ids import parse_client_id
from gateway_wire.names import Name, Names, name_of, names_of

__all__ = [
    "get_all_uid_count",
    "get_all_uid_list",
    "get_uid_by_client_id",
    "get_uid_count_by_group",
    "get_uid_list_by_group",
]


def get_uid_by_client_id(client_id: str, *, timeout: float | None = None) -> Call[str | None]:
    """Return the uid that a connection is bound to.

    Args:
        client_id: The connection.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        The uid as text; None if the connection is unbound or offline.

    Raises:
        InvalidClientId: If `client_id` is not a client id.
        RegisterUnavailable: If no register answers and its gateway is not known.
        GatewayUnavailable: If its gateway could not be asked.
        ReplyTimeout: If its gateway did not answer.

    Cost: one command to the gateway that holds the connection.
    """
    owner = parse_client_id(client_id)
    command = GetUid(owner.text)
    return OwnerCall("get_uid_by_client_id", timeout, command, owner.node_key, only)


def get_uid_list_by_group(
    group: Names, *, partial: Partial = "raise", timeout: float | None = None
) -> Call[list[str]]:
    """List the uids of the members of a group, or of any of several.

    Args:
        group: One group or a list of them; an empty list has no members.
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        The uids, each once; members without a uid are skipped.

    Raises:
        TypeError: If a group is of another type, such as None.
        ValueError: If a group is empty.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, whose answer grows with the uids.
    """
    groups = names_of("group", group)
    if not groups:
        return ReadyCall("get_uid_list_by_group", timeout, [])
    command = UidsByGroups(groups)
    return EveryCall(
        "get_uid_list_by_group", timeout, command, united, is_query=True, partial=partial
    )


def get_uid_count_by_group(
    group: Name, *, partial: Partial = "raise", timeout: float | None = None
) -> Call[int]:
    """Count the distinct uids of the members of a group.

    Args:
        group: The group.
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        How many distinct uids its members have.

    Raises:
        TypeError: If a group is of another type, such as None.
        ValueError: If a group is empty.
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway; with several gateways their answers grow with the uids.
    """
    text = name_of("group", group)

    def count_alone(answers: Sequence[dict[str, int]]) -> int:
        return sum(answer.get(text, 0) for answer in answers)

    return EveryCall(
        "get_uid_count_by_group",
        timeout,
        UidsByGroups([text]),
        _distinct,
        is_query=True,
        partial=partial,
        alone=(CountUidsByGroups([text]), count_alone),
    )


def get_all_uid_list(
    *, partial: Partial = "raise", timeout: float | None = None
) -> Call[list[str]]:
    """List every uid of the cluster.

    Args:
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        The uids, each once.

    Raises:
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, whose answer grows with the uids.
    """
    command = ListUids()
    return EveryCall("get_all_uid_list", timeout, command, united, is_query=True, partial=partial)


def get_all_uid_count(*, partial: Partial = "raise", timeout: float | None = None) -> Call[int]:
    """Count the distinct uids of the cluster.

    Args:
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        How many distinct uids are online.

    Raises:
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway; with several gateways their answers grow with the uids.
    """
    return EveryCall(
        "get_all_uid_count",
        timeout,
        ListUids(),
        _distinct,
        is_query=True,
        partial=partial,
        alone=(CountUids(), added_up),
    )


def _distinct(lists: Sequence[list[str]]) -> int:
    return len(set().union(*lists))
