"""Shapes of answers, and how their parts are joined."""

from typing import Any

import pytest

from gateway_wire.commands import COMMANDS
from gateway_wire.commands.replies import (
    ALL_SHAPES,
    COUNT,
    COUNTS,
    FLAG,
    LIST,
    LISTS,
    NOTHING,
    SESSION,
    SESSIONS,
    TEXT,
    ReplyShape,
)


@pytest.mark.parametrize(
    ("shape", "whole", "part", "joined"),
    [
        (LIST, ["a"], ["b", "c"], ["a", "b", "c"]),
        (LISTS, {"g": ["a"]}, {"g": ["b"], "h": ["c"]}, {"g": ["a", "b"], "h": ["c"]}),
        (COUNTS, {"g": 1}, {"g": 2, "h": 3}, {"g": 3, "h": 3}),
        (SESSIONS, {"1": {"a": 1}}, {"2": None}, {"1": {"a": 1}, "2": None}),
    ],
)
def test_parts_become_whole(shape: ReplyShape, whole: Any, part: Any, joined: Any) -> None:
    """A further part is joined in place, by the rule of the shape."""
    assert shape.in_parts
    shape.extend(whole, part)

    assert whole == joined


@pytest.mark.parametrize("shape", [NOTHING, COUNT, FLAG, TEXT, SESSION])
def test_small_answers_have_no_parts(shape: ReplyShape) -> None:
    """An answer that is one value cannot be continued."""
    assert not shape.in_parts
    with pytest.raises(TypeError, match=f"{shape.name} does not come in parts"):
        shape.extend(1, 2)


@pytest.mark.parametrize(
    ("shape", "fitting", "others"),
    [
        (NOTHING, [None], [0, False, ""]),
        (COUNT, [0, 7], [True, 1.0, None]),
        (FLAG, [True, False], [0, 1, None]),
        (TEXT, ["", "a", None], [b"a", 1]),
        (LIST, [[], ["a"]], [None, "a", {}]),
        (LISTS, [{}], [None, []]),
        (COUNTS, [{}], [None, 1]),
        (SESSION, [{}, None], [[], ""]),
        (SESSIONS, [{}], [None, []]),
    ],
)
def test_an_answer_is_of_its_shape(
    shape: ReplyShape, fitting: list[object], others: list[object]
) -> None:
    """Types are exact: a count is no boolean, a flag no number."""
    assert all(shape.fits(each) for each in fitting)
    assert not any(shape.fits(each) for each in others)


def test_the_list_of_shapes_is_complete() -> None:
    """Each shape that a command names is among those that are described, each under its name."""
    assert {each.reply for each in COMMANDS.values()} <= set(ALL_SHAPES)
    assert len({each.name for each in ALL_SHAPES}) == len(ALL_SHAPES)
    assert repr(LISTS) == "<ReplyShape lists>"
