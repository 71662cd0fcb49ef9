"""What is asked about sessions."""

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
            calls.get_client_sessions_by_group("g"),
            wire.SessionsByGroups(["g"]),
            [{"a": {}}, {"b": {1: 2}}],
            {"a": {}, "b": {1: 2}},
        ),
        (
            calls.get_all_client_sessions(),
            wire.AllSessions(),
            [{"a": {}}, {"b": {}}],
            {"a": {}, "b": {}},
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


def test_sessions_are_written_and_read_at_the_clients_gateway() -> None:
    """An offline client gives False, and None for its session."""
    setting, updating = calls.set_session(CLIENT, {"a": 1}), calls.update_session(CLIENT, {})
    getting = calls.get_session(CLIENT)
    assert isinstance(setting, OwnerCall)
    assert isinstance(updating, OwnerCall)
    assert isinstance(getting, OwnerCall)
    assert setting.command == wire.SetSession(CLIENT, {"a": 1})
    assert updating.command == wire.UpdateSession(CLIENT, {})
    assert (getting.command, getting.combine([])) == (wire.GetSession(CLIENT), None)
    assert getting.combine([{}]) == {}
    assert isinstance(calls.get_client_sessions_by_group([]), ReadyCall)


@pytest.mark.parametrize(
    ("session", "error"),
    [
        (None, TypeError),
        ([], TypeError),
        ({"a": object()}, TypeError),
        ({1.5: 1}, TypeError),
        ({"a": 2**63}, ValueError),
    ],
)
def test_what_sessions_cannot_hold_is_refused_at_the_caller(
    session: Any, error: type[Exception]
) -> None:
    """Nothing travels; the message names the place."""
    with pytest.raises(error, match="session"):
        calls.set_session(CLIENT, session)
    with pytest.raises(error, match="session"):
        calls.update_session(CLIENT, session)
