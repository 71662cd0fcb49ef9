"""Commands that make, keep and end a link, and the answers that travel on it.

The hello is described in :mod:`gateway_wire.hello`, who may say what when in
:mod:`gateway_wire.state`.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, Final

from gateway_wire.commands.base import Command, Role, command
from gateway_wire.commands.replies import NOTHING

__all__ = [
    "Challenge",
    "Error",
    "Goodbye",
    "Hello",
    "Ping",
    "Pong",
    "Proof",
    "Reply",
    "ReplyPart",
    "Welcome",
]

_ANY: Final = frozenset(Role)
_DIALERS: Final = frozenset({Role.GATEWAY, Role.WORKER, Role.CLIENT})
_ACCEPTORS: Final = frozenset({Role.REGISTER, Role.GATEWAY})


@command(1, senders=_DIALERS, receivers=_ACCEPTORS, reply=NOTHING)
class Hello(Command):
    """First frame of whoever dialled.

    ``min_version`` and ``max_version`` are the protocol versions it speaks; ``role`` what it is;
    ``features`` optional abilities by name; ``software`` name and version for logs; ``instance``
    random per process and client object; ``nonce`` 32 random bytes; ``key_id`` the first 8 hex
    digits of HMAC-SHA256(secret key, "gatewayworker key id"), or nil without a secret key.
    """

    min_version: int
    max_version: int
    role: str
    features: list[str]
    software: str
    instance: str
    nonce: bytes
    key_id: str | None = None


@command(2, senders=_ACCEPTORS, receivers=_DIALERS, reply=NOTHING)
class Challenge(Command):
    """Answer to a hello where both sides have a secret key.

    ``nonce`` is 32 random bytes; the other fields are those of :class:`Welcome`, so that the
    proofs cover them.
    """

    version: int
    role: str
    features: list[str]
    software: str
    instance: str
    nonce: bytes


@command(3, senders=_DIALERS, receivers=_ACCEPTORS, reply=NOTHING)
class Proof(Command):
    """The dialler's proof that it holds the secret key: 32 bytes of HMAC-SHA256."""

    proof: bytes


@command(4, senders=_ACCEPTORS, receivers=_DIALERS, reply=NOTHING)
class Welcome(Command):
    """The link is open.

    ``version`` is the protocol version that both now speak; ``proof`` the acceptor's proof that
    it holds the secret key, nil without one.
    """

    version: int
    role: str
    features: list[str]
    software: str
    instance: str
    proof: bytes | None = None


@command(5, senders=_ANY, receivers=_ANY, reply=NOTHING)
class Goodbye(Command):
    """The sender ends the link, and why: an error code and a sentence.

    Nothing follows it. What was written before it has been executed.
    """

    error: str
    text: str


@command(6, senders=_ANY, receivers=_ANY, reply=NOTHING)
class Ping(Command):
    """Sign of life; answered with :class:`Pong`."""


@command(7, senders=_ANY, receivers=_ANY, reply=NOTHING)
class Pong(Command):
    """Answer to :class:`Ping`."""


@command(8, senders=_ACCEPTORS, receivers=_DIALERS, reply=NOTHING)
class Reply(Command):
    """Answer, or the last part of one, to the command with this frame's ``request_id``."""

    value: Any = None


@command(9, senders=_ACCEPTORS, receivers=_DIALERS, reply=NOTHING)
class ReplyPart(Command):
    """Part of a long answer; more follows. Parts of one shape are joined by the reply's shape."""

    value: Any = None


@command(10, senders=_ACCEPTORS, receivers=_DIALERS, reply=NOTHING)
class Error(Command):
    """The command with this frame's ``request_id`` was not executed, or failed: code, sentence."""

    error: str
    text: str
    details: dict[str, Any] = field(default_factory=dict)
