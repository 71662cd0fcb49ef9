"""The errors of the cluster's language.

::

    GatewayError                      root of everything the cluster raises
    ├── InvalidClientId (ValueError)  not a client id in any form
    ├── MessageTooLarge (ValueError)  larger than a message or frame may be
    ├── AuthenticationFailed          secret keys differ, or one side has none
    └── LinkError                     a link cannot go on
        ├── LocalProtocolError        our side did what the state machine forbids (a bug)
        ├── RemoteProtocolError       the peer did
        └── LinkRefused               the peer said why it refuses, by an error code

The client library adds its own to the same root. Errors keep their facts as fields and build
the message in ``__str__``, so that callers need not parse prose.
"""

from __future__ import annotations

from enum import Enum

__all__ = [
    "AuthenticationFailed",
    "ErrorCode",
    "GatewayError",
    "InvalidClientId",
    "LinkError",
    "LinkRefused",
    "LocalProtocolError",
    "MessageTooLarge",
    "RemoteProtocolError",
]


class ErrorCode(Enum):
    """The closed catalogue of what an error answer can say; the value is what the wire carries."""

    UNSUPPORTED = "unsupported"
    """The command is unknown to this side (it may be newer); the link goes on."""
    MALFORMED = "malformed"
    """A field is missing or of the wrong type; nothing was executed; the link goes on."""
    FORBIDDEN = "forbidden"
    """The peer's role may not send this command; the link goes on."""
    TOO_LARGE = "too_large"
    """A message, session or name is over its limit; nothing was executed."""
    INVALID = "invalid"
    """A value is of the right type but not allowed, such as a close code; nothing was executed."""
    INTERNAL = "internal"
    """The command failed by a bug of this side; its log has the details."""
    STOPPING = "stopping"
    """This process is stopping and executes nothing more."""
    VERSION = "version"
    """The two sides have no protocol version in common; the link closes."""
    KEY_MISSING = "key_missing"
    """This side has a secret key and the peer announced none; the link closes."""
    KEY_UNEXPECTED = "key_unexpected"
    """The peer announced a secret key and this side has none; the link closes."""
    KEY_WRONG = "key_wrong"
    """Both sides have a secret key and they differ; the link closes."""
    PROTOCOL = "protocol"
    """The bytes are not this protocol, or come in a forbidden order; the link closes."""
    TIMEOUT = "timeout"
    """The hello was not finished in time; the link closes."""
    DUPLICATE_NODE = "duplicate_node"
    """Another living gateway has this node id; the gateway chooses anew."""
    UNREACHABLE_ADDRESS = "unreachable_address"
    """A gateway announced an address that others could not dial."""


class GatewayError(Exception):
    """Root of all errors that the cluster raises."""


class InvalidClientId(GatewayError, ValueError):
    """What was given is not a client id.

    Attributes:
        client_id: What was given.
    """

    def __init__(self, client_id: object) -> None:
        super().__init__(client_id)
        self.client_id = client_id

    def __str__(self) -> str:
        return (
            f"{self.client_id!r:.80} is not a client id: pass on unchanged the text that the "
            'page received in {"type":"init","client_id":...} (32 hex digits; with PHP 20, with CONNMIX a number)'
        )


class MessageTooLarge(GatewayError, ValueError):
    """A message, session or list is larger than may be sent; nothing was sent.

    Attributes:
        what: What was too large, such as ``"message"``.
        size: Its size in bytes.
        limit: The limit in bytes.
    """

    def __init__(self, what: str, size: int, limit: int, remedy: str = "") -> None:
        super().__init__(what, size, limit, remedy)
        self.what = what
        self.size = size
        self.limit = limit
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"the {self.what} has {self.size:,} bytes, the limit is {self.limit:,}"
        return f"{text}; {self.remedy}" if self.remedy else text


class AuthenticationFailed(GatewayError):
    """The two sides of a link do not share a secret key.

    Attributes:
        code: Which of the ``KEY_*`` codes it is.
        peer: The peer, as the caller knows it.
    """

    def __init__(self, code: ErrorCode, text: str, peer: str = "") -> None:
        super().__init__(code, text, peer)
        self.code = code
        self.text = text
        self.peer = peer

    def __str__(self) -> str:
        return f"{self.peer}: {self.text}" if self.peer else self.text


class LinkError(GatewayError):
    """A link cannot go on."""


class LocalProtocolError(LinkError):
    """Our side did what the link's state machine forbids: a bug, nothing was sent."""


class RemoteProtocolError(LinkError):
    """The peer broke the protocol; the link must be closed.

    Attributes:
        code: What the peer is told before the link closes.
    """

    def __init__(self, text: str, code: ErrorCode = ErrorCode.PROTOCOL) -> None:
        super().__init__(text, code)
        self.text = text
        self.code = code

    def __str__(self) -> str:
        return self.text


class LinkRefused(LinkError):
    """The peer refused the link, or ended it, and said why.

    Attributes:
        code: The peer's error code as text (it may be newer than our catalogue).
        text: The peer's sentence.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.text} ({self.code})"

    @property
    def is_stop(self) -> bool:
        """Whether the peer ended the link because it stops, which is no trouble."""
        return self.code == ErrorCode.STOPPING.value
