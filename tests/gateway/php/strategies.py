"""Values of PHP's closed set, as hypothesis makes them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

INT64 = st.integers(min_value=-(2**63), max_value=2**63 - 1)
BINARY = st.binary(max_size=8)
KEYS = INT64 | st.text(max_size=8) | INT64.map(str)
SCALARS = st.none() | st.booleans() | INT64 | st.floats() | st.text(max_size=8) | BINARY


def _values(keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=20,
    )


VALUES = _values(KEYS | BINARY)
SESSIONS = st.dictionaries(KEYS, _values(KEYS), max_size=4)
"""All that sessions of ours may hold."""
