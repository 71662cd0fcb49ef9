"""When memory is given back."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from gateway.ebb import WORTH, Ebb


def times(sockets: Iterable[int]) -> list[int]:
    """Turn once for each number of sockets; give the turns that were the time."""
    ebb = Ebb()
    return [turn for turn, count in enumerate(sockets) if ebb.turn(count)]


@pytest.mark.parametrize(
    ("sockets", "expected"),
    [
        pytest.param([WORTH, 0, 0, 0], [2], id="once, when the leaving has paused"),
        pytest.param([9000, 6000, 3000, 10, 10], [4], id="not while they leave"),
        pytest.param([9000, 4000, 4001], [2], id="also when others come"),
        pytest.param([9000, 4500, 4500], [2], id="half"),
        pytest.param([9000, 4501, 4501], [], id="more than half"),
        pytest.param([WORTH - 1, 0, 0], [], id="too few"),
        pytest.param([9000, 4000, 4000, 2000, 2000], [2, 4], id="each half of a slow ebb"),
        pytest.param([9000, 4000, 4000, 2001, 2001], [2], id="what is left counts from then on"),
        pytest.param([1800, 900, 900, 0, 0], [2], id="what is left then is too few"),
        pytest.param([9000, 0, 0, 9000, 0, 0], [2, 5], id="each flood"),
        pytest.param([], [], id="nobody"),
    ],
)
def test_the_time_is_when_half_have_left(sockets: list[int], expected: list[int]) -> None:
    """It comes once for each fall to half, after the fall, if it was worth it."""
    assert times(sockets) == expected


def test_it_tells_what_it_has_seen() -> None:
    """Its text has the most and the last number of sockets."""
    ebb = Ebb()
    ebb.turn(70)
    ebb.turn(30)

    assert repr(ebb) == "<Ebb from 70 to 30 sockets>"
