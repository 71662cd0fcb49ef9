"""Single parameters of requests."""

from typing import Any

import pytest

from gateway.connmix.codes import Code, ConnmixError
from gateway.connmix.values import (
    as_client_id,
    as_context,
    as_names,
    data_of,
    fields_of,
    first,
    given,
    is_client_id,
)

CLIENT = "1463786910324359168"


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({"c": 1}, {"c": 1}),
        ([{"c": 1}], {"c": 1}),
        ([], {}),
        ([[]], {}),
        (None, {}),
    ],
)
def test_parameters_are_an_object_in_any_shape(params: object, fields: dict[str, Any]) -> None:
    """Alone, in a list, or PHP's empty array."""
    assert fields_of(params) == fields


@pytest.mark.parametrize("params", ["c", 1, ["a", "b"], [{}, {}]])
def test_other_parameters_are_refused(params: object) -> None:
    """The error shows what was given."""
    with pytest.raises(ConnmixError, match="are an object"):
        fields_of(params)


def test_a_field_has_several_names() -> None:
    """The first of them that is there counts; none is an error that says all of them."""
    assert first({"client_id": 7}, ("c", "client_id")) == 7
    with pytest.raises(ConnmixError, match=r"lack the client id \(c or client_id\)"):
        given({"c": None}, ("c", "client_id"), "the client id")


@pytest.mark.parametrize("value", [CLIENT, int(CLIENT), "ab" * 16, "7f0000010b5400000001"])
def test_a_client_id_is_a_number_or_text(value: object) -> None:
    """Decimal as JSON number or digits; the other forms of client ids are ids too."""
    assert as_client_id(value) == str(value)


@pytest.mark.parametrize("value", [0, -1, 2**63, 1.4637869103243592e18, True, None, "", "0", "x"])
def test_anything_else_is_no_client_id(value: object) -> None:
    """A number that went through a double is told from a client that is gone."""
    with pytest.raises(ConnmixError, match="is no client id") as caught:
        as_client_id(value)

    assert caught.value.code is Code.BAD_REQUEST
    assert not is_client_id(value)


def test_names_are_texts_each_once() -> None:
    """Numbers count as their digits."""
    assert as_names("topic", ["a", 7, "a"]) == ["a", "7"]


@pytest.mark.parametrize("values", [[], [""], [None], [1.5], {"a": 1}, ["x" * 2000]])
def test_other_names_are_refused(values: object) -> None:
    """None at all, empty ones, other types, and names that are too long."""
    with pytest.raises(ConnmixError, match=r"topic|never empty"):
        as_names("topic", values)


def test_a_context_holds_what_a_session_may() -> None:
    """An integer of more than 64 bits would be lost on the way to the gateway."""
    assert as_context({"user_id": 1000}) == {"user_id": 1000}
    with pytest.raises(ConnmixError, match="64"):
        as_context({"user_id": 2**70})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"d": "hi"}, "hi"),
        ({"data": "hi"}, "hi"),
        ({"d": "", "t": "text"}, ""),
        ({"d": "AP8=", "t": "binary"}, b"\x00\xff"),
        ({"data": "AP8=", "type": "binary"}, b"\x00\xff"),
    ],
)
def test_data_is_text_or_base64(fields: dict[str, Any], expected: str | bytes) -> None:
    """With the type `binary` the browser gets a binary message."""
    assert data_of(fields) == expected


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "is text, not None"),
        ({"d": {"a": 1}}, "encode it as JSON first"),
        ({"d": 7}, "is text, not 7"),
        ({"d": "%", "t": "binary"}, "no Base64"),
        ({"d": "ü", "t": "binary"}, "no Base64"),
        ({"d": "hi", "t": "close"}, '"text" or "binary", not \'close\''),
        ({"d": "\ud800"}, "lone surrogate"),
    ],
)
def test_other_data_is_refused(fields: dict[str, Any], told: str) -> None:
    """The error says how to send it."""
    with pytest.raises(ConnmixError, match=told):
        data_of(fields)
