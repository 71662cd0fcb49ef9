"""The metrics of CONNMIX's API; where it is not served those with a label are empty and the others 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.admin.measures import counter, gauge
from gateway.connmix.codes import Code
from gateway.connmix.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.admin.sources import AdminSources

__all__ = ["CONNMIX_MEASURES"]

# With zeros: a rate can only be seen from a first sample that was there before.
_NO_REQUESTS: Final = dict.fromkeys(METHODS, 0)
_NO_ERRORS: Final = {str(each.value): 0 for each in Code}


def _requests(sources: AdminSources) -> Mapping[str, float]:
    return _NO_REQUESTS | sources.connmix.requests if sources.connmix else {}


def _errors(sources: AdminSources) -> Mapping[str, float]:
    return _NO_ERRORS | sources.connmix.errors if sources.connmix else {}


CONNMIX_MEASURES: Final = (
    gauge(
        "connmix_connections",
        "Open websockets of CONNMIX's API.",
        lambda s: s.connmix.connections if s.connmix else 0,
    ),
    counter(
        "connmix_requests",
        "Requests of CONNMIX's API, by method.",
        _requests,
        label="method",
    ),
    counter(
        "connmix_errors",
        "Those of them, and those without a method, that were answered with an error, by its number.",
        _errors,
        label="code",
    ),
    counter(
        "connmix_events",
        "Messages of queues that were written to clients of CONNMIX's API.",
        lambda s: s.connmix.events if s.connmix else 0,
    ),
    counter(
        "connmix_unwritable",
        "Messages dropped there because JSON cannot carry them.",
        lambda s: s.connmix.unwritable if s.connmix else 0,
    ),
)
