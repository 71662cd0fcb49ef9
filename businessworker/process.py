"""One worker process: makes the parts, connects them, and starts and stops them in order.

::

    gateways <- GatewayLink <- Links -> registers
                  |    ^
           events |    | calls, acknowledgements, session patches
                  v    |
               Dispatcher -> the application's handlers -> Gateway, AsyncGateway -> OwnLinks -> Links

Start: the application is imported, a register answers, on_worker_start, events. Stop: no more clients, events
finished, timers, on_worker_stop, links. The whole of a stop stays within `stop_timeout`: a handler that does
not end costs the last of its time, an error that names it, and the exit code 1.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from io import TextIOWrapper
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from businessworker.dispatcher import Dispatcher
from businessworker.events import Worker, load_events
from businessworker.inside import OwnLinks
from businessworker.links import Links
from businessworker.mailbox import Mailbox
from businessworker.program import HTTP
from businessworker.threads import ThreadPool
from businessworker.timers import timer
from gateway_client import config, inside
from gateway_process.errors import RunError, StartupError
from gateway_process.importing import RAISED, told
from gateway_process.inspection import ConnectionPage, Work, page_of
from gateway_process.sockets import address_of
from gateway_wire.commands import TakeEvents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from businessworker.admin import Admin
    from businessworker.events import Events
    from businessworker.handler import Handler
    from businessworker.settings import WorkerSettings
    from gateway_process.daemon import Addresses, Context
    from gateway_process.inspection import ConnectionQuery

__all__ = ["WorkerProcess"]

logger = logging.getLogger("businessworker")

ENDING_TIME: Final = 4.0
"""Seconds of `stop_timeout` that are kept, of a short one a third, for handlers that are cancelled,
on_worker_stop and the links, once the patience with events is over."""


class WorkerProcess:
    """What runs in one worker process (a `gateway_process.daemon.Role`).

    Attributes:
        links: Its links.
        own_links: What it does for `Gateway` and `AsyncGateway`.
        dispatcher: Runs its events; None until the application is imported.
        events: The application's handlers; None until then.
        pool: Where its `def` handlers run.
        restarts: How often its place was filled again after a crash.
        why_not_ready: Why it takes no events, empty if it does.
    """

    def __init__(self, settings: WorkerSettings, context: Context) -> None:
        """Make the parts; nothing is imported or dialled yet.

        Args:
            settings: What the worker was told.
            context: Its number, and the socket of its HTTP port if it has one.
        """
        loop = asyncio.get_running_loop()
        self._settings = settings
        self._context = context
        self._worker = Worker(context.number, settings.name or "businessworker")
        self._mailbox = Mailbox(loop)
        secret_key = settings.secret_key.reveal()
        client = config.Config(settings.register, secret_key, max_message=settings.max_message)
        self.links = Links(client, TakeEvents(self._worker.name, self._worker.id))
        self.own_links = OwnLinks(self.links.engine, self._mailbox)
        self.pool = ThreadPool(settings.threads)
        self.events: Events | None = None
        self.dispatcher: Dispatcher | None = None
        self.restarts = context.restarts
        self.why_not_ready = "starting"
        self._admin: Admin | None = None
        self._has_begun = False  # on_worker_start has run, so that on_worker_stop is owed

    def __repr__(self) -> str:
        return f"<WorkerProcess {self._worker.id} {self.links!r} {self.dispatcher!r}>"

    # gateway_process.daemon.Role

    async def start(self) -> Addresses:
        """Import the application and take events; ready once every known gateway was asked."""
        addresses = await self._start_admin()
        # Before the application is imported: what it calls meanwhile must not open links of its own.
        config.set_defaults(self._settings.register, self._settings.secret_key.reveal())
        inside.install(self.own_links)
        _show_lines_at_once()
        events = load_events(self._settings.events, self._settings.app_dir)
        self.events = events
        self.dispatcher = dispatcher = Dispatcher(events, self._mailbox, self.pool)
        timer.open(self._mailbox, dispatcher.run)
        self.why_not_ready = "no register has answered yet"
        await self.links.start()
        self.why_not_ready = "starting: on_worker_start has not returned yet"
        await self._begin(dispatcher, events.on_worker_start)
        self.why_not_ready = "starting: no gateway has been asked for events yet"
        await self.links.take_events(dispatcher)
        self.why_not_ready = ""
        return addresses

    async def reload(self, settings: WorkerSettings) -> None:
        """Take over settings that may change while running; the rest is a new process's."""
        self._settings = settings

    async def drain(self) -> None:
        """Nothing else than a stop does, which follows: browsers do not leave with a worker."""

    async def stop(self) -> None:
        """Leave the gateways, finish what has begun, and close everything, in order."""
        self.why_not_ready = "stopping"
        now, limit = asyncio.get_running_loop().time(), self._settings.stop_timeout
        ending = min(ENDING_TIME, limit / 3)
        if self.dispatcher is not None:
            await self._finish_events(self.dispatcher, now + limit - ending, ending / 4)
            await timer.close(ending / 4)
            await self._end(self.dispatcher, now + limit - ending / 2)
            self.dispatcher.close()
        await self.links.close()
        if self._admin is not None:
            await self._admin.stop()
        self.pool.close()

    def work(self) -> Work:
        """Count its events, and what it said to gateways."""
        links, dispatcher = self.links, self.dispatcher
        since = None if dispatcher is None else dispatcher.oldest_since
        return Work(
            connections=sum(each.is_linked for each in links.gateways),
            messages_in=0 if dispatcher is None else dispatcher.received,
            messages_out=links.sent + self.own_links.calls,
            send_failures=links.losses.count + (0 if dispatcher is None else dispatcher.dropped),
            event_lag=0.0 if since is None else monotonic() - since,
        )

    def connections(self, query: ConnectionQuery) -> ConnectionPage:
        """Give a page of its links to gateways; none has a uid or is in a group."""
        if query.uid is not None or query.group is not None:
            return ConnectionPage()
        return page_of(self._rows(query.address or ""), query)

    # Private methods

    async def _start_admin(self) -> Addresses:
        sockets = self._context.sockets.get(HTTP)
        if not sockets:
            return {}
        from businessworker.admin import Admin

        address = str(address_of(sockets[0]))
        self._admin = Admin(self, self._settings.api_key)
        await self._admin.start(sockets[0])
        return {HTTP: address}

    async def _begin(self, dispatcher: Dispatcher, handler: Handler | None) -> None:
        if handler is not None:
            try:
                await dispatcher.run(handler.function, self._worker)
            except RAISED as error:
                logger.debug("%s raised", handler.place, exc_info=error)
                raise StartupError(f"{handler.place} raised {told(error)}") from error
        self._has_begun = True

    async def _finish_events(
        self, dispatcher: Dispatcher, deadline: float, cancelling: float
    ) -> None:
        """Wait for the events; cancel what does not end, and tell what it was."""
        try:
            async with asyncio.timeout_at(deadline):
                await self.links.leave()
                await dispatcher.finish()
        except TimeoutError:
            unfinished = dispatcher.describe_unfinished()
            if not unfinished:  # it was a gateway that did not answer
                logger.warning("not every gateway has let this worker go; ended anyhow")
                return
            self._context.fail(
                RunError(
                    f"handlers did not end in time, their events are lost: {unfinished} (stop_timeout"
                    f" is {self._settings.stop_timeout:g} s, the last of it for the rest of the stop)"
                )
            )
            dispatcher.cancel()
            await asyncio.wait([asyncio.ensure_future(dispatcher.finish())], timeout=cancelling)

    async def _end(self, dispatcher: Dispatcher, deadline: float) -> None:
        handler = None if self.events is None else self.events.on_worker_stop
        if handler is None or not self._has_begun:
            return
        try:
            async with asyncio.timeout_at(deadline):
                await dispatcher.run(handler.function, self._worker)
        except TimeoutError:
            self._context.fail(RunError(f"{handler.place} did not return in time; ended anyhow"))
        except RAISED:
            logger.exception("%s raised", handler.place)

    def _rows(self, address: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for link in self.links.gateways:
            name = str(link.address)
            if name.startswith(address):
                row = {
                    "gateway": name,
                    "node": link.node.node_id,
                    "state": link.state.value,
                    "events": link.events,
                    "unfinished": link.unfinished,
                    "trouble": link.trouble,
                }
                yield link.node.node_id, row


def _show_lines_at_once() -> None:
    """Let what handlers print be seen when they print it, also where it goes to a file or a pipe."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
