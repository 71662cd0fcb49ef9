"""Commands between a gateway and the workers that take its events.

A worker dials every gateway and says :class:`TakeEvents`. From then on the gateway gives it clients:
:class:`ClientAssigned` once per client and worker, then that client's events in order, each with an
id that is unique on the link. The worker says :class:`Acknowledge` for those that it has finished,
after the commands that the handler gave on the same link, its session patch among them. What is not
acknowledged when the link ends is lost, and counted. A worker that wants to end says
:class:`LeaveEvents` and goes on until that is answered.
"""

from __future__ import annotations

from typing import Any, Final

from gateway_wire.commands.base import BACKENDS, Command, Role, command
from gateway_wire.commands.replies import FLAG, NOTHING

__all__ = [
    "Acknowledge",
    "ClientAssigned",
    "ClientClosed",
    "ClientConnected",
    "ClientMessage",
    "ClientSession",
    "LeaveEvents",
    "PatchSession",
    "TakeEvents",
]

_GATEWAY: Final = frozenset({Role.GATEWAY})
_WORKER: Final = frozenset({Role.WORKER})


@command(128, senders=_WORKER, receivers=_GATEWAY, reply=NOTHING)
class TakeEvents(Command):
    """This worker takes events on this link from now on.

    ``name`` is the name of its instance, ``number`` that of the process in it; both are for logs and
    status. Answered when clients may come.
    """

    name: str
    number: int


@command(129, senders=_WORKER, receivers=_GATEWAY, reply=NOTHING)
class LeaveEvents(Command):
    """This worker wants to end: give it no more clients, and move those that it has.

    A client moves when its unfinished events are acknowledged; until then its further events wait in
    the gateway. Answered when the last event of this link is acknowledged: none comes after that.
    """


@command(130, senders=_WORKER, receivers=_GATEWAY, reply=NOTHING)
class Acknowledge(Command):
    """These events are finished, whether their handlers succeeded or raised."""

    event_ids: list[int]


@command(131, senders=BACKENDS, receivers=_GATEWAY, reply=FLAG)
class PatchSession(Command):
    """Set and remove top-level keys of the connection's session, such as a handler has changed.

    Other keys stay as they are. False if the client is gone, which is no error: its last event may
    still be on its way through the worker. An error if the session would become too large. ``known`` is
    false when the sender's own copy of the session, if it has one, lacks the change: then it is told.
    """

    client_id: str
    changed: dict[Any, Any]
    removed: list[Any]
    known: bool = True


@command(136, senders=_GATEWAY, receivers=_WORKER, reply=NOTHING)
class ClientAssigned(Command):
    """The events of this client come on this link from now on; sent before the first of them.

    ``session`` is its session as it is; ``remote_addr`` and ``remote_port`` are the browser's;
    ``listener`` is the URL of the listener that accepted it, with its real port.
    """

    client_id: str
    session: dict[Any, Any]
    remote_addr: str
    remote_port: int
    listener: str


@command(137, senders=_GATEWAY, receivers=_WORKER, reply=NOTHING)
class ClientConnected(Command):
    """A client connected, with this request.

    ``path`` is percent-encoded and without the query, ``query`` without ``?``; ``headers`` has lower-case
    names. ``websocket`` is false for a client of another protocol, which has no request: these are
    empty then. ``uid``, here and in the other events, is what the client was bound to when it happened.
    """

    event_id: int
    client_id: str
    uid: str | None
    path: str
    query: str
    headers: dict[Any, Any]
    websocket: bool = True


@command(138, senders=_GATEWAY, receivers=_WORKER, reply=NOTHING)
class ClientMessage(Command):
    """A client sent a message, text or binary."""

    event_id: int
    client_id: str
    uid: str | None
    message: str | bytes


@command(139, senders=_GATEWAY, receivers=_WORKER, reply=NOTHING)
class ClientClosed(Command):
    """A client's connection ended: its last event.

    ``close_code``, ``name`` and ``text`` say why, by the catalogue of close codes.
    """

    event_id: int
    client_id: str
    uid: str | None
    close_code: int
    name: str
    text: str


@command(140, senders=_GATEWAY, receivers=_WORKER, reply=NOTHING)
class ClientSession(Command):
    """Another hand than this worker has changed the client's session: what it is now.

    Sent before the client's next event, and only then. It holds all patches of this link that were
    answered before it, and none of the others; the worker lays those over it.
    """

    client_id: str
    session: dict[Any, Any]
