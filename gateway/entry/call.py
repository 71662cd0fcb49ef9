"""One call of a handler: how it begins, how it is driven if it waits, and what its end means."""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from gateway.edge.interface import ConnectRequest
from gateway.entry.allowance import Allowance
from gateway.entry.conn import Conn
from gateway.entry.limit import Limited
from gateway.entry.names import Refused, current
from gateway_wire.close_codes import REFUSED, CloseReason
from gateway_wire.request import Request

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.connection import Connection
    from gateway.entry.limit import Limit
    from gateway.entry.module import Handler, Handlers
    from gateway.entry.ports import Ports

__all__ = ["Call", "Item", "handler_for"]

Item: TypeAlias = ConnectRequest | str | bytes | CloseReason
"""What a client did: it came, said something, or left."""


class Call:
    """One call.

    Args:
        handler: What is called.
        connection: For which client.
        item: What that did.
        ports: What the handler acts upon.
        context: The call's own context.

    Attributes:
        context: The same.
        error: What it raised, None if it has not.
        result: What it returned.
    """

    __slots__ = ("_conn", "connection", "context", "error", "handler", "item", "result")

    def __init__(
        self, handler: Handler, connection: Connection, item: Item, ports: Ports, context: Context
    ) -> None:
        self.handler = handler
        self.connection = connection
        self.item = item
        self.context = context
        self.error: BaseException | None = None
        self.result: object = None
        self._conn = Conn(connection, ports)
        context.run(current.set, self._conn)

    def __repr__(self) -> str:
        return f"<Call of {self.handler.place} for {self.connection.client_id}>"

    @property
    def is_handshake(self) -> bool:
        """Whether it decides about letting the client in."""
        return isinstance(self.item, ConnectRequest)

    def begin(self, limit: Limit) -> bool:
        """Call the handler; return whether it has ended: it may have something to await."""
        item = self.item
        function = self.handler.function
        try:
            if isinstance(item, ConnectRequest):
                self.result = self.context.run(limit.run, function, _request(item))
            else:
                self.result = self.context.run(limit.run, function, self._conn, item)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it ends one call
            self.error = error
            return True
        return self.result is None or not asyncio.iscoroutine(self.result)

    async def see_through(self, limit: Limit, timeout: float) -> None:
        """Await what the handler has to await, for so many seconds of its own at most."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        coroutine = cast("Coroutine[Any, Any, Any]", self.result)
        self.result = None
        allowance = self._conn.allowance = Allowance(task, timeout)
        try:
            in_context = self.context.run
            self.result = await Limited(lambda *step: in_context(limit.run, *step), coroutine)
        except BaseException as error:  # noqa: BLE001 - as above
            self.error = error
        finally:
            allowance.end()

    @property
    def used_up(self) -> float | None:
        """The seconds that it was allowed, if it took longer."""
        allowance = self._conn.allowance
        return allowance.seconds if allowance is not None and allowance.is_used_up else None

    @property
    def refusal(self) -> str | None:
        """Why the client is not let in, for it to read; None if it is, or this is not the question."""
        if not self.is_handshake:
            return None
        if isinstance(self.error, Refused):
            return self.error.reason.text
        # A handshake that failed lets nobody in: it may be there to keep somebody out.
        has_failed = self.result is False or self.error is not None or self.used_up is not None
        return REFUSED.name if has_failed else None

    @property
    def failure(self) -> BaseException | None:
        """What went wrong, None if nothing did."""
        if self.error is None and self.used_up is not None:
            return TimeoutError("it went on when it was cancelled")
        return None if self.is_handshake and isinstance(self.error, Refused) else self.error


def handler_for(item: Item, handlers: Handlers) -> Handler | None:
    """Return what is called for something that a client did, None if nothing is."""
    if isinstance(item, str | bytes):
        return handlers.on_message
    if isinstance(item, CloseReason):
        return handlers.on_close
    return handlers.on_handshake


def _request(request: ConnectRequest) -> Request:
    return Request(
        request.path,
        request.query,
        request.headers,
        remote_addr=request.remote_addr,
        listener=request.listener,
    )
