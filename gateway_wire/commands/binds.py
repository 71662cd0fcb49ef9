"""Commands that bind connections to uids and groups. Flags tell whether the client was there."""

from __future__ import annotations

from typing import Final

from gateway_wire.commands.base import BACKENDS, Command, Role, command
from gateway_wire.commands.replies import COUNT, FLAG

__all__ = ["BindUid", "JoinGroups", "LeaveGroups", "UnbindUid", "Ungroup"]

_GATEWAY: Final = frozenset({Role.GATEWAY})


@command(48, senders=BACKENDS, receivers=_GATEWAY, reply=FLAG)
class BindUid(Command):
    """Bind the connection to ``uid``; a bind replaces the one before."""

    client_id: str
    uid: str


@command(49, senders=BACKENDS, receivers=_GATEWAY, reply=FLAG)
class UnbindUid(Command):
    """Unbind the connection from ``uid``, if it is bound to that uid and no other."""

    client_id: str
    uid: str


@command(50, senders=BACKENDS, receivers=_GATEWAY, reply=FLAG)
class JoinGroups(Command):
    """Make the connection a member of these groups."""

    client_id: str
    groups: list[str]


@command(51, senders=BACKENDS, receivers=_GATEWAY, reply=FLAG)
class LeaveGroups(Command):
    """End the connection's membership in these groups."""

    client_id: str
    groups: list[str]


@command(52, senders=BACKENDS, receivers=_GATEWAY, reply=COUNT)
class Ungroup(Command):
    """Dissolve a group; its connections stay open. The count is of its former members."""

    group: str
