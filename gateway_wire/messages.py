"""Messages: what callers push, and what travels.

`str` is a text message, bytes-like is a binary one, `dict` and `list` are compact JSON text. Values
that JSON does not know are written the way most JavaScript reads them: dates and times as ISO 8601,
`Decimal` and `UUID` as text. Anything else is a `TypeError`, and NaN or an infinity a `ValueError`,
that names the place in the message.
"""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final, TypeAlias
from uuid import UUID

__all__ = ["Message", "message_size", "payload_of"]

Message: TypeAlias = str | bytes | bytearray | memoryview | dict[Any, Any] | list[Any]
"""What may be pushed to a browser."""

_TIMES: Final = (datetime, date, time)
_TEXTS: Final = (Decimal, UUID)
_KEYS: Final = (str, int, float, bool, type(None))
_PLAIN: Final = (str, int, float, bool, type(None), *_TIMES, *_TEXTS)


def payload_of(message: Message) -> str | bytes:
    """Return a message as it travels: text or bytes.

    Raises:
        TypeError: If it is of another type, or JSON cannot carry something in it; the message
            names the place, such as `message['user'][0]`.
        ValueError: If it holds NaN or an infinity, with the place; itself; or lone surrogates.
    """
    if isinstance(message, str):
        return _checked(message)
    if isinstance(message, bytes):
        return message
    if isinstance(message, dict | list):
        return _checked(_to_json(message))
    if isinstance(message, bytearray | memoryview):
        return bytes(message)
    raise TypeError(
        f"a message is str, bytes, dict or list, not {type(message).__name__}: for JSON of "
        "anything else pass json.dumps(...), for text str(...)"
    )


def message_size(payload: str | bytes) -> int:
    """Return the bytes that a payload has on the wire."""
    if isinstance(payload, bytes) or payload.isascii():
        return len(payload)
    return len(payload.encode())


def _checked(text: str) -> str:
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the message holds a lone surrogate at position {error.start}, which UTF-8 cannot "
            "carry: it was decoded or cut wrongly where it came from"
        ) from error
    return text


def _to_json(message: dict[Any, Any] | list[Any]) -> str:
    try:
        return _encode(message)
    except (TypeError, ValueError) as error:
        place = _find(message, "message", set())
        raise place or error from None


def json_default(value: object) -> str:
    """Write what JSON does not know: times as ISO 8601, `Decimal` and `UUID` as text.

    Raises:
        TypeError: If it is none of these.
    """
    if isinstance(value, _TIMES):
        return value.isoformat()
    if isinstance(value, _TEXTS):
        return str(value)
    raise TypeError(type(value).__name__)


_encode: Final = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=json_default
).encode


def _find(value: object, place: str, above: set[int]) -> TypeError | ValueError | None:
    """Find what JSON could not carry; only called when there is something."""
    if isinstance(value, float) and not math.isfinite(value):
        return ValueError(f"{place} is {value}, which JSON cannot carry: send None or text instead")
    if isinstance(value, _PLAIN) or id(value) in above:
        return None
    if isinstance(value, dict):
        items = [(f"{place}[{key!r}]", item) for key, item in value.items()]
        for key in value:
            if (error := _why_no_key(key, place)) is not None:
                return error
    elif isinstance(value, list | tuple):
        items = [(f"{place}[{index}]", item) for index, item in enumerate(value)]
    else:
        return TypeError(
            f"{place} is of type {type(value).__name__}, which JSON cannot carry: convert it first"
        )
    found = (_find(item, where, above | {id(value)}) for where, item in items)
    return next((error for error in found if error is not None), None)


def _why_no_key(key: object, place: str) -> TypeError | ValueError | None:
    if not isinstance(key, _KEYS):
        kind = type(key).__name__
        return TypeError(f"{place} has the key {key!r} of type {kind}: JSON's keys are text")
    if isinstance(key, float) and not math.isfinite(key):
        return ValueError(
            f"{place} has the key {key}, which JSON cannot carry: JSON's keys are text"
        )
    return None
