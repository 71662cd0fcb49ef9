import os
import sys
from typing import Any

import pytest

from gateway_process.inspection import ConnectionPage, ConnectionQuery, page_of, resident_bytes

ROWS: list[tuple[str, dict[str, Any]]] = [(key, {"address": key}) for key in "dbacfe"]


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 7])
def test_pages_of_rows_give_each_once_in_order(limit: int) -> None:
    """Whatever the size of a page, all rows come, and the last page has no next."""
    found: list[str] = []
    after = ""
    while True:
        page = page_of(ROWS, ConnectionQuery(limit=limit, after=after))
        found += [row["address"] for row in page.rows]
        if not (after := page.next):
            break
    assert found == list("abcdef")


def test_no_rows_are_one_empty_page() -> None:
    """Nothing is a page too."""
    assert page_of([], ConnectionQuery()) == ConnectionPage()


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_limit_out_of_range_is_refused(limit: int) -> None:
    """A page has at least one row and at most a hundred."""
    with pytest.raises(ValueError, match=f"limit: {limit} is out of range; give 1 to 100"):
        ConnectionQuery(limit=limit)


def test_a_page_s_rows_are_told_apart() -> None:
    """Rows say first which process they are of."""
    page = ConnectionPage(rows=[{"address": "a"}], next="x").of("gateway", 1)
    assert page == ConnectionPage(rows=[{"role": "gateway", "number": 1, "address": "a"}], next="x")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_memory_of_a_process() -> None:
    """It is told in bytes; nothing is told of a process that is not there."""
    assert 1_000_000 < resident_bytes(os.getpid()) < 10_000_000_000
    assert resident_bytes(2**22 + 1) == 0
