"""Values as `serialize` of PHP writes them, and back.

A closed set: null, bool, int, float, string and array of these. Objects, references, enum cases and
whatever else PHP can write are refused by the byte where they begin: nothing here ever makes more of
bytes than a plain value. Numbers and lengths must be spelled as PHP 5 to 8 spell them; PHP itself
reads more than it writes.

A string of PHP is bytes. Here it is `str` if those bytes are UTF-8, else `bytes`; both are written as
their bytes. An array is a `dict` in its order. As in PHP a key of digits is an int, and of two
entries with one key the last wins, in the place of the first.

Time and memory are bounded by `Limits`: a length or a count is judged before anything is made of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

__all__ = [
    "DEFAULT_LIMITS",
    "ArrayKey",
    "Limits",
    "PhpValue",
    "PhpValueError",
    "array_key",
    "listed",
    "serialize",
    "unserialize",
]

ArrayKey: TypeAlias = int | str | bytes
"""What a key of an array is, read or written; bytes where it is not UTF-8."""

PhpValue: TypeAlias = bool | int | float | str | bytes | list[Any] | dict[Any, Any] | None
"""What is read and written; a list is an array with the keys 0 to n-1."""


class PhpValueError(ValueError):
    """Bytes that are no value of the closed set, or a value that PHP cannot hold."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What `unserialize` takes in one call."""

    size: int = 4 * 1024 * 1024
    """Bytes. As a frame of the internal links: four times what a session may have, for PHP writes
    small numbers at greater length."""

    items: int = 100_000
    """Entries of all arrays together. So many take about a fifth of a second, and nobody else is served then."""

    depth: int = 64
    """Arrays in one another. Far beyond real use, far below Python's recursion limit."""


DEFAULT_LIMITS: Final = Limits()

_INT64: Final = 2**63
_LEAST_ENTRY: Final = len(b"i:0;N;")
_MAX_SHOWN: Final = 20
"""Bytes that an error shows of what could not be read."""

_VALUE: Final = re.compile(
    rb'(?:s:(0|[1-9]\d{0,9}):"'
    rb"|i:(0|-?[1-9]\d{0,18});"
    rb"|a:(0|[1-9]\d{0,9}):\{"
    rb"|b:([01]);"
    # A hundred digits are written where serialize_precision is 100, as PHP 5 came.
    rb"|d:(-?(?:0|[1-9]\d{0,110})(?:\.\d{1,110})?(?:E[+-]\d{1,3})?|-?INF|NAN);"
    rb"|(N);)"
)
_STRING, _INT, _ARRAY, _BOOL, _FLOAT = range(1, 6)
_DIGITS: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")
_DIGIT_OR_MINUS: Final = frozenset("-0123456789")
_REFUSED: Final = {
    b"O": "an object",
    b"C": "an object",
    b"o": "an object",
    b"r": "a reference",
    b"R": "a reference",
    b"E": "an enum case",
}


def unserialize(
    data: bytes, *, limits: Limits = DEFAULT_LIMITS, as_lists: bool = False
) -> PhpValue:
    """Read one value.

    Args:
        data: The bytes of the value, and nothing behind them.
        limits: What they may hold.
        as_lists: Read arrays whose keys are 0 to n-1, in this order, as lists; empty ones, too.

    Raises:
        PhpValueError: They are not what PHP writes, hold more than plain values, or pass a limit;
            the message names the byte, counted from 0.
    """
    if len(data) > limits.size:
        raise PhpValueError(f"{len(data):,} bytes of a PHP value, the limit is {limits.size:,}")
    reader = _Reader(data, limits, as_lists=as_lists)
    value = reader.value(limits.depth)
    reader.end()
    return value


class _Reader:
    """Reads values one after another, each by the function for its kind."""

    __slots__ = ("_as_lists", "_at", "_data", "_items_left", "_limits")

    def __init__(self, data: bytes, limits: Limits, *, as_lists: bool) -> None:
        self._data = data
        self._at = 0
        self._limits = limits
        self._items_left = limits.items
        self._as_lists = as_lists

    def value(self, depth: int) -> PhpValue:
        """Read the value that begins here."""
        found = _VALUE.match(self._data, self._at)
        if found is None:
            raise self._unreadable()
        kind, begin = found.lastindex, self._at
        self._at = found.end()
        if kind == _STRING:
            return self._string(int(found[_STRING]))
        if kind == _INT:
            return self._int(found[_INT], begin)
        if kind == _ARRAY:
            return self._array(int(found[_ARRAY]), depth, begin)
        if kind == _BOOL:
            return found[_BOOL] == b"1"
        return float(found[_FLOAT]) if kind == _FLOAT else None

    def end(self) -> None:
        """Check that nothing is left."""
        if self._at < len(self._data):
            raise PhpValueError(f"a PHP value ends at byte {self._at}, and more follows")

    def _string(self, length: int) -> str | bytes:
        begin, end = self._at, self._at + length
        if self._data[end : end + 2] != b'";':
            raise PhpValueError(
                f'a string of {length:,} bytes begins at byte {begin} and has no "; behind it'
            )
        self._at = end + 2
        return _text(self._data[begin:end])

    def _int(self, digits: bytes, begin: int) -> int:
        number = int(digits)
        if not -_INT64 <= number < _INT64:
            raise PhpValueError(f"an integer of more than 64 bits at byte {begin}")
        return number

    def _array(self, count: int, depth: int, begin: int) -> dict[Any, Any] | list[Any]:
        self._admit(count, depth, begin)
        array = {}
        for _ in range(count):
            key = self._key()
            array[key] = self.value(depth - 1)
        if self._data[self._at : self._at + 1] != b"}":
            raise self._unreadable(f"the }} of the array that begins at byte {begin}")
        self._at += 1
        return listed(array) if self._as_lists else array

    def _admit(self, count: int, depth: int, begin: int) -> None:
        """Judge an array by its head."""
        if depth == 0:
            raise PhpValueError(
                f"arrays are nested deeper than {self._limits.depth} levels at byte {begin}"
            )
        if count * _LEAST_ENTRY > len(self._data) - self._at:
            raise PhpValueError(f"the array at byte {begin} cannot hold {count:,} entries")
        self._items_left -= count
        if self._items_left < 0:
            raise PhpValueError(
                f"more than {self._limits.items:,} entries in all with the array at byte {begin}"
            )

    def _key(self) -> ArrayKey:
        found = _VALUE.match(self._data, self._at)
        begin = self._at
        if found is None or (kind := found.lastindex) not in {_STRING, _INT}:
            raise self._unreadable("a key (an int or a string)")
        self._at = found.end()
        if kind == _INT:
            return self._int(found[_INT], begin)
        return array_key(self._string(int(found[_STRING])))

    def _unreadable(self, wanted: str = "a value") -> PhpValueError:
        """Say why what is here cannot be read."""
        here = self._data[self._at : self._at + _MAX_SHOWN]
        if here[1:2] == b":" and (refused := _REFUSED.get(here[:1])) is not None:
            return PhpValueError(
                f"{refused} at byte {self._at}: only plain values are taken (null, bool, int, "
                "float, string and array)"
            )
        return PhpValueError(f"{wanted} is wanted at byte {self._at}, and {here!r} stands there")


def array_key(key: ArrayKey) -> int | str | bytes:
    """Return a key as PHP holds it: the digits of a 64-bit integer are that integer.

    Raises:
        TypeError: It is neither int, str nor bytes.
    """
    if isinstance(key, str):
        if key[:1] in _DIGIT_OR_MINUS and _DIGITS.fullmatch(key) is not None:
            number = int(key)
            return number if -_INT64 <= number < _INT64 else key
        return key
    if isinstance(key, bytes):
        text = _text(key)
        return array_key(text) if isinstance(text, str) else text
    if type(key) is bool or not isinstance(key, int):
        raise TypeError(f"the key {key!r:.60} is a {type(key).__name__}; PHP's are int or string")
    return key


def _text(string: bytes) -> str | bytes:
    """Return what a string of PHP is here."""
    try:
        return string.decode()
    except UnicodeDecodeError:
        return string


def listed(array: dict[Any, Any]) -> dict[Any, Any] | list[Any]:
    """Return an array as a list if its keys are 0 to n-1 in this order, or if it is empty."""
    if not array or (0 in array and list(array) == list(range(len(array)))):
        return list(array.values())
    return array


def serialize(value: PhpValue, *, depth: int = DEFAULT_LIMITS.depth) -> bytes:
    """Write a value as PHP does with its own `serialize_precision`, -1.

    A list, or a tuple, is an array with the keys 0 to n-1. `serialize(key) + serialize(value)` is one entry
    of an array, so that a long one can be written piece by piece.

    Args:
        value: What to write.
        depth: How many containers may be in one another.

    Raises:
        TypeError: Something in it is of a type that PHP has not, or is no key of an array.
        PhpValueError: An integer has more than 64 bits, a text holds a lone surrogate, or it is
            nested too deeply.
    """
    try:
        return _WRITERS[type(value)](value, depth).encode("latin-1")
    except UnicodeEncodeError as error:
        raise PhpValueError(f"a text holds the lone surrogate {error.object!r:.60}") from error


# What is written is put together as text with one character for each byte (Latin-1): Python joins
# text faster than it formats bytes, and ASCII stays as it is.


def _write_null(_value: None, _depth: int) -> str:
    return "N;"


def _write_bool(value: bool, _depth: int) -> str:  # noqa: FBT001
    return "b:1;" if value else "b:0;"


def _write_int(value: int, _depth: int) -> str:
    if not -_INT64 <= value < _INT64:
        raise PhpValueError("an integer has more than 64 bits, which PHP's have not")
    return f"i:{int(value)};"


def _write_float(value: float, _depth: int) -> str:
    return f"d:{_spelled(float(value))};"


def _spelled(value: float) -> str:
    """Spell a float as PHP does: the fewest digits that read the same, whole ones up to 17 in full."""
    if not math.isfinite(value):
        return f"{value:f}".upper()
    digits, _, exponent = repr(value).partition("e")
    if not exponent:
        return digits.removesuffix(".0")
    if exponent == "+16":
        return digits.replace(".", "").ljust(17 + (value < 0), "0")
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent):+d}"


def _write_text(value: str, depth: int) -> str:
    if value.isascii():
        return f's:{len(value)}:"{value}";'
    return _write_bytes(value.encode(), depth)


def _write_bytes(value: bytes, _depth: int) -> str:
    return f's:{len(value)}:"{value.decode("latin-1")}";'


def _write_list(value: list[Any] | tuple[Any, ...], depth: int) -> str:
    inside = _inside(depth)
    return _array(
        [f"i:{key};{_WRITERS[type(item)](item, inside)}" for key, item in enumerate(value)]
    )


def _write_dict(value: dict[Any, Any], depth: int) -> str:
    inside = _inside(depth)
    array = {key if type(key) is int else array_key(key): item for key, item in value.items()}
    return _array(
        [
            f"{_WRITERS[type(key)](key, 0)}{_WRITERS[type(item)](item, inside)}"
            for key, item in array.items()
        ]
    )


def _inside(depth: int) -> int:
    """Return how many containers may be in one that is itself one of `depth`."""
    if depth == 0:
        raise PhpValueError(
            "a value is nested too deeply for PHP's clients: store less in one another"
        )
    return depth - 1


def _array(entries: list[str]) -> str:
    return f"a:{len(entries)}:{{{''.join(entries)}}}"


class _Writers(dict[type, "Callable[[Any, int], str]"]):
    """How values of a type are written, given how many containers they may have in one another."""

    def __missing__(self, kind: type) -> Callable[[Any, int], str]:
        """Return how a derived type is written: an enum of int or str, a count with more to say."""
        for base in kind.__mro__:
            if base in self:
                return self[base]
        raise TypeError(f"PHP has nothing like {kind.__name__}: convert it first")


_WRITERS: Final = _Writers(
    {
        type(None): _write_null,
        bool: _write_bool,
        int: _write_int,
        float: _write_float,
        str: _write_text,
        bytes: _write_bytes,
        list: _write_list,
        tuple: _write_list,
        dict: _write_dict,
    }
)
