"""`queue`, `mesh` and `Refused`: what handlers use besides what they are given.

The first two find that connection in a context variable, so they work in a handler, in what it calls, and in tasks
that it starts.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from gateway_wire.close_codes import REFUSED, sent_reason

if TYPE_CHECKING:
    from gateway.entry.conn import Conn
    from gateway.entry.ports import Published
    from gateway_wire.messages import Message
    from gateway_wire.names import Name

__all__ = ["Refused", "current", "mesh", "queue"]

current: Final[ContextVar[Conn]] = ContextVar("current")
"""The connection whose handler runs."""


class Refused(Exception):
    """Raised by `on_handshake` to refuse a client: it is closed with 3500.

    Args:
        text: Why, for the client; at most 123 bytes of UTF-8.

    Raises:
        ValueError: If the text is longer.
    """

    def __init__(self, text: str = REFUSED.name) -> None:
        super().__init__(text)
        self.reason = sent_reason(REFUSED.code, text)


class _Queue:
    """The queues of this gateway; see `queue`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<queue of this gateway>"

    async def push(self, topic: str, data: Any) -> None:
        """Put data on a queue, as a message of the connection whose handler runs.

        It has been put there when this returns, and stays there, whatever becomes of the connection. While
        the topic is full this waits until there is room, and the connection is not read from; it does
        not wait for one that has ended.

        Args:
            topic: The queue's name, as consumers ask for it.
            data: What consumers get: None, bool, int, float, str, bytes, lists and dicts of these.

        Raises:
            TypeError: If `data` is something else, or `topic` is no text.
            ValueError: If there is no room for another topic, or `topic` is empty or too long.
            ConnectionError: If the connection has ended, and the topic has twice as much as it should.
            RuntimeError: Outside a handler.
        """
        await _conn("queue.push").push(topic, data)


class _Mesh:
    """The cluster; see `mesh`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<mesh of all gateways>"

    async def send(self, client_id: str, data: Message) -> bool:
        """Send a message to one client, on whichever gateway it is.

        Returns:
            Whether it was there to take it.

        Raises:
            RuntimeError: Outside a handler.
            gateway_wire.errors.GatewayError: As the client library does.
        """
        return await _conn("mesh.send").mesh.send(client_id, data)

    async def publish(self, channel: Name, data: Message) -> Published:
        """Send a message to everybody who subscribes to a channel, on all gateways.

        Returns:
            How many connections took it (`success`) and how many gateways could not be asked (`fail`).

        Raises:
            RuntimeError: Outside a handler.
            gateway_wire.errors.GatewayError: As the client library does.
        """
        return await _conn("mesh.publish").mesh.publish(channel, data)


def _conn(what: str) -> Conn:
    try:
        return current.get()
    except LookupError:
        raise RuntimeError(
            f"{what} works in a handler of the entry module and in what it starts, and there is none here:"
            " elsewhere use gateway_client"
        ) from None


queue: Final = _Queue()
"""Puts messages on the queues of this gateway: `await queue.push("chat", data)`."""

mesh: Final = _Mesh()
"""Sends to clients of all gateways: `await mesh.send(client_id, data)`, `await mesh.publish(channel, data)`."""
