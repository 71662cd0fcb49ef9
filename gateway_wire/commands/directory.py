"""Commands between a register and those who announce themselves to it or watch it."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Final

from gateway_wire.commands.base import BACKENDS, Command, Role, command
from gateway_wire.commands.replies import NOTHING

__all__ = ["Announce", "Nodes", "Watch"]

_REGISTER: Final = frozenset({Role.REGISTER})
_GATEWAY: Final = frozenset({Role.GATEWAY})


@command(16, senders=_GATEWAY, receivers=_REGISTER, reply=NOTHING)
class Announce(Command):
    """A gateway process is alive and can be dialled.

    ``node_id`` is 12 hex digits; ``host`` and ``port`` its internal address; ``generation`` grows
    with each hand-over of the node to a new process, the highest wins; ``keys`` are the directory
    keys of the client-id forms it hands out; ``api_server`` the ``host:port`` of its HTTP API.
    Answered once the directory holds it. It stands while this link lives.
    """

    node_id: str
    host: str
    port: int
    generation: int
    keys: list[str]
    api_server: str = ""


@command(17, senders=BACKENDS, receivers=_REGISTER, reply=NOTHING)
class Watch(Command):
    """Send :class:`Nodes` now, and again at each change, until the link ends."""


@command(18, senders=_REGISTER, receivers=BACKENDS, reply=NOTHING)
class Nodes(Command):
    """The whole directory.

    ``settling`` is true for some seconds after the register's start, and after it was itself stopped
    for a while: the list may lack gateways that live, and nobody forgets one because of it. Each node is a map with the fields of
    :class:`Announce`; unknown keys are ignored.
    """

    settling: bool
    nodes: list[Any] = field(default_factory=list)
