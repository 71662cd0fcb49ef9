"""What handlers wait for: a value in their connection's session, and room on a queue.

Neither counts as time of the handler: others have to act. What a connection sends meanwhile waits in its
lane.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.queues.limits import TooManyTopics
from gateway_wire.close_codes import NEVER_BOUND
from gateway_wire.names import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.connection import Connection
    from gateway.entry.allowance import Allowance
    from gateway.entry.ports import Ports

__all__ = ["ClientGone", "ValueMissing", "close", "push", "wait_context", "wake"]


class ValueMissing(TimeoutError):
    """A value was not stored in time; its connection is closed."""


class ClientGone(ConnectionError):
    """A connection ended before a value was stored for it."""


async def wait_context(
    connection: Connection, ports: Ports, allowance: Allowance | None, key: str, timeout: float
) -> Any:
    """Wait until a value is stored in a connection's session, and return it.

    Args:
        connection: The connection; it is closed if the value is not there in time.
        ports: The parts of the gateway.
        allowance: The time of the handler that waits.
        key: The value's name.
        timeout: Seconds.

    Raises:
        ValueMissing: It was not stored in time.
        ClientGone: The connection ended before.
    """
    try:
        with _not_counted(allowance):
            async with asyncio.timeout(timeout):
                while key not in connection.session:
                    if not _is_here(connection, ports):
                        raise ClientGone(f"the client left before {key!r} was set")
                    await _stored(connection, ports)
    except TimeoutError:
        if key not in connection.session:
            close(connection, ports, NEVER_BOUND.code, NEVER_BOUND.name)
            raise ValueMissing(f"{key!r} was not set within {timeout:g} s") from None
    return connection.session[key]


async def push(
    connection: Connection, ports: Ports, allowance: Allowance | None, topic: str, data: object
) -> None:
    """Put a connection's message on a queue, once there is room or the connection has ended.

    Args:
        connection: The connection; it is not read from while this waits.
        ports: The parts of the gateway.
        allowance: The time of the handler that waits.
        topic: The queue's name.
        data: The message.

    Raises:
        TypeError: The data, or the name, is of a wrong type.
        ValueError: There is no room for another topic, or the name or the data cannot be sent.
        ConnectionError: The connection has ended, and the queue has twice as much as it should.
    """
    name, queues = name_of("topic", topic), ports.queues
    if queues.is_full(name) and _is_here(connection, ports):
        await _room(connection, ports, allowance, name)
    if queues.is_overfull(name):
        text = f"the client has left, and the queue {name!r} has twice as much as it should"
        raise ConnectionError(text)
    try:
        queues.push(name, data, connection, ports.clock())
    except TooManyTopics as error:
        raise ValueError(str(error)) from error


def close(connection: Connection, ports: Ports, code: int, reason: str) -> None:
    """Close a connection, and forget its messages that wait, if it is open."""
    if _is_here(connection, ports):
        ports.clients.close(connection, None, code, reason)
        lane = ports.lanes.get(connection)
        if lane is not None:
            lane.drop_messages()


def wake(connection: Connection, ports: Ports) -> None:
    """Let everybody look again who waits for a value of a connection, or for room for it."""
    for future in ports.waits.get(connection, ()):
        _tell(future)


async def _stored(connection: Connection, ports: Ports) -> None:
    """Wait until a connection's session is stored, or the connection has ended."""
    with _woken(connection, ports) as future:
        await future


async def _room(
    connection: Connection, ports: Ports, allowance: Allowance | None, name: str
) -> None:
    """Wait until there is room on a queue, or the connection has ended; it is not read from meanwhile."""
    lane = ports.lanes.get(connection)
    with _not_counted(allowance) as stack:
        if lane is not None:
            stack.enter_context(lane.held())
        while ports.queues.is_full(name) and _is_here(connection, ports):
            with _woken(connection, ports) as future:
                callback = partial(_tell, future)
                ports.queues.call_when_room(name, callback)
                try:
                    await future
                finally:
                    ports.queues.forget_callback(name, callback)


@contextmanager
def _woken(connection: Connection, ports: Ports) -> Iterator[asyncio.Future[None]]:
    """Give a future that is told when a connection's session is stored, or the connection has ended."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waits = ports.waits.setdefault(connection, set())
    waits.add(future)
    ports.hub.watched[connection] = partial(wake, connection, ports)
    try:
        yield future
    finally:
        waits.discard(future)
        if not waits:
            del ports.waits[connection], ports.hub.watched[connection]


def _is_here(connection: Connection, ports: Ports) -> bool:
    return connection.client_id in ports.hub.connections


def _tell(future: asyncio.Future[None]) -> bool:
    if future.done():
        return False
    future.set_result(None)
    return True


def _not_counted(allowance: Allowance | None) -> ExitStack:
    stack = ExitStack()
    if allowance is not None:
        stack.enter_context(allowance.uncounted())
    return stack
