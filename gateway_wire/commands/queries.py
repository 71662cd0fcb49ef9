"""Questions about who is here, answered by each gateway for its own connections.

Counts of connections are kept as the connections come and go; a question for a count costs the
same with ten connections or a hundred thousand. Counts of uids over several gateways need the
uids themselves, since one uid may be on both.
"""

from __future__ import annotations

from typing import Final

from gateway_wire.commands.base import BACKENDS, Command, Role, command
from gateway_wire.commands.replies import COUNT, COUNTS, FLAG, LIST, LISTS, TEXT

__all__ = [
    "ClientIdsByGroups",
    "ClientIdsByUids",
    "CountClients",
    "CountClientsByGroups",
    "CountUids",
    "CountUidsByGroups",
    "GetUid",
    "IsOnline",
    "ListAllClientIdsByGroup",
    "ListAllUidsByGroup",
    "ListClientIds",
    "ListGroups",
    "ListUids",
    "OnlineUids",
    "UidsByGroups",
]

_GATEWAY: Final = frozenset({Role.GATEWAY})


@command(64, senders=BACKENDS, receivers=_GATEWAY, reply=FLAG)
class IsOnline(Command):
    """Whether the connection is open."""

    client_id: str


@command(65, senders=BACKENDS, receivers=_GATEWAY, reply=LIST)
class OnlineUids(Command):
    """Those of ``uids`` that at least one connection is bound to."""

    uids: list[str]


@command(66, senders=BACKENDS, receivers=_GATEWAY, reply=LISTS)
class ClientIdsByUids(Command):
    """For each of ``uids`` that is online, the client ids bound to it."""

    uids: list[str]


@command(67, senders=BACKENDS, receivers=_GATEWAY, reply=LIST)
class ClientIdsByGroups(Command):
    """The members of any of ``groups``, each once."""

    groups: list[str]


@command(68, senders=BACKENDS, receivers=_GATEWAY, reply=LIST)
class ListClientIds(Command):
    """Every client id of this gateway."""


@command(69, senders=BACKENDS, receivers=_GATEWAY, reply=COUNT)
class CountClients(Command):
    """The number of connections of this gateway."""


@command(70, senders=BACKENDS, receivers=_GATEWAY, reply=COUNTS)
class CountClientsByGroups(Command):
    """Members per group: of ``groups``, or of every group when it is nil. Empty ones are left out."""

    groups: list[str] | None = None


@command(71, senders=BACKENDS, receivers=_GATEWAY, reply=TEXT)
class GetUid(Command):
    """The uid a connection is bound to; nil when unbound or offline."""

    client_id: str


@command(72, senders=BACKENDS, receivers=_GATEWAY, reply=LIST)
class UidsByGroups(Command):
    """The uids of the members of any of ``groups``, each once; members without a uid are skipped."""

    groups: list[str]


@command(73, senders=BACKENDS, receivers=_GATEWAY, reply=COUNTS)
class CountUidsByGroups(Command):
    """Distinct uids per group: of ``groups``, or of every group when it is nil."""

    groups: list[str] | None = None


@command(74, senders=BACKENDS, receivers=_GATEWAY, reply=LIST)
class ListUids(Command):
    """Every uid of this gateway, each once."""


@command(75, senders=BACKENDS, receivers=_GATEWAY, reply=COUNT)
class CountUids(Command):
    """The number of distinct uids of this gateway."""


@command(76, senders=BACKENDS, receivers=_GATEWAY, reply=LIST)
class ListGroups(Command):
    """Every group of this gateway that has a member."""


@command(77, senders=BACKENDS, receivers=_GATEWAY, reply=LISTS)
class ListAllUidsByGroup(Command):
    """For each group, the distinct uids of its members; groups without one are left out."""


@command(78, senders=BACKENDS, receivers=_GATEWAY, reply=LISTS)
class ListAllClientIdsByGroup(Command):
    """For each group, its members."""
