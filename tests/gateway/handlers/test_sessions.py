"""Commands that read and write sessions."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from gateway.handlers.sessions import SessionHandlers, merged
from gateway_wire.commands import (
    AllSessions,
    Command,
    CommandError,
    GetSession,
    SessionsByGroups,
    SetSession,
    UpdateSession,
)
from gateway_wire.errors import ErrorCode
from gateway_wire.limits import MAX_SESSION
from tests.gateway.handlers.support import Gateway

KEYS = st.sampled_from(["a", "b", 1])
VALUES = st.recursive(
    st.one_of(st.none(), st.integers(-3, 3), st.text(max_size=2), st.just([1, {"a": 1}])),
    lambda inner: st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
SESSIONS = st.dictionaries(KEYS, VALUES, max_size=3)


def test_a_session_is_set_updated_and_read() -> None:
    """Setting replaces, updating merges dicts and replaces anything else."""
    gateway = Gateway()
    client_id = gateway.connect().client_id

    assert gateway.execute(GetSession(client_id)) == {}
    assert gateway.execute(SetSession(client_id, {"old": 1})) is True
    assert gateway.execute(SetSession(client_id, {"user": {"name": "Ann", "tags": [1, 2]}})) is True
    assert gateway.execute(UpdateSession(client_id, {"user": {"tags": [3]}, "n": None})) is True
    assert gateway.execute(GetSession(client_id)) == {
        "user": {"name": "Ann", "tags": [3]},
        "n": None,
    }


def test_a_client_that_is_not_here_has_no_session() -> None:
    """None tells offline from empty."""
    gateway = Gateway()

    assert gateway.execute(GetSession("nobody")) is None
    assert gateway.execute(SetSession("nobody", {"a": 1})) is False
    assert gateway.execute(UpdateSession("nobody", {"a": 1})) is False


def test_sessions_of_groups_and_of_all() -> None:
    """One entry a connection, however many of the groups it is in."""
    gateway = Gateway()
    ann, bob = gateway.connect(groups=["a", "b"]).client_id, gateway.connect().client_id
    gateway.execute(SetSession(ann, {"name": "Ann"}))

    assert gateway.execute(SessionsByGroups(["a", "b", "nobody"])) == {ann: {"name": "Ann"}}
    assert gateway.execute(AllSessions()) == {ann: {"name": "Ann"}, bob: {}}


@pytest.mark.parametrize(
    ("session", "code"),
    [
        ({1.5: "a"}, ErrorCode.INVALID),
        ({"a": 2**63}, ErrorCode.INVALID),
        ({"a": "x" * MAX_SESSION}, ErrorCode.TOO_LARGE),
    ],
)
@pytest.mark.parametrize("command", [SetSession, UpdateSession])
def test_a_session_that_cannot_be_kept_changes_nothing(
    command: type[SetSession | UpdateSession], session: dict[Any, Any], code: ErrorCode
) -> None:
    """The old one stays, and the sender learns what is wrong."""
    gateway = Gateway()
    client_id = gateway.connect().client_id
    gateway.execute(SetSession(client_id, {"kept": True}))
    with pytest.raises(CommandError) as refused:
        gateway.execute(command(client_id, session))

    assert refused.value.code is code
    assert gateway.execute(GetSession(client_id)) == {"kept": True}


def test_a_session_cannot_grow_over_its_limit_bit_by_bit() -> None:
    """What counts is what would be kept."""
    gateway = Gateway()
    client_id = gateway.connect().client_id
    half: list[Command] = [
        UpdateSession(client_id, {name: "x" * (MAX_SESSION // 2)}) for name in "ab"
    ]
    gateway.execute(half[0])
    with pytest.raises(CommandError, match="the limit is 1,048,576"):
        gateway.execute(half[1])

    assert set(gateway.execute(GetSession(client_id))) == {"a"}


def test_sessions_of_clients_that_left_meanwhile_are_left_out() -> None:
    """A long answer looks again when each one's turn comes."""
    gateway = Gateway()
    for _ in range(10_000):
        gateway.connect()
    answer = SessionHandlers(gateway.hub).all_sessions(AllSessions())
    first = next(answer)
    for connection in tuple(gateway.hub.connections.values()):
        gateway.hub.remove(connection)

    assert len(first) >= 1000
    assert sum(map(len, answer)) == 0


@given(SESSIONS, SESSIONS)
def test_merging_is_recursive_and_changes_neither_side(
    session: dict[Any, Any], changes: dict[Any, Any]
) -> None:
    """Every key is the change's where only it or a plain value is there, else the merge of both."""
    before = repr((session, changes))
    result = merged(session, changes)

    assert repr((session, changes)) == before
    assert set(result) == set(session) | set(changes)
    for key, value in result.items():
        if key not in changes:
            assert value == session[key]
        elif isinstance(changes[key], dict) and isinstance(session.get(key), dict):
            assert value == merged(session[key], changes[key])
        else:
            assert value == changes[key]
