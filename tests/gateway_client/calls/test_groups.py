"""What is asked about groups."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_client import calls
from gateway_client.calls.base import Call, EveryCall
from gateway_wire import commands as wire

CLIENT = "aaaaaaaaaaaa" + "0" * 20


@pytest.mark.parametrize(
    ("call", "command", "answers", "result"),
    [
        (calls.get_all_group_id_list(), wire.ListGroups(), [["g"], ["g", "h"]], ["g", "h"]),
        (
            calls.get_all_group_uid_list(),
            wire.ListAllUidsByGroup(),
            [{"g": ["u"]}, {"g": ["u", "v"]}],
            {"g": ["u", "v"]},
        ),
        (
            calls.get_all_group_uid_count(),
            wire.ListAllUidsByGroup(),
            [{"g": ["u"]}, {"g": ["u", "v"]}],
            {"g": 2},
        ),
        (
            calls.get_all_group_client_id_list(),
            wire.ListAllClientIdsByGroup(),
            [{"g": ["a"]}, {"g": ["b"]}],
            {"g": ["a", "b"]},
        ),
        (
            calls.get_all_group_client_id_count(),
            wire.CountClientsByGroups(None),
            [{"g": 1}, {"g": 2, "h": 0}],
            {"g": 3},
        ),
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


def test_a_single_gateway_counts_uids_itself() -> None:
    """Counting needs no names where there is one gateway."""
    call = calls.get_all_group_uid_count()
    assert isinstance(call, EveryCall)
    assert call.alone is not None
    assert call.alone[0] == wire.CountUidsByGroups(None)
    assert call.alone[1]([{"g": 4}]) == {"g": 4}
