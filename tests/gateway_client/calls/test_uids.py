"""What is asked about uids."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_client import calls
from gateway_client.calls.base import Call, EveryCall, OwnerCall, ReadyCall
from gateway_wire import commands as wire

CLIENT = "aaaaaaaaaaaa" + "0" * 20


@pytest.mark.parametrize(
    ("call", "command", "answers", "result"),
    [
        (
            calls.get_uid_list_by_group("g"),
            wire.UidsByGroups(["g"]),
            [["u", "v"], ["v"]],
            ["u", "v"],
        ),
        (calls.get_uid_count_by_group("g"), wire.UidsByGroups(["g"]), [["u", "v"], ["v"]], 2),
        (calls.get_all_uid_list(), wire.ListUids(), [["u"], ["u"]], ["u"]),
        (calls.get_all_uid_count(), wire.ListUids(), [["u"], ["u"]], 1),
    ],
    ids=lambda value: value.name if isinstance(value, Call) else "",
)
def test_the_answers_of_two_gateways_become_one(
    call: Call[Any], command: wire.Command, answers: list[Any], result: Any
) -> None:
    """Each query asks every gateway one command and combines what they say."""
    assert isinstance(call, EveryCall)
    assert call.is_query
    assert (call.command, call.combine(answers)) == (command, result)


def test_a_single_gateway_is_asked_for_its_counters() -> None:
    """Counting needs no names where there is one gateway."""
    in_group, everywhere = calls.get_uid_count_by_group("g"), calls.get_all_uid_count()
    assert isinstance(in_group, EveryCall)
    assert isinstance(everywhere, EveryCall)
    assert in_group.alone is not None
    assert everywhere.alone is not None
    assert in_group.alone[0] == wire.CountUidsByGroups(["g"])
    assert in_group.alone[1]([{"g": 4}]) == 4
    assert everywhere.alone[0] == wire.CountUids()
    assert everywhere.alone[1]([4]) == 4


def test_the_uid_of_a_client_is_text_or_none() -> None:
    """An offline client has none."""
    call = calls.get_uid_by_client_id(CLIENT)
    assert isinstance(call, OwnerCall)
    assert (call.command, call.combine([]), call.combine(["5"])) == (wire.GetUid(CLIENT), None, "5")
    assert isinstance(calls.get_uid_list_by_group([]), ReadyCall)
