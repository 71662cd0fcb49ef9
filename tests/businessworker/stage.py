"""A dispatcher with real threads between an application and a gateway that records what it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from businessworker.dispatcher import Dispatcher
from businessworker.events import Events, events_of
from businessworker.invocation import Invocation
from businessworker.lane import Event, Feed, Lane
from businessworker.mailbox import Mailbox
from businessworker.threads import ThreadPool
from gateway_client.inside import current_client
from gateway_wire.commands import (
    ClientAssigned,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    ClientSession,
    Command,
    SendToClients,
)
from tests.businessworker.sources import RecordingSource


class Application:
    """Handlers as an application has them, given by name."""

    def __init__(self, **handlers: Any) -> None:
        vars(self).update(handlers)


def send(text: str) -> None:
    """Send a text to the client whose event is being handled."""
    client = current_client.get()
    assert client is not None
    client.send(SendToClients([client.client_id], text))


def assigned(client_id: str, session: dict[Any, Any] | None = None) -> ClientAssigned:
    """Make the word that a client is this worker's from now on."""
    return ClientAssigned(client_id, session or {}, "203.0.113.9", 4711, "ws://0.0.0.0:7272")


class Stage:
    """Speaks to a dispatcher as one gateway does."""

    def __init__(
        self, events: Events, pool: ThreadPool, mailbox: Mailbox, **patience: float
    ) -> None:
        self.events = events
        self.dispatcher = Dispatcher(events, mailbox, pool, **patience)
        self.pool = pool
        self.mailbox = mailbox
        self.source = RecordingSource()
        self._ids = count(1)

    def tell(self, *commands: Command) -> None:
        """Hand over commands in one piece."""
        self.dispatcher.receive(self.source, commands)

    def assign(self, client_id: str, session: dict[Any, Any] | None = None) -> None:
        """Give the worker a client."""
        self.tell(assigned(client_id, session))

    def invocation(self, handler: str, event: Event) -> Invocation:
        """Make the invocation of a handler beside the dispatcher's own."""
        lane = Lane(Feed(self.source), assigned(event.client_id))
        lane.event = event
        return Invocation(getattr(self.events, handler), lane, event, self.mailbox)

    def connected(self, client_id: str, **more: Any) -> ClientConnected:
        """Make the event of a client that has connected."""
        fields: dict[str, Any] = {"path": "/", "query": "", "headers": {}, **more}
        return ClientConnected(next(self._ids), client_id, None, **fields)

    def message(self, client_id: str, message: str | bytes = "hello") -> ClientMessage:
        """Make the event of a message."""
        return ClientMessage(next(self._ids), client_id, "7", message)

    def closed(self, client_id: str) -> ClientClosed:
        """Make the event of a client that has gone."""
        return ClientClosed(next(self._ids), client_id, "7", 1000, "peer_closed", "bye")

    def session(self, client_id: str, **session: Any) -> ClientSession:
        """Make the word that another hand has changed the session."""
        return ClientSession(client_id, session)

    async def say(self, client_id: str, *messages: str) -> None:
        """Let a client send messages, and wait until they are handled."""
        self.tell(*(self.message(client_id, message) for message in messages))
        await self.finish()

    async def finish(self) -> None:
        """Wait until all events are finished."""
        await self.dispatcher.finish()


@asynccontextmanager
async def stage(
    *,
    threads: int = 2,
    around: Callable[[], None] | None = None,
    patience: Mapping[str, float] | None = None,
    **handlers: Any,
) -> AsyncIterator[Stage]:
    """Run a dispatcher with an application's handlers."""
    mailbox = Mailbox(asyncio.get_running_loop())
    pool = ThreadPool(threads)
    on = Stage(events_of(Application(**handlers), "app", around), pool, mailbox, **(patience or {}))
    try:
        yield on
    finally:
        on.dispatcher.close()
        pool.close()
