"""What is asked about connections."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_client import calls
from gateway_client.calls.base import Call, EveryCall, ReadyCall
from gateway_wire import commands as wire

CLIENT = "aaaaaaaaaaaa" + "0" * 20


@pytest.mark.parametrize(
    ("call", "command", "answers", "result"),
    [
        (
            calls.get_client_id_by_uid(5),
            wire.ClientIdsByUids(["5"]),
            [{"5": ["a"]}, {"5": ["b"]}, {}],
            ["a", "b"],
        ),
        (
            calls.batch_get_client_id_by_uid([5, "u"]),
            wire.ClientIdsByUids(["5", "u"]),
            [{"5": ["a"]}, {"5": ["b"]}],
            {5: ["a", "b"], "u": []},
        ),
        (
            calls.get_client_id_list_by_group(["g", "h"]),
            wire.ClientIdsByGroups(["g", "h"]),
            [["a"], ["b"]],
            ["a", "b"],
        ),
        (calls.get_all_client_id_list(), wire.ListClientIds(), [["a"], ["b"]], ["a", "b"]),
        (calls.get_all_client_count(), wire.CountClients(), [1, 2], 3),
        (calls.get_client_count_by_group("g"), wire.CountClientsByGroups(["g"]), [{"g": 1}, {}], 1),
        (
            calls.batch_get_client_count_by_group([1, "h"]),
            wire.CountClientsByGroups(["1", "h"]),
            [{"1": 1}, {"1": 2}],
            {1: 3, "h": 0},
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


def test_a_query_about_nobody_asks_nobody() -> None:
    """Empty lists are answered at once."""
    for call in (
        calls.get_client_id_list_by_group([]),
        calls.batch_get_client_id_by_uid([]),
        calls.batch_get_client_count_by_group([]),
    ):
        assert isinstance(call, ReadyCall)
        assert not call.value
