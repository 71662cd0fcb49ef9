"""From the JSON of a request to the arguments of a method. Pure.

Names and counts come from the method itself. What only JSON needs is added here: `message_base64` for
a binary message (`data_base64` for binary data), `{"$base64": "..."}` for binary values in a session,
an array for arguments that Python takes one by one, and the types of options, which Python's callers
have a type checker for. The values of uids, groups, ids and messages are left
to the library, which checks them for all its callers.
"""

from __future__ import annotations

import inspect
import json
import math
from base64 import b64decode
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from gateway.admin.problems import ApiError, Problem
from gateway_wire.commands.sessions import MAX_SESSION_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gateway_client.calls import Builder

    _Parameters: TypeAlias = Mapping[str, inspect.Parameter]

__all__ = ["BASE64_KEY", "arguments_of", "builder_of", "decode_body", "positioned"]

BINARY: Final[Mapping[str, str]] = {"message_base64": "message", "data_base64": "data"}
"""Arguments that take the place of others for binary values."""
BASE64_KEY: Final = "$base64"
"""A map with this single key stands for bytes in a session."""


def builder_of(methods: Mapping[str, Builder], name: str) -> Builder:
    """Return the method of a name.

    Raises:
        ApiError: If there is none; the message names the nearest.
    """
    builder = methods.get(name)
    if builder is None:
        text = f"there is no method {name!r:.80}{_nearest(name, methods)}"
        raise ApiError(Problem.UNKNOWN_METHOD, text)
    return builder


def decode_body(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body is; no body at all is an empty one.

    Raises:
        ApiError: If it is something else.
    """
    try:
        value = json.loads(body, parse_constant=_no_constant) if body else {}
    except (ValueError, RecursionError) as error:
        raise ApiError(Problem.INVALID_JSON, f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        kind = _kind_of(value)
        raise ApiError(Problem.INVALID_JSON, f"the body is {kind}, not an object of arguments")
    return value


def arguments_of(builder: Builder, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be passed to a method.

    Args:
        builder: The method.
        given: The arguments as JSON has them.

    Raises:
        ApiError: If one is unknown or missing, or an option is of the wrong type; the message
            names it.
    """
    parameters = _parameters(builder)
    _check_known(builder.__name__, given, parameters)
    arguments = {
        each: _CONVERT[each](each, value) if each in _CONVERT else value
        for each, value in given.items()
    }
    for binary in BINARY.keys() & arguments.keys():
        name = BINARY[binary]
        if name in arguments:
            raise _invalid(f"{name} and {binary} exclude each other: give one")
        arguments[name] = arguments.pop(binary)
    _check_complete(builder.__name__, arguments, parameters)
    return arguments


def positioned(
    builder: Builder, arguments: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a method by position and by name, as Python passes them."""
    bound = inspect.BoundArguments(_signature(builder), dict(arguments))
    return bound.args, bound.kwargs


def _check_known(method: str, given: Iterable[str], parameters: _Parameters) -> None:
    for name in given:
        if BINARY.get(name, name) not in parameters:
            right = _nearest(name, parameters) or f"; it takes {', '.join(parameters)}"
            text = f"{method} has no argument {name!r:.80}{right}"
            raise ApiError(Problem.UNKNOWN_ARGUMENT, text)


def _check_complete(method: str, arguments: Mapping[str, object], parameters: _Parameters) -> None:
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in arguments:
            names = [name, *(binary for binary, plain in BINARY.items() if plain == name)]
            text = f"{method} needs the argument {' or '.join(map(repr, names))}"
            raise ApiError(Problem.MISSING_ARGUMENT, text)


_signature = cache(inspect.signature)


def _parameters(builder: Builder) -> _Parameters:
    return _signature(builder).parameters


def _nearest(name: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(name, known, n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def _invalid(text: str) -> ApiError:
    return ApiError(Problem.INVALID_ARGUMENT, text)


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


# What each argument must be.


def _message(name: str, value: object) -> object:
    if value is None or isinstance(value, str | dict | list):
        return value
    raise _invalid(
        f"{name} is {_kind_of(value)}: give text, an object or an array, or binary data as "
        f"{name}_base64"
    )


def _binary(name: str, value: object) -> bytes:
    if isinstance(value, str):
        try:
            return b64decode(value, validate=True)
        except ValueError as error:
            raise _invalid(f"{name} is not Base64 (RFC 4648 section 4): {error}") from error
    raise _invalid(f"{name} is {_kind_of(value)}, not text in Base64")


def _several(_: str, value: object) -> object:
    return value if isinstance(value, list) else [value]


def _texts(_: str, value: object) -> object:
    # Answers are keyed by text, so that 1 and "1" must be one name here already.
    if not isinstance(value, list):
        return value
    return [str(each) if type(each) is int else each for each in value]


def _flag(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _invalid(f"{name} is {_kind_of(value)}: give true or false")


def _seconds(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
        return float(value)
    raise _invalid(f"{name} is {value!r:.40}: give seconds, a number above 0")


def _partial(name: str, value: object) -> str:
    if isinstance(value, str) and value in {"raise", "return"}:
        return value
    raise _invalid(f'{name} is {value!r:.40}: give "raise" or "return"')


def _session(name: str, value: object, levels: int = MAX_SESSION_DEPTH) -> object:
    """Replace what stands for bytes by bytes, as deep as a session may be."""
    if not levels or not isinstance(value, list | dict):
        return value
    if isinstance(value, list):
        return [_session(name, each, levels - 1) for each in value]
    if value.keys() == {BASE64_KEY}:
        return _binary(f"{BASE64_KEY} in {name}", value[BASE64_KEY])
    return {key: _session(name, each, levels - 1) for key, each in value.items()}


_CONVERT: Final[Mapping[str, Callable[[str, object], object]]] = {
    "message": _message,
    "data": _message,
    **dict.fromkeys(BINARY, _binary),
    "channels": _several,
    "uids": _texts,
    "groups": _texts,
    "confirm": _flag,
    "strict": _flag,
    "timeout": _seconds,
    "partial": _partial,
    "session": _session,
    "context": _session,
    "value": _session,
}

_KINDS: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "an array",
    dict: "an object",
}


def _kind_of(value: object) -> str:
    return _KINDS[type(value)]
