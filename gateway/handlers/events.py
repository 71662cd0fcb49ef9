"""What workers say of events: which they take, which they have finished, and what became of sessions.

These commands mean something to the link that they came on, so their functions are given it, and answer
themselves: the answer to :class:`TakeEvents` leaves before the first event, that to
:class:`LeaveEvents` when the last one is acknowledged.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gateway.handlers.sessions import check_size, check_values
from gateway.sink import LinkSink
from gateway.workers import Worker
from gateway_wire.commands import (
    Acknowledge,
    CommandError,
    LeaveEvents,
    PatchSession,
    TakeEvents,
)
from gateway_wire.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.executor import Answer, LinkTable
    from gateway.hub import Hub
    from gateway.router import Router
    from gateway_wire.aio.link import AioLink

__all__ = ["EventHandlers"]

_KEYS: Final = frozenset({str, int})


class EventHandlers:
    """Executes the commands of :mod:`gateway_wire.commands.events`."""

    def __init__(self, hub: Hub, router: Router, clock: Callable[[], float]) -> None:
        """Take what the commands change, and the loop's clock."""
        self._hub = hub
        self._router = router
        self._clock = clock

    def table(self) -> LinkTable:
        """Return the function for each command class."""
        return {
            TakeEvents: self.take_events,
            LeaveEvents: self.leave_events,
            Acknowledge: self.acknowledge,
            PatchSession: self.patch_session,
        }

    def take_events(self, link: AioLink, command: TakeEvents, answer: Answer) -> None:
        """Give events to a worker, unless it is gone by now."""
        if link.is_open:
            worker = Worker(command.name, command.number, link, LinkSink(link))
            self._router.take(worker, partial(answer, None), self._clock())

    def leave_events(self, link: AioLink, _: LeaveEvents, answer: Answer) -> None:
        """Give a worker no more, and answer when it has finished what it has."""
        self._router.leave(link, partial(answer, None), self._clock())

    def acknowledge(self, link: AioLink, command: Acknowledge, answer: Answer) -> None:
        """Take events back that are finished."""
        self._router.acknowledge(link, command.event_ids, self._clock())
        answer(None)

    def patch_session(self, link: AioLink, command: PatchSession, answer: Answer) -> None:
        """Set and remove top-level keys of a connection's session."""
        connection = self._hub.connections.get(command.client_id)
        check_values(command.changed)
        _check_keys(command.removed)
        if connection is None:
            answer(False)  # noqa: FBT003 - the reply's value
            return
        session: dict[Any, Any] = {**connection.session, **command.changed}
        for key in command.removed:
            session.pop(key, None)
        check_size(session)
        self._hub.store_session(connection, session)
        worker = connection.worker
        if worker is None or worker.link is not link or not command.known:
            connection.session_moved()
        answer(True)  # noqa: FBT003 - the reply's value


def _check_keys(removed: list[Any]) -> None:
    for key in removed:
        if type(key) not in _KEYS:
            text = f"a session has no key of type {type(key).__name__} to remove"
            raise CommandError(ErrorCode.INVALID, text)
