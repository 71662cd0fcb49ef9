"""The options that many methods share, checked in one place: `timeout` and `partial`.

The facades ask for it when a call names any argument, so that a call that leaves the options out pays
nothing, and a wrong one is told whether the call needs all gateways, one or none. What is particular
to one method is checked by its function in `calls`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MAX_TIMEOUT", "check_options", "check_timeout"]

MAX_TIMEOUT: Final = 1_000_000
"""Seconds, 11 days: as milliseconds it fits the 32 bits that poll(2) takes."""

_PARTIAL: Final = ("raise", "return")


def check_options(options: Mapping[str, object]) -> None:
    """Check what a call says about itself, among its other arguments by name.

    Args:
        options: The arguments by name; None for `timeout` is the client object's own.

    Raises:
        TypeError: If `timeout` is no number.
        ValueError: If `timeout` is out of range, or `partial` is none of its choices.
    """
    timeout = options.get("timeout")
    if timeout is not None:
        check_timeout(timeout)
    partial = options.get("partial", "raise")
    if partial not in _PARTIAL:
        raise ValueError(f'partial is {partial!r}: give "raise" or "return"')


def check_timeout(timeout: object) -> None:
    """Check a number of seconds that a call may take.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is not above 0, or above `MAX_TIMEOUT`.
    """
    remedy = f"give a number of seconds above 0, at most {MAX_TIMEOUT:,}"
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"timeout is {timeout!r}: {remedy}")
    if not 0 < timeout <= MAX_TIMEOUT:
        raise ValueError(f"timeout is {timeout!r}: {remedy}")
