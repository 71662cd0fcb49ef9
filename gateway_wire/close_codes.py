"""Why a browser's connection ends: one closed catalogue.

The same value is the code on the wire, `reason` in `on_close`, the field in a
log line, the label of a metric and the row in the documentation. Nothing else
in the cluster invents a close code; whoever closes a connection takes one from
here, and an application's own code passes `application_reason()`.

Ranges: 1000-1015 mean what RFC 6455 section 7.4.1 and the IANA registry say;
3000-3499 are ours and the browser should reconnect; 3500-3999 are ours and it
should not; 1000 and 4000-4999 belong to the application. 1005 and 1006 never
travel: they are how this side writes down a Close without a code, and a
connection that ended without a Close at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "APPLICATION_CODES",
    "CATALOGUE",
    "CLOSED",
    "CONNECTION_LOST",
    "CREDENTIALS_EXPIRED",
    "INVALID_TEXT",
    "LIMIT",
    "MAX_REASON_BYTES",
    "MESSAGE_TOO_BIG",
    "MOVED",
    "NEVER_BOUND",
    "NO_STATUS",
    "NO_WORKER",
    "PEER_CLOSED",
    "PING_TIMEOUT",
    "PROTOCOL_ERROR",
    "REFUSED",
    "REVOKED",
    "SLOW",
    "STOPPING",
    "UNSUPPORTED_DATA",
    "CloseCode",
    "CloseReason",
    "application_reason",
    "find",
    "is_wire_code",
    "peer_closed",
    "sent_reason",
]

MAX_REASON_BYTES: Final = 123
"""A control frame carries at most 125 bytes (RFC 6455 5.5), two of them are the code."""

APPLICATION_CODES: Final = range(4000, 5000)
"""Codes that mean what the application says (RFC 6455 7.4.2, "private use")."""

PEER_CLOSED: Final = "peer_closed"
"""Name of every reason that the browser gave: its Close frame, whatever the code."""

_APPLICATION: Final = "application"
_WIRE_RANGES: Final = (range(1000, 1004), range(1007, 1015), range(3000, 5000))


@dataclass(frozen=True, slots=True)
class CloseReason:
    """Why one connection ended; what `on_close` receives.

    Attributes:
        code: The close code, as sent or received; 1005 and 1006 as this side saw the end.
        name: Name from the catalogue, `peer_closed` if the browser closed, or `application`
            for a code of 4000-4999 that the application gave.
        text: Human-readable reason; at most `MAX_REASON_BYTES` of UTF-8 where it travels.
    """

    code: int
    name: str
    text: str = ""

    def __str__(self) -> str:
        """Return code, name and text as one phrase for a log line."""
        return f"{self.code} {self.name}: {self.text}" if self.text else f"{self.code} {self.name}"


@dataclass(frozen=True, slots=True)
class CloseCode:
    """One entry of the catalogue.

    Attributes:
        code: The number on the wire.
        name: The word for logs, metrics and `CloseReason.name`.
        when: One sentence saying when it is issued.
        reconnect: Whether the browser should come back (with backoff and jitter); `None` where
            the application decides.
        application: Whether an application may close with it.
    """

    code: int
    name: str
    when: str
    reconnect: bool | None
    application: bool = False

    def reason(self, text: str = "") -> CloseReason:
        """Return the reason of one connection that ends with this code."""
        return CloseReason(self.code, self.name, text)


CLOSED: Final = CloseCode(
    1000, "closed", "The application closed the connection.", reconnect=None, application=True
)
PROTOCOL_ERROR: Final = CloseCode(
    1002, "protocol_error", "The client broke the rules of what it speaks.", reconnect=False
)
UNSUPPORTED_DATA: Final = CloseCode(
    1003, "unsupported_data", "A kind of message arrived that is not accepted.", reconnect=False
)
NO_STATUS: Final = CloseCode(
    1005, "no_status", "A Close frame without a code arrived; never sent.", reconnect=None
)
CONNECTION_LOST: Final = CloseCode(
    1006,
    "connection_lost",
    "The connection ended without a Close frame; never sent.",
    reconnect=None,
)
INVALID_TEXT: Final = CloseCode(
    1007, "invalid_text", "A text message was not valid UTF-8.", reconnect=False
)
LIMIT: Final = CloseCode(1008, "limit", "A limit of the gateway was exceeded.", reconnect=False)
MESSAGE_TOO_BIG: Final = CloseCode(
    1009, "message_too_big", "The client sent a message above `max_message`.", reconnect=False
)
STOPPING: Final = CloseCode(
    1012, "stopping", "The gateway is stopping; come back with jitter.", reconnect=True
)
NO_WORKER: Final = CloseCode(
    1013, "no_worker", "A worker is required and none is there; try later.", reconnect=True
)
SLOW: Final = CloseCode(
    3000, "slow", "The browser read too slowly and its send buffer overflowed.", reconnect=True
)
PING_TIMEOUT: Final = CloseCode(
    3001, "ping_timeout", "Nothing was heard from the browser after a ping.", reconnect=True
)
MOVED: Final = CloseCode(
    3002, "moved", "The connection should move to another gateway.", reconnect=True
)
CREDENTIALS_EXPIRED: Final = CloseCode(
    3003,
    "credentials_expired",
    "The credentials expired; come back with new ones.",
    reconnect=True,
    application=True,
)
REFUSED: Final = CloseCode(
    3500, "refused", "The connection was refused.", reconnect=False, application=True
)
REVOKED: Final = CloseCode(
    3501, "revoked", "The right to be connected was withdrawn.", reconnect=False, application=True
)
NEVER_BOUND: Final = CloseCode(
    3502,
    "never_bound",
    "No uid was bound within `bind_timeout`, or a value that the entry module waits for was not set in time.",
    reconnect=False,
)

CATALOGUE: Final[tuple[CloseCode, ...]] = (
    CLOSED,
    PROTOCOL_ERROR,
    UNSUPPORTED_DATA,
    NO_STATUS,
    CONNECTION_LOST,
    INVALID_TEXT,
    LIMIT,
    MESSAGE_TOO_BIG,
    STOPPING,
    NO_WORKER,
    SLOW,
    PING_TIMEOUT,
    MOVED,
    CREDENTIALS_EXPIRED,
    REFUSED,
    REVOKED,
    NEVER_BOUND,
)
"""Every code, in ascending order."""

_BY_CODE: Final = {entry.code: entry for entry in CATALOGUE}


def find(code: int) -> CloseCode | None:
    """Return the catalogue's entry for `code`, or None."""
    return _BY_CODE.get(code)


def is_wire_code(code: int) -> bool:
    """Tell whether `code` may stand in a Close frame (RFC 6455 7.4 and the IANA registry)."""
    return any(code in codes for codes in _WIRE_RANGES)


def peer_closed(code: int, text: str = "") -> CloseReason:
    """Return the reason when the browser closed with `code` (1005 if it gave none)."""
    return CloseReason(code, PEER_CLOSED, text)


def sent_reason(code: int, text: str = "") -> CloseReason:
    """Return the reason of a connection that this side closes with a Close frame.

    Args:
        code: 4000-4999, or a code of the catalogue that may travel.
        text: At most `MAX_REASON_BYTES` bytes of UTF-8.

    Raises:
        ValueError: The code is neither, or `text` is too long or not encodable.
    """
    _check_text(text)
    if code in APPLICATION_CODES:
        return CloseReason(code, _APPLICATION, text)
    entry = find(code)
    if entry is None or not is_wire_code(code):
        msg = f"close code {code} cannot be sent: use 4000-4999 or one of the catalogue"
        raise ValueError(msg)
    return entry.reason(text)


def application_reason(code: int = CLOSED.code, text: str = "") -> CloseReason:
    """Check what an application wants to close a connection with.

    Args:
        code: 1000, 4000-4999, or one of ours that is meant for applications (3003, 3500, 3501).
        text: Reason the browser sees, at most `MAX_REASON_BYTES` bytes of UTF-8.

    Returns:
        The reason, ready for the wire and for `on_close`.

    Raises:
        TypeError: `code` is not an int or `text` not a str.
        ValueError: `code` is not the application's, or `text` is too long or not encodable.
    """
    if not isinstance(code, int) or isinstance(code, bool):
        msg = f"close code must be an int such as 1000 or 4001, not {code!r}"
        raise TypeError(msg)
    _check_text(text)
    if code in APPLICATION_CODES:
        return CloseReason(code, _APPLICATION, text)
    entry = find(code)
    if entry is None or not entry.application:
        allowed = ", ".join(str(entry.code) for entry in CATALOGUE if entry.application)
        msg = f"close code {code} is not the application's: use 4000-4999 or one of {allowed}"
        raise ValueError(msg)
    return entry.reason(text)


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        msg = f"close reason must be a str, not {type(text).__name__}"
        raise TypeError(msg)
    size = len(text.encode())
    if size > MAX_REASON_BYTES:
        msg = (
            f"close reason is {size} bytes of UTF-8, the limit of a Close frame is "
            f"{MAX_REASON_BYTES}: shorten it or send a message before closing"
        )
        raise ValueError(msg)
