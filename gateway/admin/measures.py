"""What a metric is: its name, what it says, and how it is read; the catalogue is in :mod:`gateway.admin.metrics`.

Names follow Prometheus' rules: the unit is in the name, counters end in `_total`. A reason or cause
is a label with the name that it also has in logs and on the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypeAlias

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

from gateway.admin.sources import AdminSources

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

__all__ = ["NAMESPACE", "Distribution", "Kind", "Measure", "counter", "gauge", "histogram"]

NAMESPACE: Final = "gatewayworker_gateway"


class Kind(Enum):
    """What a metric is to Prometheus."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a histogram tells.

    Attributes:
        counts: Observations in each step; the first holds those up to 1, each further one those up to
            twice as much, the last all above.
        total: Sum of what was observed.
    """

    counts: Sequence[int]
    total: float

    def buckets(self) -> list[tuple[str, float]]:
        """Return how many observations there were up to each bound, as Prometheus writes it."""
        bounds = [*(str(float(2**step)) for step in range(len(self.counts) - 1)), "+Inf"]
        return list(zip(bounds, accumulate(self.counts), strict=True))


Reading: TypeAlias = float | Mapping[str, float] | Distribution
"""One number, one for each value of the label, or a distribution."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric.

    Attributes:
        name: Its name without the namespace, and without the `_total` of a counter.
        text: What it says, in a sentence.
        read: Reads it.
        label: Name of its label, empty for none.
        kind: What it is; a counter only rises.
    """

    name: str
    text: str
    read: Callable[[AdminSources], Reading]
    label: str = ""
    kind: Kind = Kind.GAUGE

    @property
    def full_name(self) -> str:
        """The name under which it is scraped; a histogram's samples add to it."""
        return f"{NAMESPACE}_{self.name}{'_total' if self.kind is Kind.COUNTER else ''}"

    def family(self, sources: AdminSources) -> Metric:
        """Read it."""
        name, reading = f"{NAMESPACE}_{self.name}", self.read(sources)
        if isinstance(reading, Distribution):
            return HistogramMetricFamily(name, self.text, reading.buckets(), reading.total)
        kind = CounterMetricFamily if self.kind is Kind.COUNTER else GaugeMetricFamily
        family = kind(name, self.text, labels=[self.label] if self.label else [])
        readings = reading.items() if isinstance(reading, Mapping) else [("", reading)]
        for value, number in sorted(readings):
            family.add_metric([value] if self.label else [], number)
        return family


def gauge(
    name: str, text: str, read: Callable[[AdminSources], Reading], label: str = ""
) -> Measure:
    """Make a measure that goes up and down."""
    return Measure(name, text, read, label)


def counter(
    name: str, text: str, read: Callable[[AdminSources], Reading], label: str = ""
) -> Measure:
    """Make one that only rises."""
    return Measure(name, text, read, label, Kind.COUNTER)


def histogram(name: str, text: str, read: Callable[[AdminSources], Distribution]) -> Measure:
    """Make one of how something is distributed."""
    return Measure(name, text, read, kind=Kind.HISTOGRAM)
