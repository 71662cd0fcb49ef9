"""The cycle collector in a gateway process."""

import gc
from collections.abc import Iterator

import pytest

from gateway.garbage import MIDDLE_LOOKS, YOUNG, YOUNG_LOOKS, spare_the_loop


@pytest.fixture(autouse=True)
def collector_as_before() -> Iterator[None]:
    """The collector of the process that runs the tests is not changed for good."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_was_made_at_the_start_is_not_looked_at_any_more() -> None:
    """Only what comes later is walked, and less often."""
    spare_the_loop()

    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold() == (YOUNG, YOUNG_LOOKS, MIDDLE_LOOKS)
    assert gc.isenabled()


def test_cycles_are_still_found() -> None:
    """A cycle that somebody makes is garbage like before."""
    spare_the_loop()
    cycle: list[object] = []
    cycle.append(cycle)
    del cycle

    assert gc.collect() >= 1
