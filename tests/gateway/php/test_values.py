"""PHP's values: what PHP 8.2 wrote, what it never writes, and what nobody should."""

from __future__ import annotations

import math
import tracemalloc
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.php.values import Limits, PhpValueError, array_key, serialize, unserialize
from tests.gateway.php.strategies import VALUES

# Made by `serialize` of PHP 8.2; beside each what it is in Python.
WRITTEN_BY_PHP: list[tuple[bytes, Any]] = [
    (b"N;", None),
    (b"b:1;", True),
    (b"b:0;", False),
    (b"i:0;", 0),
    (b"i:-7;", -7),
    (b"i:9223372036854775807;", 2**63 - 1),
    (b"i:-9223372036854775808;", -(2**63)),
    (b's:0:"";', ""),
    (b's:13:"Ann "quoted";";', 'Ann "quoted";'),
    (b's:14:"Gr\xc3\xbc\xc3\x9fe \xe4\xb8\x96\xe7\x95\x8c";', "Grüße 世界"),
    (b's:3:"\xff\x00\xfe";', b"\xff\x00\xfe"),
    (b's:3:"\xed\xa0\x80";', b"\xed\xa0\x80"),
    (b"a:0:{}", {}),
    (b'a:2:{i:0;s:1:"a";i:1;s:1:"b";}', {0: "a", 1: "b"}),
    (b'a:2:{s:1:"a";i:1;s:1:"b";i:2;}', {"a": 1, "b": 2}),
    (b'a:2:{i:1;s:1:"b";i:0;s:1:"a";}', {1: "b", 0: "a"}),
    (
        b'a:5:{i:1001;s:1:"x";i:-5;i:1;s:3:"007";i:2;s:2:"-0";i:3;s:19:"9223372036854775808";i:4;}',
        {1001: "x", -5: 1, "007": 2, "-0": 3, "9223372036854775808": 4},
    ),
    (b"a:1:{i:-9223372036854775808;i:5;}", {-(2**63): 5}),
    (b'a:1:{s:1:"\xff";i:1;}', {b"\xff": 1}),
    (b'a:1:{i:0;a:1:{i:0;a:1:{s:1:"x";a:0:{}}}}', {0: {0: {"x": {}}}}),
    (b"d:0.1;", 0.1),
    (b"d:1.5;", 1.5),
    (b"d:-0;", -0.0),
    (b"d:1;", 1.0),
    (b"d:1000000000000000;", 1e15),
    (b"d:10000000000000000;", 1e16),
    (b"d:-12345678901234568;", -1.2345678901234567e16),
    (b"d:12345678901234570;", 12345678901234570.0),
    (b"d:1.0E+17;", 1e17),
    (b"d:1.5E+17;", 1.5e17),
    (b"d:1.0E+25;", 1e25),
    (b"d:0.0001;", 0.0001),
    (b"d:1.0E-5;", 1e-5),
    (b"d:-2.5E-7;", -2.5e-7),
    (b"d:5.0E-324;", 5e-324),
    (b"d:1.7976931348623157E+308;", 1.7976931348623157e308),
    (b"d:INF;", math.inf),
    (b"d:-INF;", -math.inf),
]

# The same, with serialize_precision 17 and more: PHP before 7.1.
WITH_MORE_DIGITS = [
    (b"d:0.10000000000000001;", 0.1),
    (b"d:1.0000000000000001E+25;", 1e25),
    (b"d:0.1000000000000000055511151231257827021181583404541015625;", 0.1),
    (b"d:10000000000000000905969664;", 1e25),
    (
        b"d:4.94065645841246544176568792868221372365059802614324764425585682500675507270208751865E-324;",
        5e-324,
    ),
]

# Much of it PHP itself would read.
NEVER_WRITTEN = [
    (b"", 0),
    (b"X", 0),
    (b"i:+5;", 0),
    (b"i:-0;", 0),
    (b"i:007;", 0),
    (b"i: 5;", 0),
    (b"i:5", 0),
    (b"i:9223372036854775808;", 0),
    (b"i:-9223372036854775809;", 0),
    (b"i:" + b"9" * 5000 + b";", 0),
    (b"b:2;", 0),
    (b"d:.5;", 0),
    (b"d:5.;", 0),
    (b"d:1e5;", 0),
    (b"d:1_0;", 0),
    (b"d:inf;", 0),
    (b"d:" + b"1" * 5000 + b";", 0),
    (b"n;", 0),
    (b"N;N;", 2),
    (b's:03:"abc";', 0),
    (b's:-1:"";', 0),
    (b's:4:"abc";', 5),
    (b's:2:"abc";', 5),
    (b's:9999999999:"abc";', 14),
    (b's:99999999999:"abc";', 0),
    (b's:3:"abc"', 5),
    (b'S:1:"\\41";', 0),
    (b"a:0:{", 5),
    (b"a:+0:{}", 0),
    (b"a:1:{i:0;N;i:1;N;}", 11),
    (b"a:2:{i:0;N;}", 0),
    (b"a:2:{i:0;i:0;i:1;}", 17),
    (b"a:1:{N;N;_____}", 5),
    (b"a:1:{d:1;N;}", 5),
    (b"a:1:{a:0:{}N;}", 5),
    (b"a:1:{i:0;N;};", 12),
    (b"a:1000000000:{", 0),
    (b"a:1000000000:{i:0;N;}", 0),
]

REFUSED = [
    (b'O:8:"stdClass":0:{}', "an object"),
    (b'C:11:"ArrayObject":0:{}', "an object"),
    (b"r:1;", "a reference"),
    (b"R:1;", "a reference"),
    (b'E:11:"Suit:Hearts";', "an enum case"),
]


@pytest.mark.parametrize(("written", "value"), WRITTEN_BY_PHP)
def test_what_php_wrote_is_read_and_written_again(written: bytes, value: Any) -> None:
    """Byte for byte, and of the same types."""
    read = unserialize(written)
    assert repr(read) == repr(value)
    assert serialize(read) == written


def test_nan_is_nan() -> None:
    """Which equals nothing."""
    assert math.isnan(float(str(unserialize(b"d:NAN;"))))
    assert serialize(math.nan) == serialize(-math.nan) == b"d:NAN;"


@pytest.mark.parametrize(("written", "value"), WITH_MORE_DIGITS)
def test_floats_are_read_in_older_spellings(written: bytes, value: float) -> None:
    """The same float, whatever PHP's serialize_precision is."""
    assert unserialize(written) == value


@pytest.mark.parametrize(("data", "position"), NEVER_WRITTEN)
def test_what_php_never_writes_is_refused(data: bytes, position: int) -> None:
    """The error names the byte."""
    with pytest.raises(PhpValueError, match=rf"\bbyte {position}\b"):
        unserialize(data)


@pytest.mark.parametrize(("data", "what"), REFUSED)
@pytest.mark.parametrize("place", [b"%s", b"a:1:{i:0;%s}"])
def test_more_than_plain_values_is_refused_by_name(data: bytes, what: str, place: bytes) -> None:
    """Wherever it stands; as a key it is no key."""
    with pytest.raises(PhpValueError, match=f"^{what} at byte {place.index(b'%')}: only plain"):
        unserialize(place % data)


def test_of_two_entries_with_one_key_the_last_wins() -> None:
    """In the place of the first, and digits are the same key as their number."""
    written = b'a:4:{i:0;i:1;s:2:"10";i:2;s:1:"0";i:3;i:10;i:4;}'
    assert unserialize(written) == {0: 3, 10: 4}


def test_lists_are_read_where_they_are_asked_for() -> None:
    """Keys from 0 in order, at every level; empty arrays, too."""
    written = serialize({"a": ["x", []], "b": {1: 0, 0: 0}, "c": {}, "d": {0: None}, "e": {1: 0}})
    assert unserialize(written, as_lists=True) == {
        "a": ["x", []],
        "b": {1: 0, 0: 0},
        "c": [],
        "d": [None],
        "e": {1: 0},
    }
    assert unserialize(b"a:2:{i:0;i:1;i:0;i:2;}", as_lists=True) == [2]


def test_keys_are_as_php_holds_them() -> None:
    """Digits of 64 bits are an int; bytes are text where they can be."""
    assert array_key("7") == array_key(b"7") == array_key(7) == 7
    assert array_key("-7") == -7
    assert [array_key(key) for key in ("07", "-0", "", "-", "٣", "7 ", "1\n")] == [
        *("07", "-0", "", "-", "٣", "7 ", "1\n")
    ]
    assert array_key(b"k\xc3\xa4y") == "käy"
    assert array_key(b"\xff") == b"\xff"
    assert serialize({"7": 1, b"a": 2, 7: 3, "a": 4}) == b'a:2:{i:7;i:3;s:1:"a";i:4;}'


@pytest.mark.parametrize("key", [None, True, 1.5, (1,)])
def test_other_keys_are_refused(key: object) -> None:
    """PHP has none of these, and would make others of them."""
    with pytest.raises(TypeError, match="the key"):
        serialize({key: 1})


def test_derived_types_are_written_as_what_they_are() -> None:
    """A count that says more, an enum, a tuple."""

    class Suit(IntEnum):
        HEARTS = 3

        def __format__(self, _spec: str) -> str:
            return "hearts"

    class Name(str):
        __slots__ = ()

    assert serialize([Suit.HEARTS, Name("a")]) == b'a:2:{i:0;i:3;i:1;s:1:"a";}'
    assert serialize({Suit.HEARTS: ()}) == b"a:1:{i:3;a:0:{}}"


def test_what_php_has_not_is_not_written() -> None:
    """Each with what is wrong."""
    with pytest.raises(TypeError, match="nothing like set"):
        serialize([{1}])
    with pytest.raises(PhpValueError, match="more than 64 bits"):
        serialize(2**63)
    with pytest.raises(PhpValueError, match="lone surrogate '\\\\ud800'"):
        serialize(["\ud800"])


def _nested(depth: int) -> bytes:
    return b"a:1:{i:0;" * (depth - 1) + b"a:0:{}" + b"}" * (depth - 1)


def test_nesting_is_bounded_both_ways() -> None:
    """At the limit it passes, above it the place is named, and no stack overflows."""
    limits = Limits(depth=3)
    value = unserialize(_nested(3), limits=limits)
    assert serialize(value, depth=3) == _nested(3)
    with pytest.raises(PhpValueError, match="deeper than 3 levels at byte 27"):
        unserialize(_nested(4), limits=limits)
    with pytest.raises(PhpValueError, match="deeper than 64 levels"):
        unserialize(_nested(100_000))
    with pytest.raises(PhpValueError, match="nested too deeply"):
        serialize(value, depth=2)


def test_bytes_and_entries_are_bounded() -> None:
    """Entries of all arrays together."""
    data = serialize([[1, 2], [3]])
    assert unserialize(data, limits=Limits(size=len(data), items=5))
    with pytest.raises(PhpValueError, match=f"{len(data)} bytes .* limit is {len(data) - 1}"):
        unserialize(data, limits=Limits(size=len(data) - 1))
    with pytest.raises(PhpValueError, match=r"more than 4 entries in all .* byte \d"):
        unserialize(data, limits=Limits(items=4))


def test_a_count_costs_nothing_before_it_is_true() -> None:
    """However large it says an array or a string is."""
    hostile = [b"a:1000000000:{", b"a:1:{i:0;a:99999:{i:0;N;", b's:9999999999:"']
    tracemalloc.start()
    try:
        for data in hostile:
            with pytest.raises(PhpValueError):
                unserialize(data)
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024
    finally:
        tracemalloc.stop()


@given(VALUES)
def test_what_is_written_is_read(value: Any) -> None:
    """Whatever it was, read and written again it is the same bytes; lists or not."""
    written = serialize(value)
    assert serialize(unserialize(written)) == written
    assert serialize(unserialize(written, as_lists=True)) == written


@given(VALUES.map(serialize), st.data())
def test_no_mutilated_value_does_more_than_be_refused(written: bytes, data: st.DataObject) -> None:
    """Cut anywhere, or with other bytes in it; what is still read is a value."""
    begin = data.draw(st.integers(0, len(written)))
    end = data.draw(st.integers(begin, len(written)))
    middle = data.draw(st.binary(max_size=3) | st.sampled_from([b'"', b"}", b";", b"O:", b"9"]))
    _read_or_refuse(written[:begin] + middle + written[end:])


@given(
    st.binary(max_size=40) | st.text('0123456789-+.E:;{}"aisdbNOCRr', max_size=40).map(str.encode)
)
@example(b"a:1:{i:0;a:1:{")
def test_garbage_is_refused(data: bytes) -> None:
    """Or it is a value; no other exception."""
    _read_or_refuse(data)


def _read_or_refuse(data: bytes) -> None:
    try:
        value = unserialize(data)
    except PhpValueError:
        return
    assert serialize(unserialize(serialize(value))) == serialize(value)
