"""Sessions between PHP and us: what stays as it is, what is normalised, what cannot be."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given

from gateway.php.sessions import read_session, replaced_recursively, write_session
from gateway.php.values import PhpValueError, serialize
from gateway_wire.commands import check_session
from gateway_wire.commands.sessions import MAX_SESSION_DEPTH
from tests.gateway.php.strategies import SESSIONS

# What a script on PHP 8.2 stored with setSession, and what it is here.
STORED_BY_PHP: list[tuple[bytes, dict[Any, Any]]] = [
    (b"a:0:{}", {}),
    (b'a:2:{i:0;s:1:"a";i:1;s:1:"b";}', {0: "a", 1: "b"}),
    (
        b'a:5:{s:1:"n";i:7;s:1:"f";d:1.5;s:1:"b";b:1;s:3:"nul";N;i:1001;s:7:"Gr\xc3\xbc\xc3\x9fe";}',
        {"n": 7, "f": 1.5, "b": True, "nul": None, 1001: "Grüße"},
    ),
    (
        b'a:3:{s:4:"tags";a:1:{i:0;s:1:"a";}s:4:"deep";a:1:{s:1:"x";a:1:{s:1:"y";i:1;}}i:0;a:0:{}}',
        {"tags": ["a"], "deep": {"x": {"y": 1}}, 0: []},
    ),
    (
        b'a:2:{s:3:"img";s:2:"\xff\xd8";s:5:"order";a:2:{i:1;i:0;i:0;i:1;}}',
        {"img": b"\xff\xd8", "order": {1: 0, 0: 1}},
    ),
]

# array_replace_recursive of PHP 8.2: a session, changes, and what PHP made of them.
REPLACED_BY_PHP: list[tuple[Any, Any, Any]] = [
    ({"a": 1}, {"a": 2, "b": 3}, {"a": 2, "b": 3}),
    ({"t": ["a", "b"]}, {"t": ["c"]}, {"t": ["c", "b"]}),
    ({"t": ["a", "b"]}, {"t": []}, {"t": ["a", "b"]}),
    ({"t": ["a", "b"]}, {"t": {2: "c"}}, {"t": ["a", "b", "c"]}),
    ({"t": ["a", "b"]}, {"t": {5: "c"}}, {"t": {0: "a", 1: "b", 5: "c"}}),
    ({"t": ["a"]}, {"t": {"x": 1}}, {"t": {0: "a", "x": 1}}),
    ({"t": "s"}, {"t": {"x": 1}}, {"t": {"x": 1}}),
    ({"t": {"x": 1}}, {"t": None}, {"t": None}),
    ({"t": {"x": {"y": 1}}}, {"t": {"x": {"z": 2}}}, {"t": {"x": {"y": 1, "z": 2}}}),
    ({}, {"a": []}, {"a": []}),
    ({3: "x", 1: "y"}, {1: "z"}, {3: "x", 1: "z"}),
    ({1: "b"}, {0: "a"}, {1: "b", 0: "a"}),
    ({"t": {1: "b"}}, {"t": ["a"]}, {"t": {1: "b", 0: "a"}}),
    ({"l": [{"a": 1}, {"b": 2}]}, {"l": {1: {"c": 3}}}, {"l": [{"a": 1}, {"b": 2, "c": 3}]}),
    ({"t": []}, {"t": ["a"]}, {"t": ["a"]}),
]


@pytest.mark.parametrize(("written", "session"), STORED_BY_PHP)
def test_what_php_stores_comes_back_to_php(written: bytes, session: dict[Any, Any]) -> None:
    """Byte for byte; here it is a dict with lists in it."""
    read = read_session(written)
    assert repr(read) == repr(session)
    assert write_session(read) == written


def test_no_bytes_are_an_empty_session() -> None:
    """So a worker of PHP clears one."""
    assert read_session(b"") == {}


@given(SESSIONS.map(serialize))
def test_whatever_php_stores_is_a_session(written: bytes) -> None:
    """It comes back byte for byte."""
    session = read_session(written)
    check_session(session)
    assert write_session(session) == written


@given(SESSIONS)
def test_what_python_stores_is_normalised_once(session: dict[Any, Any]) -> None:
    """PHP reads all of it, and what it writes back does not change any more."""
    written = write_session(session)
    back = read_session(written)
    assert write_session(back) == written
    assert repr(read_session(write_session(back))) == repr(back)


def test_what_python_stores_comes_back_as_php_holds_it() -> None:
    """Empty containers are lists, keys of digits ints, keys from 0 a list, UTF-8 is text."""
    session = {"7": {}, "a": {"0": 1, "1": 2}, "b": {1: 1}, "c": b"text", "d": (0.1, -0.0), 7: "x"}
    assert read_session(write_session(session)) == {
        7: "x",
        "a": [1, 2],
        "b": {1: 1},
        "c": "text",
        "d": [0.1, -0.0],
    }


@pytest.mark.parametrize("data", [b"N;", b"i:1;", b's:1:"a";', b"b:0;"])
def test_only_an_array_is_a_session(data: bytes) -> None:
    """The error shows what it is."""
    with pytest.raises(PhpValueError, match=r"^a session is an array, and b'.*' is none$"):
        read_session(data)


def test_keys_that_are_not_utf8_have_no_place_in_a_session() -> None:
    """The error names it."""
    with pytest.raises(PhpValueError, match=r"^session\['a'\] has the key b'\\xff' .*, in UTF-8$"):
        read_session(serialize({"a": {b"\xff": 1}}))


def test_sessions_of_php_are_as_deep_as_ours() -> None:
    """The deepest of ours passes both ways; one level more is refused."""
    deepest: dict[Any, Any] = {}
    for _ in range(MAX_SESSION_DEPTH - 1):
        deepest = {"a": deepest}
    check_session(deepest)
    written = write_session(deepest)
    assert write_session(read_session(written)) == written
    with pytest.raises(PhpValueError, match=f"deeper than {MAX_SESSION_DEPTH} levels"):
        read_session(serialize({"a": deepest}))


@pytest.mark.parametrize(("old", "changes", "new"), REPLACED_BY_PHP)
def test_changes_are_made_as_php_makes_them(old: Any, changes: Any, new: Any) -> None:
    """Lists are arrays; keys keep their order, new ones come last. The old session stays as it is."""
    before = copy.deepcopy((old, changes))
    assert repr(replaced_recursively(old, changes)) == repr(new)
    assert (old, changes) == before


def test_changes_find_what_python_stored() -> None:
    """`"7"` is 7 to PHP; what is merged is as PHP holds it, what lies beside is not touched."""
    old = {"7": {"0": "a"}, "x": {"1": 1}}
    assert replaced_recursively(old, {7: {1: "b"}}) == {7: ["a", "b"], "x": {"1": 1}}


@given(SESSIONS, SESSIONS)
def test_changes_do_not_mind_who_stored(old: dict[Any, Any], changes: dict[Any, Any]) -> None:
    """PHP reads the same whether Python or PHP had written the session before."""
    by_php = read_session(write_session(changes))
    replaced = replaced_recursively(old, by_php)
    as_php_held_it = replaced_recursively(read_session(write_session(old)), by_php)
    assert write_session(replaced) == write_session(as_php_held_it)
