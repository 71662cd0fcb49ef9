"""What the `ext` and `body` of a client's frame say: names, connection ids, messages.

Which of them holds what depends on the command (`gateway.php.requests`). Names are bare or in JSON, connection
ids stand in the head or in JSON, a message is the body as it is. JSON is taken as PHP takes it: an object
and a list are both an array, and what a number or null is as a name PHP's arrays say.

A uid or group that is empty as PHP sees it (`0`, `"0"`, `""`) is nobody's: here it is always `""`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NoReturn

from gateway.outbox import Encoded
from gateway.php.frames import RAW, SCALAR
from gateway.php.values import PhpValueError, array_key, unserialize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.php.frames import Frame

__all__ = [
    "ArgumentError",
    "array_keys",
    "array_values",
    "connection_id_of",
    "is_empty",
    "json_of",
    "key_of",
    "last_message_of",
    "message_of",
    "name_of",
    "names_of",
    "numbers_of",
]

CONNECTION_DIGITS: Final = 8
"""Hex digits at the end of a client id that are its connection id; those before are the gateway's."""

_INT64: Final = 2**63
_EMPTY: Final = frozenset({"", "0"})
_MAX_SHOWN: Final = 60
"""Characters of what is wrong that an error shows."""


class ArgumentError(ValueError):
    """A frame's `ext` or `body` is not what its command asks for."""


# Names and connection ids.


def connection_id_of(client_id: str) -> int:
    """Return the connection id that a client id ends with."""
    return int(client_id[-CONNECTION_DIGITS:], 16)


def is_empty(name: str | None) -> bool:
    """Tell whether a name is empty as PHP sees it."""
    return name is None or name in _EMPTY


def name_of(ext: bytes) -> str:
    """Return the name that stands there; `""` for an empty one.

    Raises:
        ArgumentError: It is not UTF-8.
    """
    try:
        name = str(ext, "utf-8")
    except UnicodeDecodeError as error:
        shown = f"{ext[:_MAX_SHOWN]!r}"
        raise ArgumentError(
            f"the name {shown} is not UTF-8 at byte {error.start}: encode it, such as with bin2hex()"
        ) from error
    return "" if name in _EMPTY else name


def names_of(values: Iterable[object]) -> list[str]:
    """Return those of these names that are not empty.

    Raises:
        ArgumentError: One cannot be a name.
    """
    names = [str(key_of(value)) for value in values]
    return [name for name in names if name not in _EMPTY]


def key_of(value: object) -> int | str:
    """Return what a value of JSON is as a key of an array of PHP.

    Raises:
        ArgumentError: It cannot be one.
    """
    if isinstance(value, str):
        _check_text(value)
        key = array_key(value)
        return key if isinstance(key, int) else value
    if value is None:
        return ""
    if isinstance(value, int | float) and abs(value) < _INT64:
        return int(value)  # a bool is an int; of a float the whole part
    raise ArgumentError(f"{_shown(value)} is no uid or group: give an int or a string")


def numbers_of(values: Iterable[object]) -> list[int]:
    """Return the connection ids among these values; others are nobody's.

    Raises:
        ArgumentError: One cannot be a connection id.
    """
    # A list may hold all clients, and nearly all of them are plain numbers.
    keys = (value if type(value) is int else key_of(value) for value in values)
    return [key for key in keys if isinstance(key, int)]


# JSON.


def json_of(ext: bytes) -> Any:
    """Return what JSON says, None for nothing.

    Raises:
        ArgumentError: It is not JSON, or says what cannot be held.
    """
    if not ext:
        return None
    try:
        return _decode(str(ext, "utf-8"))
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"{ext[:_MAX_SHOWN]!r} is not JSON: {error}") from error


def array_values(value: object) -> Iterable[object]:
    """Return the values of what is an array in PHP.

    Raises:
        ArgumentError: It is none.
    """
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, list):
        return value
    raise ArgumentError(f"{_shown(value)} stands where an array is wanted")


def array_keys(value: object) -> Iterable[object]:
    """Return those keys of what is an array in PHP, whose value is not null.

    PHP writes an array with the keys 0 to n-1 as a list.

    Raises:
        ArgumentError: It is none.
    """
    if isinstance(value, dict):
        return [key for key, item in value.items() if item is not None]
    return [key for key, item in enumerate(array_values(value)) if item is not None]


def _check_text(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(f"{_shown(value)} holds a lone surrogate") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


# Made once: `json.loads` makes one for each call that has options.
_decode: Final = json.JSONDecoder(parse_constant=_refuse_constant).decode


def _shown(value: object) -> str:
    return f"{value!r:.{_MAX_SHOWN}}"


# Messages.


def message_of(frame: Frame) -> str | bytes:
    """Return the message that a frame brings for clients.

    A text is text; bytes that are no UTF-8 go as a binary message, for browsers end a connection on
    which such text comes. Bytes with the flag `RAW` are written as they are.

    Raises:
        ArgumentError: The body is no message.
    """
    body = frame.body
    if not frame.flags & SCALAR:
        raise ArgumentError("the message is null, an array or an object: give a string")
    if frame.flags & RAW:
        return Encoded(body)
    return _text_or_binary(body)


def last_message_of(frame: Frame) -> str | bytes | None:
    """Return the message that a client gets before it is closed, None for none.

    Raises:
        ArgumentError: The body is neither a message nor null.
    """
    if frame.flags & SCALAR:
        return _text_or_binary(frame.body)
    try:
        value = unserialize(frame.body)
    except PhpValueError as error:
        raise ArgumentError(f"the message cannot be read: {error}") from error
    if value is not None:
        raise ArgumentError("the message is an array: give a string")
    return None


def _text_or_binary(body: bytes) -> str | bytes:
    try:
        return str(body, "utf-8")
    except UnicodeDecodeError:
        return body
