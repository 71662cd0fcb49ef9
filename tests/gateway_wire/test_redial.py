"""The pauses between attempts to dial."""

from __future__ import annotations

import pytest

from gateway_wire.redial import REDIAL_MAX, REDIAL_MIN, Redial


def test_pauses_double_up_to_the_longest() -> None:
    """Each is random between nothing and a bound that doubles."""
    redial = Redial()
    bounds: list[float] = []
    for _ in range(6):
        bounds.append(redial.most)
        assert 0 <= redial.pause() <= bounds[-1]
    assert bounds == [
        REDIAL_MIN,
        2 * REDIAL_MIN,
        4 * REDIAL_MIN,
        8 * REDIAL_MIN,
        REDIAL_MAX,
        REDIAL_MAX,
    ]


@pytest.mark.parametrize(
    ("lasted", "most"), [(REDIAL_MAX, REDIAL_MAX), (2 * REDIAL_MAX, 2 * REDIAL_MIN)]
)
def test_only_a_link_that_lasted_begins_anew(lasted: float, most: float) -> None:
    """Who opens links and ends them at once is dialled as seldom as who refuses."""
    redial = Redial()
    for _ in range(6):
        redial.pause()
    redial.pause(lasted)
    assert redial.most == most
