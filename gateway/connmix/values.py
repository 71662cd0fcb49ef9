"""The parameters of CONNMIX's requests: each by all of its names, each value checked where it is taken.

Every spelling is accepted in either dialect, as an object or as an object in a list: CONNMIX's documents and
clients have changed between them, and none means two things.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from gateway.connmix.codes import bad_request
from gateway_wire.commands import check_session
from gateway_wire.ids import parse_client_id
from gateway_wire.messages import payload_of
from gateway_wire.names import names_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ARGUMENTS",
    "CHANNEL",
    "CLIENT",
    "FUNCTION",
    "TOPICS",
    "as_client_id",
    "as_context",
    "as_names",
    "data_of",
    "fields_of",
    "first",
    "given",
    "is_client_id",
]

TOPICS: Final = ("t", "topics")
CLIENT: Final = ("c", "client_id")
CHANNEL: Final = ("channel", "c")
FUNCTION: Final = ("f", "func", "method")
ARGUMENTS: Final = ("a", "args", "params")
_DATA: Final = ("d", "data")
_KIND: Final = ("t", "type")


def fields_of(params: object) -> Mapping[str, Any]:
    """Return parameters by name; none, or an empty array, is PHP's empty map.

    Raises:
        ConnmixError: They are something else.
    """
    if isinstance(params, list) and len(params) == 1:
        params = params[0]
    if params is None or params == []:
        return {}
    if isinstance(params, dict):
        return params
    raise bad_request(f'the parameters are an object, as {{"c":...}}, not {params!r:.80}')


def first(fields: Mapping[str, Any], names: tuple[str, ...]) -> object:
    """Return the field that has one of these names; None if there is none."""
    return next((fields[name] for name in names if name in fields), None)


def given(fields: Mapping[str, Any], names: tuple[str, ...], what: str) -> object:
    """Return the field that has one of these names.

    Raises:
        ConnmixError: There is none.
    """
    value = first(fields, names)
    if value is None:
        raise bad_request(f"the parameters lack {what} ({' or '.join(names)})")
    return value


def is_client_id(value: object) -> bool:
    """Return whether this is the text of a client id, in any form."""
    try:
        parse_client_id(value)
    except ValueError:
        return False
    return True


def as_client_id(value: object) -> str:
    """Return a client id, which is a number in JSON, or text.

    Raises:
        ConnmixError: It is none.
    """
    text = str(value) if type(value) is int else value
    if isinstance(text, str) and is_client_id(text):
        return text
    raise bad_request(
        f"{value!r:.80} is no client id: send the one that came with an event, a whole number"
        " below 2**63 or its digits as text; as a floating-point number it has lost digits"
    )


def as_names(what: str, values: Any) -> list[str]:
    """Return topics or channels, each once.

    Raises:
        ConnmixError: One is no name, or there is none at all.
    """
    try:
        names = names_of(what, values)
    except (TypeError, ValueError) as error:
        raise bad_request(str(error)) from error
    if not names:
        raise bad_request(f'there must be at least one {what}, as ["foo","bar"]')
    return names


def as_context(value: dict[Any, Any]) -> dict[Any, Any]:
    """Return what may be in a context.

    Raises:
        ConnmixError: It holds what cannot be, or too much.
    """
    try:
        check_session(value)
    except (TypeError, ValueError) as error:
        raise bad_request(str(error)) from error
    return value


def data_of(fields: Mapping[str, Any]) -> str | bytes:
    """Return the message among the parameters: text, or with the type `binary` what its Base64 says.

    Raises:
        ConnmixError: There is none, or not of its type.
    """
    data, kind = first(fields, _DATA), first(fields, _KIND)
    if not isinstance(data, str):
        raise bad_request(
            f"the data (d or data) is text, not {data!r:.40}; encode it as JSON first"
        )
    if kind not in (None, "text", "binary"):
        raise bad_request(f'the type of the data is "text" or "binary", not {kind!r:.40}')
    try:
        return b64decode(data, validate=True) if kind == "binary" else payload_of(data)
    except ValueError as error:
        said = "Base64, which binary data is" if kind == "binary" else "text"
        raise bad_request(f"the data is no {said}: {error}") from error
