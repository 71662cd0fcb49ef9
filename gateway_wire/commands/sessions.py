"""Commands that read and write the sessions of connections.

A session is a map of text or integer keys to nil, bool, 64-bit integers, floats, text, bytes,
lists and maps of the same; :func:`check_session` is that rule.
"""

from __future__ import annotations

from typing import Any, Final, cast

from gateway_wire.commands.base import BACKENDS, Command, Role, command
from gateway_wire.commands.replies import FLAG, SESSION, SESSIONS

__all__ = [
    "MAX_SESSION_DEPTH",
    "AllSessions",
    "GetSession",
    "SessionsByGroups",
    "SetSession",
    "UpdateSession",
    "check_session",
]

_GATEWAY: Final = frozenset({Role.GATEWAY})
_INT64: Final = 2**63
_SCALARS: Final = frozenset({type(None), bool, float, bytes})

MAX_SESSION_DEPTH: Final = 32
"""Levels of containers in a session: far beyond real use, far below Python's recursion limit."""

MAX_SHOWN_KEY: Final = 60
"""Characters of a key that an error shows; the error must fit a frame, whatever the key is."""


@command(96, senders=BACKENDS, receivers=_GATEWAY, reply=FLAG)
class SetSession(Command):
    """Replace the connection's session; true if the client was there."""

    client_id: str
    session: dict[Any, Any]


@command(97, senders=BACKENDS, receivers=_GATEWAY, reply=FLAG)
class UpdateSession(Command):
    """Merge into the connection's session: maps recursively, anything else is replaced."""

    client_id: str
    changes: dict[Any, Any]


@command(98, senders=BACKENDS, receivers=_GATEWAY, reply=SESSION)
class GetSession(Command):
    """The connection's session; an empty map when none was set."""

    client_id: str


@command(99, senders=BACKENDS, receivers=_GATEWAY, reply=SESSIONS)
class SessionsByGroups(Command):
    """The sessions of the members of any of ``groups``."""

    groups: list[str]


@command(100, senders=BACKENDS, receivers=_GATEWAY, reply=SESSIONS)
class AllSessions(Command):
    """The sessions of all connections of this gateway."""


def check_session(session: object) -> None:
    """Check that a value can be a session.

    Raises:
        TypeError: If it, or anything in it, is of another type than sessions hold; the message
            names the place, such as ``session['cart'][0]``.
        ValueError: If an integer has more than 64 bits, a text holds a lone surrogate, or it is
            nested too deeply.
    """
    if type(session) is not dict:
        raise TypeError(f"a session is a dict, not {type(session).__name__}")
    _check_container(session, None, MAX_SESSION_DEPTH)


_Place = tuple["_Place | None", object]
"""Where a value stands: its container's place, None for the session, and its key there. Put in words
only for an error: a session may have a million values, and a key hundreds of kilobytes."""


def _named(place: _Place | None, *, is_key: bool = False) -> str:
    """Put a place in words, or the key at that place."""
    if place is None:
        return "session"
    container, key = place
    shown = _shown(key)
    return _named(container) + (f" key {shown}" if is_key else f"[{shown}]")


def _shown(key: object) -> str:
    return f"{key!r:.{MAX_SHOWN_KEY}}"


def _check_value(value: object, place: _Place, depth: int) -> None:
    kind = type(value)
    if kind is str:
        _check_text(cast("str", value), place)
    elif kind is int:
        _check_int(cast("int", value), place)
    elif kind is list or kind is dict:
        _check_container(cast("list[Any] | dict[Any, Any]", value), place, depth)
    elif kind not in _SCALARS:
        raise TypeError(
            f"{_named(place)} is of type {kind.__name__}; a session holds None, bool, int, float, "
            "str, bytes, list and dict: convert it first"
        )


def _check_int(value: int, place: _Place, *, is_key: bool = False) -> None:
    if not -_INT64 <= value < _INT64:
        name = _named(place, is_key=is_key)
        raise ValueError(f"{name} is an integer of more than 64 bits; store it as text")


def _check_text(value: str, place: _Place, *, is_key: bool = False) -> None:
    if value.isascii():
        return
    try:
        value.encode()
    except UnicodeEncodeError as error:
        name = _named(place, is_key=is_key)
        raise ValueError(
            f"{name} holds a lone surrogate at position {error.start}, which UTF-8 cannot carry"
        ) from error


def _check_container(value: list[Any] | dict[Any, Any], place: _Place | None, depth: int) -> None:
    if depth == 0:
        raise ValueError(f"{_named(place)} is nested deeper than {MAX_SESSION_DEPTH} levels")
    if isinstance(value, list):
        for index, item in enumerate(value):
            if type(item) not in _SCALARS:
                _check_value(item, (place, index), depth - 1)
        return
    for key, item in value.items():
        _check_key(key, place)
        _check_value(item, (place, key), depth - 1)


def _check_key(key: object, place: _Place | None) -> None:
    if type(key) is int:
        _check_int(key, (place, key), is_key=True)
    elif type(key) is str:
        _check_text(key, (place, key), is_key=True)
    else:
        raise TypeError(
            f"{_named(place)} has the key {_shown(key)} of type {type(key).__name__}; keys are "
            "str or int"
        )
