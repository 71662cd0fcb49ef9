"""Tests of the settings' own checks."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.edge.options import EdgeOptions


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"handshake_timeout": 0}, "handshake_timeout is 0: it must be above 0"),
        ({"close_timeout": -1}, "close_timeout is -1"),
        ({"max_message": 0}, "max_message is 0"),
        ({"ping_interval": -1}, "ping_interval is -1: use 0 to turn it off"),
        ({"max_connections": -1}, "max_connections is -1"),
        ({"ping_interval": 5, "ping_timeout": 6}, "make it equal or shorter"),
    ],
)
def test_wrong_values_are_named(wrong: dict[str, Any], message: str) -> None:
    """A value that makes no sense is an error with setting, value and remedy."""
    with pytest.raises(ValueError, match=message):
        EdgeOptions(**wrong)


def test_pings_may_be_off() -> None:
    """Without pings the timeout does not matter."""
    assert EdgeOptions(ping_interval=0).ping_timeout == 20.0
