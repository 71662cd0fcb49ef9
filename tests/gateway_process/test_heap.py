import ctypes
import gc
import subprocess
import sys
import weakref

import pytest

from gateway_process.heap import give_back

has_trim = sys.platform != "win32" and hasattr(ctypes.CDLL(None), "malloc_trim")

PROGRAM = """
import psutil
from gateway_process.heap import give_back

# A thousand bytes each come from the C library; each hundredth stays, so that no end of the heap is free.
pieces = [bytes([0]) * 1000 for _ in range(20_000)]
resident = psutil.Process().memory_info
before = resident().rss
pieces = pieces[::100]
kept = resident().rss
give_back(walk=False)
print(before, kept, resident().rss)
"""


class Knot:
    """Something in a cycle with itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.mark.skipif(not has_trim, reason="needs a C library that can trim its heap")
def test_holes_of_the_heap_go_back() -> None:
    """Memory between what lives on stays with the process until it is given back."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    before, kept, after = map(int, result.stdout.split())
    assert before - kept < 2_000_000
    assert before - after > 15_000_000


def test_a_walk_is_made_where_it_is_asked_for() -> None:
    """Only then are dead cycles found, and Python's own lists emptied."""
    gc.disable()
    try:
        knot = weakref.ref(Knot())
        give_back(walk=False)
        assert knot() is not None
        give_back(walk=True)
        assert knot() is None
    finally:
        gc.enable()
