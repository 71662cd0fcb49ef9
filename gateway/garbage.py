"""Python's cycle collector, set for a process that holds very many things for very long.

Nothing in a gateway's hot paths makes reference cycles, so nearly all garbage goes by reference
counting, and the collector finds nothing, at a price: with its defaults it walks everything again
whenever a quarter more has come, which was a quarter of a handshake's cost and stopped the loop for
80 ms with 16,000 connections. Here it looks at what is young about as often as before per object, and
at everything hardly ever.
"""

from __future__ import annotations

import gc
from typing import Final

__all__ = ["spare_the_loop"]

YOUNG: Final = 10_000
"""New containers between two looks at the young: about a millisecond of work each."""
YOUNG_LOOKS: Final = 20
"""Looks at the young before one at what survived them: some 20 ms of work."""
MIDDLE_LOOKS: Final = 100
"""Of those, how many before everything is walked: once in twenty million new containers."""


def spare_the_loop() -> None:
    """Take what was made at the start out of the collector's sight, and let it look less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, YOUNG_LOOKS, MIDDLE_LOOKS)
