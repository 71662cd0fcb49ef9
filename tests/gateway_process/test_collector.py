import gc
from collections.abc import Iterator

import pytest

from gateway_process.collector import THRESHOLDS, calm


@pytest.fixture(autouse=True)
def collector_as_it_was() -> Iterator[None]:
    """Give the other tests of this process the collector that they had."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class Knot:
    """Something in a cycle with itself."""

    def __init__(self) -> None:
        self.me = self


def test_what_exists_is_left_out_and_the_young_are_seen_less_often() -> None:
    """After it the objects of the process are frozen and the thresholds are ours."""
    assert gc.get_freeze_count() == 0

    calm()

    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold() == THRESHOLDS


def test_cycles_made_later_are_still_found() -> None:
    """A dead cycle that did not exist then is collected."""
    calm()
    Knot()

    assert gc.collect() >= 1
