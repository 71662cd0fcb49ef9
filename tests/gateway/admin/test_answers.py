"""From results to JSON."""

import asyncio
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admin.answers import LEVELS, SLICE, encode_answer, json_pieces

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_pieces_are_the_values_json(value: object) -> None:
    """Put together they read back as the value."""
    assert json.loads("".join(json_pieces(value, LEVELS))) == value


@pytest.mark.parametrize("count", [0, 1, SLICE, SLICE + 1, 3 * SLICE])
async def test_long_lists_are_whole(count: int) -> None:
    """No item is lost where one slice ends and the next begins, at any level."""
    names = [f"{number:032x}" for number in range(count)]
    answer = {"result": {"group": names, "empty": []}, "list": names}
    assert json.loads(await encode_answer(answer)) == answer


async def test_a_long_answer_lets_the_loop_serve_others() -> None:
    """Other callbacks run while it is made."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await encode_answer({"result": [f"{number:032x}" for number in range(20_000)]})
    task.cancel()
    assert turns >= 10


async def test_bytes_are_base64() -> None:
    """They are written as they are given in a request."""
    answer = {"result": {"id": {"avatar": b"\x00\xff"}}, "bytes": b""}
    expected = {"result": {"id": {"avatar": {"$base64": "AP8="}}}, "bytes": {"$base64": ""}}
    assert json.loads(await encode_answer(answer)) == expected


async def test_what_json_has_no_number_for_is_null() -> None:
    """NaN and the infinities are written as JavaScript writes them."""
    answer = {"result": {"a": math.nan, "b": [{"c": math.inf, "d": 1.5, "e": b"\x00"}]}}
    expected = {"result": {"a": None, "b": [{"c": None, "d": 1.5, "e": {"$base64": "AA=="}}]}}
    assert json.loads(await encode_answer(answer)) == expected


async def test_keys_are_text() -> None:
    """A session's integer keys become text."""
    answer = {"result": {1: {2: "b"}}}
    assert await encode_answer(answer) == b'{"result":{"1":{"2":"b"}}}'
