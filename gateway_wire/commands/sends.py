"""Commands that push messages and end connections.

A ``message`` is a msgpack *str* (a text message) or *bin* (a binary one). A connection that
matches twice receives once. The count in a reply is the number of connections that took the
message into their outbox, or that were closed.
"""

from __future__ import annotations

from typing import Final

from gateway_wire.commands.base import BACKENDS, Command, Role, command
from gateway_wire.commands.replies import COUNT, FLAG

__all__ = [
    "CloseClient",
    "CloseGroups",
    "CloseUids",
    "DestroyClient",
    "SendToAll",
    "SendToClients",
    "SendToGroups",
    "SendToUids",
]

_GATEWAY: Final = frozenset({Role.GATEWAY})
_NORMAL_CLOSURE: Final = 1000


@command(32, senders=BACKENDS, receivers=_GATEWAY, reply=COUNT)
class SendToAll(Command):
    """Push to every connection but those in ``exclude_client_ids``."""

    message: str | bytes
    exclude_client_ids: list[str] | None = None


@command(33, senders=BACKENDS, receivers=_GATEWAY, reply=COUNT)
class SendToClients(Command):
    """Push to these connections; unknown ids are skipped."""

    client_ids: list[str]
    message: str | bytes


@command(34, senders=BACKENDS, receivers=_GATEWAY, reply=COUNT)
class SendToUids(Command):
    """Push to every connection bound to one of these uids."""

    uids: list[str]
    message: str | bytes


@command(35, senders=BACKENDS, receivers=_GATEWAY, reply=COUNT)
class SendToGroups(Command):
    """Push to every member of one of these groups but those in ``exclude_client_ids``."""

    groups: list[str]
    message: str | bytes
    exclude_client_ids: list[str] | None = None


@command(36, senders=BACKENDS, receivers=_GATEWAY, reply=FLAG)
class CloseClient(Command):
    """Send ``message`` if it is not nil, then close with this code; true if the client was there."""

    client_id: str
    message: str | bytes | None = None
    close_code: int = _NORMAL_CLOSURE
    reason: str = ""


@command(37, senders=BACKENDS, receivers=_GATEWAY, reply=FLAG)
class DestroyClient(Command):
    """Cut the connection at once, losing what waits; true if the client was there."""

    client_id: str


@command(38, senders=BACKENDS, receivers=_GATEWAY, reply=COUNT)
class CloseUids(Command):
    """Like :class:`CloseClient` for every connection bound to one of these uids."""

    uids: list[str]
    message: str | bytes | None = None
    close_code: int = _NORMAL_CLOSURE
    reason: str = ""


@command(39, senders=BACKENDS, receivers=_GATEWAY, reply=COUNT)
class CloseGroups(Command):
    """Like :class:`CloseClient` for every member of one of these groups."""

    groups: list[str]
    message: str | bytes | None = None
    close_code: int = _NORMAL_CLOSURE
    reason: str = ""
