"""What a session may hold."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_wire.commands import SetSession, check_session
from gateway_wire.commands.sessions import MAX_SESSION_DEPTH
from gateway_wire.frames import decode_body, encode_frame

int64 = st.integers(-(2**63), 2**63 - 1)
scalars = st.none() | st.booleans() | int64 | st.floats(allow_nan=False) | st.text() | st.binary()
keys = st.text() | int64
sessions = st.dictionaries(
    keys,
    st.recursive(
        scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=10
    ),
)


@given(sessions)
def test_a_session_that_passes_travels_unchanged(session: dict[Any, Any]) -> None:
    """What the check allows comes out of a frame as it went in."""
    check_session(session)

    command = decode_body(encode_frame(SetSession("c", session), 1)[4:]).command

    assert command == SetSession("c", session)


@pytest.mark.parametrize(
    ("session", "error", "told"),
    [
        (None, TypeError, "a session is a dict, not NoneType"),
        ([], TypeError, "a session is a dict, not list"),
        ({"a": (1,)}, TypeError, r"session\['a'\] is of type tuple"),
        ({"a": [{"b": {1}}]}, TypeError, r"session\['a'\]\[0\]\['b'\] is of type set"),
        ({"at": datetime.now(UTC)}, TypeError, r"session\['at'\] is of type datetime"),
        ({1.5: 1}, TypeError, "session has the key 1.5 of type float; keys are str or int"),
        ({True: 1}, TypeError, "session has the key True of type bool"),
        ({b"k": 1}, TypeError, "of type bytes; keys are str or int"),
        ({"a": 2**63}, ValueError, r"session\['a'\] is an integer of more than 64 bits"),
        ({"a": -(2**63) - 1}, ValueError, "more than 64 bits"),
        ({2**63: 1}, ValueError, "session key 9223372036854775808 is an integer of more than"),
        ({"a": ["x\ud800"]}, ValueError, r"session\['a'\]\[0\] holds a lone surrogate"),
        ({"\ud800": 1}, ValueError, r"session key '\\ud800' holds a lone surrogate"),
    ],
)
def test_what_may_not_be_in_a_session_is_named(
    session: object, error: type[Exception], told: str
) -> None:
    """The error names the place and what is wrong with it."""
    with pytest.raises(error, match=told):
        check_session(session)


def test_an_error_is_short_whatever_the_keys_are() -> None:
    """The error goes into an answer, which must fit a frame: a long key is shown by its beginning."""
    with pytest.raises(TypeError, match=r"session\['\\x01.* has the key 1.5") as caught:
        check_session({"\x01" * 1_500_000: {1.5: 0}})
    assert len(str(caught.value)) < 200


def nested(levels: int) -> dict[str, Any]:
    """Give a session of so many dicts within one another."""
    session: dict[str, Any] = {}
    for _ in range(levels - 1):
        session = {"in": session}
    return session


def test_depth_is_bounded() -> None:
    """The deepest allowed session passes; one level more is an error, not a recursion."""
    check_session(nested(MAX_SESSION_DEPTH))

    with pytest.raises(ValueError, match="nested deeper than 32 levels"):
        check_session(nested(MAX_SESSION_DEPTH + 1))
    with pytest.raises(ValueError, match="nested deeper"):
        check_session(nested(100_000))
