"""What may be pushed, and how it travels."""

import datetime as dt
import decimal
import uuid
from typing import Any

import pytest

from gateway_wire.messages import message_size, payload_of


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        ("text", "text"),
        ("名", "名"),
        (b"\x00", b"\x00"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"ab"), b"ab"),
        ({"a": [1, None, "名"]}, '{"a":[1,null,"名"]}'),
        ([], "[]"),
        (
            {"at": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)},
            '{"at":"2026-01-02T03:04:05+00:00"}',
        ),
        ([dt.date(2026, 1, 2), dt.time(3, 4)], '["2026-01-02","03:04:00"]'),
        (
            [decimal.Decimal("1.10"), uuid.UUID(int=2)],
            '["1.10","00000000-0000-0000-0000-000000000002"]',
        ),
    ],
)
def test_messages_travel_as_text_bytes_or_compact_json(message: Any, payload: str | bytes) -> None:
    """Text stays text, bytes-like becomes bytes, dict and list become compact JSON."""
    assert payload_of(message) == payload


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ({"user": {"photo": {1}}}, r"message\['user'\]\['photo'\] is of type set"),
        ([1, [object()]], r"message\[1\]\[0\] is of type object"),
        ({"a": {(1, 2): 3}}, r"message\['a'\] has the key \(1, 2\) of type tuple"),
    ],
)
def test_what_json_cannot_carry_is_named_with_its_place(message: Any, place: str) -> None:
    """A TypeError names the place of the first value or key that JSON cannot carry."""
    with pytest.raises(TypeError, match=place):
        payload_of(message)


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ({"price": {"low": [1.5, float("nan")]}}, r"message\['price'\]\['low'\]\[1\] is nan"),
        ([float("-inf")], r"message\[0\] is -inf"),
        ({"a": [{float("inf"): 1}]}, r"message\['a'\]\[0\] has the key inf"),
    ],
)
def test_a_number_that_json_lacks_is_named_with_its_place(message: Any, place: str) -> None:
    """NaN and infinities, as values and as keys, are a ValueError that names the place."""
    with pytest.raises(ValueError, match=place):
        payload_of(message)


@pytest.mark.parametrize("message", [None, 5, 1.5, True, ("a",), {1}])
def test_other_types_are_refused_with_the_remedy(message: Any) -> None:
    """A message of another type is a TypeError that says how to make one."""
    with pytest.raises(TypeError, match=r"json\.dumps"):
        payload_of(message)


@pytest.mark.parametrize("message", ["\udc80", {"a": "\ud800"}])
def test_what_no_browser_could_read_is_a_value_error(message: Any) -> None:
    """Lone surrogates are refused."""
    with pytest.raises(ValueError, match="lone surrogate"):
        payload_of(message)


def test_a_message_that_holds_itself_is_a_value_error() -> None:
    """A cycle is refused."""
    message: list[Any] = []
    message.append(message)
    with pytest.raises(ValueError, match="Circular"):
        payload_of(message)


def test_the_size_is_in_bytes_on_the_wire() -> None:
    """Text counts in UTF-8."""
    assert [message_size(each) for each in ("ab", "名", b"abc")] == [2, 3, 3]
