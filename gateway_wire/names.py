"""The names in calls: uids, groups and client ids, as callers hold them and as they travel.

A uid or group is `str`, `int` or `UUID` and travels as text, so `1` and `"1"` are one name. What
could only be a mistake (None, a bool, a float, an empty text) is refused here, with what to do
instead, before anything travels. Subclasses count as what they are underneath: a `StrEnum` as its
text, an `IntEnum` or a numpy integer as its number.

Wherever one name may stand several may, in any iterable but a mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Final, TypeAlias
from uuid import UUID

from gateway_wire.errors import MessageTooLarge
from gateway_wire.ids import parse_client_id
from gateway_wire.limits import MAX_ID_LENGTH

__all__ = ["ClientIds", "Name", "Names", "client_ids_of", "name_of", "names_by_key", "names_of"]

Name: TypeAlias = str | int | UUID
"""A uid or a group."""

Names: TypeAlias = Name | Iterable[Name]
"""One uid or group, or several."""

ClientIds: TypeAlias = str | Iterable[str]
"""One client id, or several."""

_SAFE_LENGTH: Final = MAX_ID_LENGTH // 4  # UTF-8 takes at most four bytes a character
_SCALARS: Final = (str, int, float, bytes, bytearray, UUID, type(None))


def name_of(what: str, value: Name) -> str:
    """Return the text of one uid or group.

    Args:
        what: `"uid"` or `"group"`, for messages.
        value: What the caller holds.

    Raises:
        TypeError: If it is not `str`, `int` or `UUID`.
        ValueError: If it is empty or cannot be encoded as UTF-8.
        MessageTooLarge: If it has more than 1,024 bytes.
    """
    text = value if type(value) is str else _text_of(what, value)
    if len(text) > _SAFE_LENGTH or not text.isascii():
        _check_encoded(what, text)
    elif not text:
        raise ValueError(f"a {what} is never empty; there is no {what} that stands for nobody")
    return text


def names_of(what: str, values: Names) -> list[str]:
    """Return the texts of one or several uids or groups, each once.

    Raises:
        TypeError: As `name_of`; also if `values` is a mapping.
        ValueError: As `name_of`.
    """
    if type(values) is str:
        return [name_of(what, values)]
    if isinstance(values, _SCALARS) or not isinstance(values, Iterable):
        return [name_of(what, values)]  # type: ignore[arg-type]
    return list(dict.fromkeys(name_of(what, value) for value in _several(what, values)))


def names_by_key(what: str, values: Iterable[Name]) -> dict[Name, str]:
    """Return the texts of several uids or groups by the caller's own values.

    Raises:
        TypeError: As `name_of`; also if `values` is not an iterable of names.
        ValueError: As `name_of`.
    """
    if isinstance(values, _SCALARS) or not isinstance(values, Iterable):
        raise TypeError(f"several {what}s are asked for: give a list, not {values!r:.80}")
    return {value: name_of(what, value) for value in _several(what, values)}


def client_ids_of(values: ClientIds) -> dict[str, str]:
    """Return the directory key of the owner of each client id.

    Raises:
        InvalidClientId: If one is not a client id.
        TypeError: If `values` is a mapping.
    """
    if isinstance(values, _SCALARS) or not isinstance(values, Iterable):
        values = (values,)
    return {value: parse_client_id(value).node_key for value in _several("client id", values)}


def _several(what: str, values: Iterable[str | Name]) -> Iterable[str]:
    if isinstance(values, Mapping):
        raise TypeError(
            f"several {what}s are a list, not a mapping: pass list(mapping) if its keys are meant"
        )
    return values  # type: ignore[return-value]


def _text_of(what: str, value: object) -> str:
    if isinstance(value, bool | float) or value is None:
        raise TypeError(f"a {what} is a str, int or UUID, not {value!r}: {_ADVICE[type(value)]}")
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Integral):
        return int.__repr__(int(value))
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"a {what} is a str, int or UUID, not {type(value).__name__}: convert it first")


_ADVICE: Final[dict[type, str]] = {
    type(None): "is the user logged in, and the field filled?",
    bool: "a flag is no name, pass the id itself",
    float: "convert it with int() or str(), since 1.0 and 1 would be different names",
}


def _check_encoded(what: str, text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the {what} {text!r:.80} holds lone surrogates, which UTF-8 cannot carry: it was "
            "decoded wrongly where it came from"
        ) from error
    if size > MAX_ID_LENGTH:
        raise MessageTooLarge(what, size, MAX_ID_LENGTH, "use a shorter one, such as its hash")
