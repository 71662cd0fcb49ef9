"""Values of PHP's closed set, as hypothesis makes them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

INT64 = st.integers(min_value=-(2**63), max_value=2**63 - 1)
STRINGS = st.text(max_size=8) | st.binary(max_size=8) | INT64.map(str)
SCALARS = st.none() | st.booleans() | INT64 | st.floats(allow_nan=False) | STRINGS


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4) | st.dictionaries(INT64 | STRINGS, inner, max_size=4)


VALUES = st.recursive(SCALARS, _containers, max_leaves=20)
