"""Queries and cookies as PHP reads them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.php.query import MAX_LEVELS, MAX_VARIABLES, parse_cookies, parse_query
from gateway.php.values import serialize

# A query, and what `parse_str` of PHP 8.2 made of it.
READ_BY_PHP: list[tuple[bytes, dict[Any, Any]]] = [
    (b"", {}),
    (b"a=1&b=2", {"a": b"1", "b": b"2"}),
    (b"a=1&a=2", {"a": b"2"}),
    (b"a", {"a": b""}),
    (b"=x&&", {}),
    (b"a=b=c", {"a": b"b=c"}),
    (b"a;b=1", {"a;b": b"1"}),
    (b"a[]=1&a[]=2", {"a": {0: b"1", 1: b"2"}}),
    (b"a%5B%5D=1", {"a": {0: b"1"}}),
    (b"a[b]=1&a[c][d]=2", {"a": {"b": b"1", "c": {"d": b"2"}}}),
    (b"a[1]=x&a[]=y", {"a": {1: b"x", 2: b"y"}}),
    (b"a[5]=1&a[2]=2&a[]=3&a[-9]=4&a[]=5", {"a": {5: b"1", 2: b"2", 6: b"3", -9: b"4", 7: b"5"}}),
    (b"a[-5]=1&a[]=2", {"a": {-5: b"1", -4: b"2"}}),
    (b"a[][]=1&a[][]=2", {"a": {0: {0: b"1"}, 1: {0: b"2"}}}),
    (b"a=1&a[b]=2", {"a": {"b": b"2"}}),
    (b"a[b]=1&a=2", {"a": b"2"}),
    (b"a.b=1&a+c=%20+&.d=2", {"a_b": b"1", "a_c": b"  ", "_d": b"2"}),
    (b" a=1& =2", {"a": b"1"}),
    (b"a[b=1&a[b.c d=2", {"a_b": b"1", "a_b_c_d": b"2"}),
    (b"a[x.y]=1&a[ ]=2&a[ b]=3", {"a": {"x.y": b"1", 0: b"2", " b": b"3"}}),
    (b"a[b]c=1&d[e][=2&f[[g]=3", {"a": {"b": b"1"}, "d": {"e": b"2"}, "f": {"[g": b"3"}}),
    (b"[a]=1&[=2&]=3", {"]": b"3"}),
    (b"1=x&01=y", {1: b"x", "01": b"y"}),
    (b"a%00b=1%00", {"a": b"1\0"}),
    (b"%ff=%ff", {b"\xff": b"\xff"}),
    (b"a[9223372036854775807]=1&a[]=2&a[][b]=3", {"a": {2**63 - 1: b"1"}}),
]


@pytest.mark.parametrize(("query", "variables"), READ_BY_PHP)
def test_a_query_is_read_as_php_reads_it(query: bytes, variables: dict[Any, Any]) -> None:
    """Names, brackets, keys and their order."""
    assert repr(parse_query(query)) == repr(variables)


def test_variables_and_brackets_are_bounded() -> None:
    """What is over PHP's bounds is left out."""
    assert len(parse_query(b"&".join(b"v%d" % at for at in range(MAX_VARIABLES + 1)))) == 1000
    assert parse_query(b"a" + b"[b]" * MAX_LEVELS) != {}
    assert parse_query(b"a" + b"[b]" * (MAX_LEVELS + 1) + b"&c=1") == {"c": b"1"}


@given(st.text("ab[]=&.+% \0105é", max_size=30).map(str.encode) | st.binary(max_size=20))
def test_whatever_a_client_asks_for_can_be_written(query: bytes) -> None:
    """As an array of PHP."""
    assert serialize(parse_query(query)).startswith(b"a:")


def test_cookies_are_taken_as_they_were_sent() -> None:
    """Nothing is decoded; what has no value is none."""
    header = b"sid=a%20b;theme=dark; =x;7=; alone; \xe9=\xff=1 "
    assert parse_cookies(header) == {
        "sid": b"a%20b",
        "theme": b"dark",
        "": b"x",
        7: b"",
        b"\xe9": b"\xff=1 ",
    }
    assert parse_cookies(b"") == {}
