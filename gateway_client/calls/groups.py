"""Which groups there are, and who is in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway_client.calls.base import Call, EveryCall, Partial, joined, united
from gateway_wire.commands import (
    CountClientsByGroups,
    CountUidsByGroups,
    ListAllClientIdsByGroup,
    ListAllUidsByGroup,
    ListGroups,
)
from gateway_wire.commands.replies import COUNTS, LISTS

__all__ = [
    "get_all_group_client_id_count",
    "get_all_group_client_id_list",
    "get_all_group_id_list",
    "get_all_group_uid_count",
    "get_all_group_uid_list",
]


def get_all_group_id_list(
    *, partial: Partial = "raise", timeout: float | None = None
) -> Call[list[str]]:
    """List every group that has a member.

    Args:
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        The groups, each once.

    Raises:
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, whose answer grows with the groups.
    """
    command = ListGroups()
    return EveryCall(
        "get_all_group_id_list", timeout, command, united, is_query=True, partial=partial
    )


def get_all_group_uid_list(
    *, partial: Partial = "raise", timeout: float | None = None
) -> Call[dict[str, list[str]]]:
    """List the distinct uids of the members of every group.

    Args:
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        By group, the uids; groups whose members have none are left out.

    Raises:
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, whose answer grows with the memberships.
    """
    command = ListAllUidsByGroup()
    return EveryCall(
        "get_all_group_uid_list", timeout, command, _united_uids, is_query=True, partial=partial
    )


def get_all_group_uid_count(
    *, partial: Partial = "raise", timeout: float | None = None
) -> Call[dict[str, int]]:
    """Count the distinct uids of the members of every group.

    Args:
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        By group, how many; groups whose members have none are left out.

    Raises:
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway; with several gateways their answers grow with the memberships.
    """
    return EveryCall(
        "get_all_group_uid_count",
        timeout,
        ListAllUidsByGroup(),
        _count_uids,
        is_query=True,
        partial=partial,
        alone=(CountUidsByGroups(None), _added_counts),
    )


def get_all_group_client_id_list(
    *, partial: Partial = "raise", timeout: float | None = None
) -> Call[dict[str, list[str]]]:
    """List the members of every group.

    Args:
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        By group, the client ids.

    Raises:
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, whose answer grows with the memberships.
    """
    command = ListAllClientIdsByGroup()
    return EveryCall(
        "get_all_group_client_id_list",
        timeout,
        command,
        _joined_lists,
        is_query=True,
        partial=partial,
    )


def get_all_group_client_id_count(
    *, partial: Partial = "raise", timeout: float | None = None
) -> Call[dict[str, int]]:
    """Count the members of every group.

    Args:
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        By group, how many connections are members.

    Raises:
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, whose answer grows with the groups.
    """
    command = CountClientsByGroups(None)
    return EveryCall(
        "get_all_group_client_id_count",
        timeout,
        command,
        _added_counts,
        is_query=True,
        partial=partial,
    )


def _united_uids(answers: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    return {group: united([uids]) for group, uids in joined(LISTS, answers).items()}


def _count_uids(answers: Sequence[dict[str, Any]]) -> dict[str, int]:
    return {group: len(set(uids)) for group, uids in joined(LISTS, answers).items()}


def _joined_lists(answers: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    return joined(LISTS, answers)


def _added_counts(answers: Sequence[dict[str, Any]]) -> dict[str, int]:
    counts = joined(COUNTS, answers)
    return {group: count for group, count in counts.items() if count}
