"""What PHP makes of a query (`parse_str`) and of a Cookie header (Workerman's `cookie()`).

Applications of PHP read both as arrays: `room=7&tags[]=a&user[name]=Ann` is
`['room' => '7', 'tags' => ['a'], 'user' => ['name' => 'Ann']]`. Pure, and bounded as PHP bounds it by default.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote_to_bytes

from gateway.php.values import ArrayKey, array_key

__all__ = ["parse_cookies", "parse_query"]

MAX_VARIABLES: Final = 1000
"""PHP's `max_input_vars`; what follows is left out."""

MAX_LEVELS: Final = 64
"""PHP's `max_input_nesting_level`; a variable with more brackets is left out."""

_IN_A_NAME: Final = bytes.maketrans(b" .", b"__")
_NO_INDEX: Final = 2**63
"""After the highest that there is: an array that has that takes nothing more without a key."""

_WITHOUT_BRACKETS: Final = bytes.maketrans(b" .[", b"___")
_TRIMMED: Final = b" \t\n\r\0\x0b"
_SPACE: Final = frozenset({b"", *(b"%c" % each for each in b" \t\n\r\v\f")})
"""What stands between brackets that append."""


def parse_query(query: bytes) -> dict[Any, Any]:
    """Return the variables of a query."""
    variables = _Array()
    for pair in [each for each in query.split(b"&") if each][:MAX_VARIABLES]:
        name, _, value = (
            unquote_to_bytes(each) for each in pair.replace(b"+", b" ").partition(b"=")
        )
        keys = _keys(name.partition(b"\0")[0].lstrip(b" "))
        if keys:
            _put(variables, keys, value)
    return variables


def parse_cookies(header: bytes) -> dict[Any, Any]:
    """Return the cookies of a Cookie header, their values as they were sent."""
    pairs = (each.partition(b"=") for each in header.split(b";"))
    return {array_key(name.strip(_TRIMMED)): value for name, equals, value in pairs if equals}


def _keys(name: bytes) -> list[bytes | None]:
    """Return the keys that lead to a variable, None for the next index; no keys if it has no name."""
    plain, _, rest = name.partition(b"[")
    if not plain:
        return []
    if b"]" not in rest:
        return [name.translate(_WITHOUT_BRACKETS)]
    keys: list[bytes | None] = [plain.translate(_IN_A_NAME)]
    while b"]" in rest:
        key, _, rest = rest.partition(b"]")
        keys.append(None if key in _SPACE else key)
        if not rest.startswith(b"["):
            break
        rest = rest[1:]
    return keys


class _Array(dict[Any, Any]):
    """An array that knows its next index, so that a query of many `a[]` takes no longer than another."""

    __slots__ = ("next",)

    def __init__(self) -> None:
        super().__init__()
        # None without a number among the keys.
        self.next: int | None = None

    def put(self, index: ArrayKey, value: object) -> None:
        if isinstance(index, int):
            self.next = index + 1 if self.next is None else max(self.next, index + 1)
        self[index] = value


def _put(variables: _Array, keys: list[bytes | None], value: bytes) -> None:
    """Put a value where its keys lead, over anything there that is no array."""
    if len(keys) - 1 > MAX_LEVELS:
        return
    array = variables
    for key in keys[:-1]:
        array = _array_at(array, _index(array, key))
    index = _index(array, keys[-1])
    if index != _NO_INDEX:
        array.put(index, value)


def _array_at(array: _Array, index: ArrayKey) -> _Array:
    inner = array.get(index)
    if not isinstance(inner, _Array):
        inner = _Array()
        if index != _NO_INDEX:
            array.put(index, inner)
    return inner


def _index(array: _Array, key: bytes | None) -> ArrayKey:
    """Return a key as an array holds it; for None the next after the highest number in it."""
    return array.next or 0 if key is None else array_key(key)
