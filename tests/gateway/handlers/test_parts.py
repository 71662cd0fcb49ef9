"""Long answers in parts: each fits a frame, and together they are the whole."""

from collections.abc import Iterable
from typing import Any

import hypothesis.strategies as st
import msgpack
import pytest
from hypothesis import given

from gateway.handlers.parts import (
    PART_BYTES,
    counts_in_parts,
    list_in_parts,
    lists_in_parts,
    sessions_in_parts,
)
from gateway_wire.commands import ReplyShape
from gateway_wire.commands.replies import COUNTS, LIST, LISTS, SESSIONS
from gateway_wire.limits import MAX_FRAME, MAX_ID_LENGTH, PART_ITEMS

LONG = "ü" * (MAX_ID_LENGTH // 2)


def whole(shape: ReplyShape, parts: Iterable[Any]) -> Any:
    """Join parts as a client does, having seen that each fits a frame."""
    got = list(parts)
    assert all(len(msgpack.packb(part)) < MAX_FRAME // 2 for part in got)
    first = got[0]
    for part in got[1:]:
        shape.extend(first, part)
    return first


def test_a_short_answer_is_one_part() -> None:
    """Also when it is empty: there is always a last part."""
    assert list(list_in_parts(["a", "b"])) == [["a", "b"]]
    assert list(list_in_parts([])) == [[]]
    assert list(lists_in_parts([])) == [{}]
    assert list(counts_in_parts([])) == [{}]
    assert list(sessions_in_parts([])) == [{}]


def test_parts_are_closed_by_number_and_by_size() -> None:
    """Ten thousand short names, or a megabyte of long ones."""
    short = list(list_in_parts(["x"] * (2 * PART_ITEMS + 1)))
    long = list(list_in_parts([LONG] * PART_ITEMS))

    assert [len(part) for part in short] == [PART_ITEMS, PART_ITEMS, 1]
    assert max(len(part) for part in long) <= PART_BYTES // MAX_ID_LENGTH
    assert sum(len(part) for part in long) == PART_ITEMS


def test_a_long_list_is_spread_over_parts() -> None:
    """Its key is in each of them."""
    parts = list(lists_in_parts([("g", ["x"] * (2 * PART_ITEMS), 1)]))

    assert len(parts) == 3
    assert [list(part) for part in parts] == [["g"]] * 3
    assert whole(LISTS, parts) == {"g": ["x"] * (2 * PART_ITEMS)}


@pytest.mark.parametrize("first", [1, 2])
def test_a_part_is_closed_whatever_fills_it(first: int) -> None:
    """Be it a key or a name: lists of one name each alternate the two."""
    rows = [("first", ["c"] * first, first)]
    rows += [(f"{number}", ["c"], 1) for number in range(2 * PART_ITEMS)]
    parts = list(lists_in_parts(rows))

    assert max(map(len, parts)) <= PART_ITEMS
    assert whole(LISTS, parts) == {key: names for key, names, _ in rows}


def test_large_sessions_fill_parts_by_their_size() -> None:
    """No part grows over a frame, however few sessions it holds."""
    pairs = [(f"c{number}", {"a": "x" * 400_000}) for number in range(20)]

    assert whole(SESSIONS, sessions_in_parts(pairs)) == dict(pairs)


ROWS = st.dictionaries(
    st.text(max_size=3), st.lists(st.sampled_from(["a", "ü", LONG]), max_size=20), max_size=20
)


@given(ROWS, st.sampled_from([1, PART_ITEMS // 2, PART_ITEMS]))
def test_lists_in_parts_are_the_whole(rows: dict[str, list[str]], looked_at: int) -> None:
    """However they are cut; a key without names is left out."""
    parts = lists_in_parts((key, names, looked_at) for key, names in rows.items())

    assert whole(LISTS, parts) == {key: names for key, names in rows.items() if names}


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 9)), st.sampled_from([1, PART_ITEMS]))
def test_counts_in_parts_are_the_whole(counts: dict[str, int], looked_at: int) -> None:
    """However they are cut."""
    parts = counts_in_parts((name, count, looked_at) for name, count in counts.items())

    assert whole(COUNTS, parts) == counts


def test_names_in_parts_are_the_whole() -> None:
    """In their order."""
    names = [f"{number}" * (number % 200) for number in range(3 * PART_ITEMS)]

    assert whole(LIST, list_in_parts(names)) == names
