"""One run of one handler for one client: what is known of it, and what it did.

It is the `current_client` of its handler, and whatever the handler starts inherits it: such a task may still
send after the handler has returned, but the session is closed by then. How a handler is run, on
the loop or on a thread, is the business of :mod:`~businessworker.runner` and
:mod:`~businessworker.blocking`.
"""

from __future__ import annotations

import logging
import traceback
from asyncio import CancelledError
from inspect import isawaitable, iscoroutine
from types import CoroutineType
from typing import TYPE_CHECKING, Any, cast

from businessworker.sessions import OpenSession
from gateway_client.inside import current_client
from gateway_wire.close_codes import CloseReason
from gateway_wire.commands import ClientClosed, ClientConnected, ClientMessage
from gateway_wire.frames import encode_frame
from gateway_wire.request import Request

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from businessworker.handler import Handler
    from businessworker.lane import Event, Lane
    from businessworker.mailbox import Mailbox
    from businessworker.sessions import Patch
    from gateway_wire.commands import Command

__all__ = ["Invocation"]

_logger = logging.getLogger(__name__)


class Invocation:
    """A handler and the client that it is called for.

    Args:
        handler: What is called.
        lane: The client.
        event: What it did.
        mailbox: How other threads reach the loop.

    Attributes:
        client_id: The client's id.
        started: When the handler began.
        coroutine: The handler's coroutine, for `async def` ones that have begun.
        patch: What it changed in the session, once it is over.
        has_failed: Whether it raised.
        is_over: Whether it has returned or raised.
        is_warned: Whether the log says already that it takes long.
    """

    __slots__ = (
        "_mailbox",
        "_open",
        "_session",
        "client_id",
        "coroutine",
        "event",
        "handler",
        "has_failed",
        "is_over",
        "is_warned",
        "lane",
        "patch",
        "started",
    )

    def __init__(self, handler: Handler, lane: Lane, event: Event, mailbox: Mailbox) -> None:
        self.handler = handler
        self.lane = lane
        self.client_id = lane.client_id
        self.event = event
        self.started = 0.0
        self.coroutine: Coroutine[Any, Any, object] | None = None
        self.patch: Patch | None = None
        self.has_failed = self.is_over = self.is_warned = False
        self._mailbox = mailbox
        self._session = lane.session
        self._open: OpenSession | None = None

    def __repr__(self) -> str:
        return f"<Invocation of {self.handler.place} for client {self.client_id}>"

    @property
    def is_void(self) -> bool:
        """Whether it must not begin: its gateway counts its event as lost."""
        return self.lane.feed.is_over

    def send(self, command: Command) -> None:
        """Send an unconfirmed command to the client's gateway, from any thread."""
        frame = encode_frame(command)
        source = self.lane.feed.source
        if self._mailbox.is_here:
            source.send_frame(frame)
        else:
            self._mailbox.post(source.send_frame, frame)

    def session(self) -> OpenSession:
        """Return the session as the handler sees it.

        Raises:
            RuntimeError: The handler has returned.
        """
        if self.is_over:
            raise RuntimeError(
                f"{self.handler.place} has returned, and with it its session was closed; what it "
                "started may use Gateway.update_session with the client id"
            )
        if self._open is None:
            self._open = OpenSession(self._session)
        return self._open

    def perform(self) -> None:
        """Call a `def` handler; in a context of its own.

        Raises:
            TypeError: It returned a coroutine.
        """
        current_client.set(self)
        result = self.handler.function(*self._arguments())
        if result is not None and isawaitable(result):
            if iscoroutine(result):
                result.close()
            raise TypeError(
                f"{self.handler.place} is no async def and returned a {type(result).__name__} for "
                "somebody to await: write it as async def, or its decorator with functools.wraps"
            )

    def begin(self) -> Any:
        """Call an `async def` handler, up to where it first waits; in a context of its own.

        Returns:
            What it waits for, as coroutines yield it to their task.

        Raises:
            StopIteration: It has returned.
        """
        current_client.set(self)
        result = self.handler.function(*self._arguments())
        coroutine = result if type(result) is CoroutineType else _awaited(result)
        self.coroutine = coroutine
        return coroutine.send(None)

    def end(self, error: BaseException | None = None) -> None:
        """Take note that the handler has returned or raised, and see what became of the session.

        What a handler did to the session before it raised counts all the same. Raises nothing: who
        ran the handler has others to run.
        """
        if error is not None:
            self._fail("was cancelled" if isinstance(error, CancelledError) else "raised", error)
        if self._open is not None and type(self.event) is not ClientClosed:
            try:
                self.patch = self._open.changes()
            # Not only what is refused: a dict may also change on another thread while it is read.
            except Exception as wrong:  # noqa: BLE001
                self._fail(f"left a session that cannot be kept, it stays as it was: {wrong}")
        self.is_over = True

    def _arguments(self) -> tuple[Any, ...]:
        event = self.event
        if type(event) is ClientMessage:
            return self.client_id, event.message
        if type(event) is ClientClosed:
            return self.client_id, CloseReason(event.close_code, event.name, event.text)
        if self.handler.name == "on_connect":
            return (self.client_id,)
        return self.client_id, self._request(cast("ClientConnected", event))

    def _request(self, event: ClientConnected) -> Request:
        lane = self.lane
        return Request(
            event.path,
            event.query,
            event.headers,
            remote_addr=lane.remote_addr,
            listener=lane.listener,
        )

    def _fail(self, what: str, error: BaseException | None = None) -> None:
        self.has_failed = True
        place, extra = self.handler.place, {"client_id": self.client_id}
        try:
            _logger.error("%s %s", place, what, exc_info=error, extra=extra)
        except Exception:  # noqa: BLE001 - raised by a filter that the application has set
            traceback.print_exc()


async def _awaited(result: Any) -> None:
    """Await what a handler returned that is no coroutine of its own, such as a future."""
    if isawaitable(result):
        await result
