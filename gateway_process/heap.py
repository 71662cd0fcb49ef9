"""What a daemon has freed goes back to the system, if somebody says that it is much.

Freed memory stays with the process in three places. Python keeps small objects for reuse in lists that only
a full collection empties, and each of them holds on to a mebibyte of its pools. Python's pools go back by
themselves once nothing in them lives. And the C library returns the end of its heap and keeps the holes,
unless it is asked: `malloc_trim`, where there is one (glibc).

After 15,000 browsers had come and gone a gateway had 30 to 42 MB more than at its start, and 10 to 21 after
this: a pool stays as long as one counter lies in its mebibyte. It stops the loop for 2 ms, and a walk for 3 to
5 µs more for each browser that is there: so that one is asked for separately.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Final

__all__ = ["give_back"]

_TRIM: Final = None if sys.platform == "win32" else getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back(*, walk: bool) -> None:
    """Return free memory to the system, as far as the platform knows how.

    Args:
        walk: Whether to walk over all that came since start-up, and so empty Python's own lists first.
    """
    if walk:
        gc.collect()
    if _TRIM is not None:
        _TRIM(0)
