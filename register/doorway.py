"""Which protocol is spoken on a connection: its first byte says.

A register has one port, for our own links and for PHP programs. A connection is a `Doorway` until its first
byte has come; then who speaks that protocol takes it over, that byte included.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Doorway"]


class Doorway(asyncio.Protocol):
    """A connection on which nothing has come yet."""

    __slots__ = ("_choose", "_timeout", "_timer", "_transport", "_waiting")

    def __init__(
        self,
        choose: Callable[[bytes], asyncio.Protocol],
        timeout: float,
        waiting: set[Doorway],
    ) -> None:
        """Make it for a connection that is about to be there.

        Args:
            choose: Gives the protocol for a first byte.
            timeout: Seconds until one must have come; then the connection is closed.
            waiting: Where it is found meanwhile, to be closed.
        """
        self._choose = choose
        self._timeout = timeout
        self._waiting = waiting
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return "<Doorway closed>" if self._transport is None else "<Doorway open>"

    def close(self) -> None:
        """End the connection, if it is still here; who only knocks at the port is not worth a word."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first byte."""
        self._transport = cast("asyncio.Transport", transport)
        self._waiting.add(self)
        self._timer = asyncio.get_running_loop().call_later(self._timeout, self.close)

    def data_received(self, data: bytes) -> None:
        """Hand the connection over."""
        transport = self._transport
        if transport is None:
            return
        self._leave()
        protocol = self._choose(data[:1])
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget it."""
        self._leave()

    def _leave(self) -> None:
        self._transport = None
        self._waiting.discard(self)
        if self._timer is not None:
            self._timer.cancel()
