"""What commands must keep to beyond their types; the client library checks the same before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_wire import close_codes
from gateway_wire.commands import CommandError
from gateway_wire.errors import ErrorCode
from gateway_wire.limits import MAX_ID_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_close", "check_message", "check_names"]


def check_names(what: str, names: Iterable[str]) -> None:
    """Check uids or groups that are about to be bound or joined.

    Raises:
        CommandError: If one is empty or too long.
    """
    for name in names:
        if not name:
            raise CommandError(ErrorCode.INVALID, f"a {what} must not be empty")
        if len(name) > MAX_ID_LENGTH or len(name.encode()) > MAX_ID_LENGTH:
            text = f"the {what} {name:.40}... is longer than {MAX_ID_LENGTH} bytes"
            raise CommandError(ErrorCode.TOO_LARGE, text)


def check_message(message: str | bytes | None, limit: int) -> None:
    """Check a message's size.

    Raises:
        CommandError: If it is larger than the gateway's `max_message`.
    """
    if message is None or len(message) * 4 <= limit:
        return
    size = len(message.encode()) if isinstance(message, str) else len(message)
    if size > limit:
        text = (
            f"the message has {size:,} bytes, this gateway's max_message is {limit:,}: "
            "send less, or raise max_message"
        )
        raise CommandError(ErrorCode.TOO_LARGE, text)


def check_close(code: int, reason: str) -> None:
    """Check the code and reason with which an application closes a connection.

    Raises:
        CommandError: If an application may not close with them.
    """
    try:
        close_codes.application_reason(code, reason)
    except ValueError as error:
        raise CommandError(ErrorCode.INVALID, str(error)) from error
