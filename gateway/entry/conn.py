"""`conn`: one connection as handlers of the entry module see it.

Everything is done at once, here in the gateway that holds the connection; only `wait_context` waits. A
`conn` may be kept and used after its handler has returned, also from others, on the loop's thread. Once
the connection is gone nothing that is said to it has an effect.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gateway.entry.waiting import close, push, wait_context
from gateway.handlers.sessions import check_size
from gateway_wire.close_codes import application_reason
from gateway_wire.commands import CommandError, check_session
from gateway_wire.errors import MessageTooLarge
from gateway_wire.messages import message_size, payload_of
from gateway_wire.names import names_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.connection import Connection
    from gateway.entry.allowance import Allowance
    from gateway.entry.ports import Mesh, Ports
    from gateway_wire.messages import Message
    from gateway_wire.names import Name

__all__ = ["Conn"]


class Conn:
    """One connection, for one call of a handler; equal to any other of the same connection.

    Args:
        connection: The connection.
        ports: What can be done with it.

    Attributes:
        allowance: The time of the handler, where one that waits has begun.
    """

    __slots__ = ("_connection", "_ports", "allowance")

    def __init__(self, connection: Connection, ports: Ports) -> None:
        self._connection = connection
        self._ports = ports
        self.allowance: Allowance | None = None

    def __repr__(self) -> str:
        return f"<Conn {self.client_id} {self.remote_addr}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Conn) and other._connection is self._connection

    def __hash__(self) -> int:
        return hash(self._connection)

    @property
    def client_id(self) -> str:
        """Its client id, by which every process of the cluster can reach it."""
        return self._connection.client_id

    @property
    def remote_addr(self) -> str:
        """The client's address; behind a proxy see `--trusted-proxies`."""
        return self._connection.remote_addr

    @property
    def uid(self) -> str | None:
        """The uid that it is bound to, None if it is to none."""
        return self._connection.uid

    @property
    def is_open(self) -> bool:
        """Whether it can be sent to."""
        return self._connection.client_id in self._ports.hub.connections

    # The context, which is the connection's session.

    @property
    def context(self) -> Mapping[Any, Any]:
        """What is stored for the connection now; not to be changed."""
        return MappingProxyType(self._connection.session)

    def set_context(self, context: Mapping[Any, Any]) -> bool:
        """Store this for the connection, in place of what was stored.

        Returns:
            Whether the connection was there.

        Raises:
            TypeError: If it holds what a session cannot; the message names the place.
            ValueError: If it is larger than 1 MiB, or nested too deeply.
        """
        stored = dict(context)
        check_session(stored)
        try:
            check_size(stored)
        except CommandError as error:
            raise ValueError(str(error)) from error
        if not self.is_open:
            return False
        self._ports.hub.store_session(self._connection, stored)
        self._connection.session_moved()
        return True

    def set_context_value(self, key: str, value: Any) -> bool:
        """Store one value for the connection, beside what else is stored.

        Returns, raises: As `set_context`.
        """
        return self.set_context({**self._connection.session, key: value})

    async def wait_context(self, key: str, timeout: float = 5.0) -> Any:
        """Wait until a value is stored for the connection, by whomever, and return it.

        The connection's further messages wait meanwhile. If the value is not there in time the connection
        is closed with 3502, and its messages that wait are dropped.

        Args:
            key: The value's name.
            timeout: Seconds.

        Raises:
            TimeoutError: It was not stored in time; leave that to the gateway, which logs no error.
            ConnectionError: The connection ended before that; likewise.
        """
        return await wait_context(self._connection, self._ports, self.allowance, key, timeout)

    # What reaches the client.

    def send(self, message: Message) -> bool:
        """Send a message to the client.

        Args:
            message: `str` for text, `bytes` for binary; `dict` and `list` become compact JSON text.

        Returns:
            Whether the connection was there and took it.

        Raises:
            TypeError: If it is of another type, or JSON cannot carry something in it.
            ValueError: If it is larger than the gateway's `max_message`.
        """
        payload = payload_of(message)
        limit = self._ports.max_message
        if len(payload) * 4 > limit and (size := message_size(payload)) > limit:
            raise MessageTooLarge("message", size, limit, "send less, or raise max_message")
        return self.is_open and self._ports.outbox.offer((self._connection,), payload) == 1

    def subscribe(self, *channels: Name) -> bool:
        """Make the connection a member of channels, which are groups; return whether it was there.

        Raises:
            TypeError: If a channel is no text, int or UUID.
            ValueError: If a channel is empty or longer than 1,024 bytes.
        """
        names = names_of("channel", channels)
        if self.is_open:
            for name in names:
                self._ports.hub.join(self._connection, name)
            return True
        return False

    def unsubscribe(self, *channels: Name) -> bool:
        """End memberships; return whether the connection was there.

        Raises:
            As `subscribe`.
        """
        names = names_of("channel", channels)
        if self.is_open:
            for name in names:
                self._ports.hub.leave(self._connection, name)
            return True
        return False

    def close(self, code: int = 1000, reason: str = "") -> bool:
        """Close the connection; its messages that wait here are dropped, `on_close` comes.

        Args:
            code: 1000, 4000-4999, or one of ours that is meant for applications.
            reason: Text for the client, at most 123 bytes of UTF-8.

        Returns:
            Whether it was open.

        Raises:
            TypeError, ValueError: If they cannot be sent.
        """
        application_reason(code, reason)
        if not self.is_open:
            return False
        close(self._connection, self._ports, code, reason)
        return True

    # What `queue` and `mesh` do.

    async def push(self, topic: str, data: Any) -> None:
        """Put data on a queue; handlers say `queue.push`."""
        await push(self._connection, self._ports, self.allowance, topic, data)

    @property
    def mesh(self) -> Mesh:
        """The way to all gateways; handlers say `mesh.send`."""
        return self._ports.mesh
