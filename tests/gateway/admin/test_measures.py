"""What a metric is."""

from typing import Any

import pytest

from gateway.admin.measures import Distribution, Measure, counter, gauge, histogram

NOTHING: Any = None
"""Sources that these measures do not look at."""


@pytest.mark.parametrize(
    ("measure", "name", "kind"),
    [
        (gauge("size_bytes", "Its size.", lambda _: 1), "size_bytes", "gauge"),
        (counter("errors", "What went wrong.", lambda _: 1), "errors_total", "counter"),
        (histogram("steps", "Steps.", lambda _: Distribution([1], 1)), "steps", "histogram"),
    ],
)
def test_a_name_says_what_it_is(measure: Measure, name: str, kind: str) -> None:
    """The namespace stands before it, and `_total` behind a counter's."""
    assert measure.full_name == f"gatewayworker_gateway_{name}"
    assert measure.family(NOTHING).type == kind


def test_each_value_of_a_label_is_a_sample() -> None:
    """In the order of the values."""
    measure = gauge("waiting", "What waits.", lambda _: {"b": 2, "a": 1}, label="topic")
    samples = [(each.labels, each.value) for each in measure.family(NOTHING).samples]
    assert samples == [({"topic": "a"}, 1), ({"topic": "b"}, 2)]


def test_a_distribution_adds_up() -> None:
    """Each bucket holds what is in those before it."""
    assert Distribution([3, 2, 1], 9).buckets() == [("1.0", 3), ("2.0", 5), ("+Inf", 6)]
