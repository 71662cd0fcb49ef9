"""Sessions as PHP's clients and workers write and read them.

A session of PHP is an array, a session of ours is a dict with text or int keys; see
`gateway_wire.commands.check_session`. What PHP stores comes back to PHP byte for byte, as PHP 7.1 and
later write it with their own settings.

What is here is what PHP says is there: an array with the keys 0 to n-1 is a list, also an empty one, and only
the session itself is always a dict. So what Python stores is, once PHP has written it back, what PHP
makes of it: an empty dict is an empty list, a key of digits an int (of two that become one the later wins), a dict
with the keys 0 to n-1 a list, bytes that are UTF-8 text. PHP can hold all that our sessions hold; ours
have no keys that are not UTF-8, no more than 32 levels, and no more than `MAX_SESSION` packed bytes, which is
checked where they are stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.php.values import Limits, PhpValueError, array_key, listed, serialize, unserialize
from gateway_wire.commands import check_session
from gateway_wire.commands.sessions import MAX_SESSION_DEPTH

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["read_session", "replaced_recursively", "write_session"]

_LIMITS: Final = Limits(depth=MAX_SESSION_DEPTH)


def read_session(data: bytes) -> dict[Any, Any]:
    """Return the session that PHP has written; of no bytes an empty one.

    Raises:
        PhpValueError: It is no array of plain values, or our sessions cannot hold it.
    """
    if not data:
        return {}
    array = unserialize(data, limits=_LIMITS, as_lists=True)
    if not isinstance(array, list | dict):
        raise PhpValueError(f"a session is an array, and {data!r:.40} is none")
    session = _entries(array)
    try:
        check_session(session)
    except TypeError as error:
        raise PhpValueError(f"{error}, in UTF-8") from error
    return session


def write_session(session: Mapping[Any, Any]) -> bytes:
    """Return a session of ours as PHP reads it."""
    return serialize(dict(session), depth=MAX_SESSION_DEPTH)


def replaced_recursively(session: Mapping[Any, Any], changes: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a session with changes in it as `updateSession` of PHP makes them.

    That is `array_replace_recursive`: unlike in our own merge a list is an array, too. `["c"]` over
    `["a", "b"]` is `["c", "b"]`, and an empty array over another changes nothing. Whatever is merged
    is then as PHP holds it; what lies beside is not touched.

    Args:
        session: A session of ours; it stays as it is.
        changes: What `read_session` has returned.
    """
    result = {array_key(key): value for key, value in session.items()}
    for key, value in changes.items():
        old = result.get(key)
        if isinstance(old, list | dict) and isinstance(value, list | dict):
            result[key] = listed(replaced_recursively(_entries(old), _entries(value)))
        else:
            result[key] = value
    return result


def _entries(array: list[Any] | dict[Any, Any]) -> dict[Any, Any]:
    return dict(enumerate(array)) if isinstance(array, list) else array
