"""From results to JSON, in slices: the loop that makes a long answer also serves browsers.

JSON has no bytes and no NaN: bytes become `{"$base64": "..."}`, as they are given in a request, and
NaN and the infinities `null`, as in JavaScript. Keys become text.
"""

from __future__ import annotations

import asyncio
import json
import math
from base64 import b64encode
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from gateway.admin.arguments import BASE64_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["encode_answer", "json_pieces"]

SLICE: Final = 1_000
"""Items of a list that become text in one go: 1,000 client ids take about 0.1 ms."""
CHARACTERS_PER_TURN: Final = 64 * 1024
"""Text after which the loop gets to serve others: some tenths of a millisecond."""
LEVELS: Final = 3
"""Levels that are taken apart: the answer, its result, and the lists or sessions in that."""


async def encode_answer(answer: Mapping[str, Any]) -> bytes:
    """Return an answer as JSON in UTF-8, made in many turns of the loop if it is long."""
    pieces = []
    room = CHARACTERS_PER_TURN
    for piece in json_pieces(answer, LEVELS):
        pieces.append(piece)
        room -= len(piece)
        if room < 0:
            room = CHARACTERS_PER_TURN
            await asyncio.sleep(0)
    return "".join(pieces).encode()


def json_pieces(value: object, levels: int) -> Iterator[str]:
    """Give a value's JSON in pieces.

    Args:
        value: What to write.
        levels: How many levels of maps and lists are taken apart; what is below is one piece each.
    """
    if levels and isinstance(value, dict):
        yield from _of_map(value, levels)
    elif levels and isinstance(value, list) and len(value) > SLICE:
        yield from _of_list(value)
    else:
        yield _text(value)


def _of_map(value: Mapping[Any, Any], levels: int) -> Iterator[str]:
    before = "{"
    for key, each in value.items():
        yield f"{before}{_text(str(key))}:"
        yield from json_pieces(each, levels - 1)
        before = ","
    yield "{}" if before == "{" else "}"


def _of_list(value: list[Any]) -> Iterator[str]:
    items = iter(value)
    before = "["
    while part := list(islice(items, SLICE)):
        yield before + _text(part)[1:-1]
        before = ","
    yield "]"


def _text(value: object) -> str:
    try:
        return _encode(value)
    except ValueError:  # NaN or an infinity: rare, so looked for only then
        return _encode(_without_nan(value))


def _without_nan(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    return value


def _of_bytes(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {BASE64_KEY: b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} is in no answer")


_encode: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_of_bytes).encode
