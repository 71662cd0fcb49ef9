"""Which connections to ping and which to give up, without I/O: a wheel that ticks turn.

A connection's place on the wheel comes from the order of numbers, not from the
time of its arrival: 15,000 connections that came in one second are pinged over
the whole interval, not in one tick. Two hands turn together: the ping hand, and
the timeout hand `timeout` slots behind it, which asks those that were pinged
then whether anything was heard since.

Time is counted in ticks. Ticks that came late are not made up for (see
`ticker`), so a process that was stopped for a minute blames nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

__all__ = ["KeepAlive", "Listening"]


class Listening(Protocol):
    """What the wheel asks of a connection."""

    def ping(self) -> None:
        """Ask the client for a sign of life."""

    def silent(self) -> bool:
        """Tell whether a sign of life was asked for and none came."""


C = TypeVar("C", bound=Listening)


class KeepAlive(Generic[C]):
    """The wheel.

    Args:
        interval: Ticks between two pings of a connection; 0 means never.
        timeout: Ticks to wait for a sign of life after a ping; 0 means never give up.
        give_up: Called with each connection that stayed silent.

    Raises:
        ValueError: `timeout` is longer than `interval`: one ping would hide the next.

    Attributes:
        on_interval: Called with each connection when it is pinged, for messages that are sent
            at the same interval; None for none.
    """

    __slots__ = ("_give_up", "_hand", "_next", "_slots", "_timeout", "on_interval")

    def __init__(self, interval: int, timeout: int, give_up: Callable[[C], None]) -> None:
        if interval and timeout > interval:
            raise ValueError(
                f"ping_timeout ({timeout} ticks) is longer than ping_interval ({interval} ticks): "
                "make it equal or shorter"
            )
        self._timeout = timeout
        self._give_up = give_up
        self._slots: tuple[set[C], ...] = tuple(set() for _ in range(interval))
        self._hand = 0
        self._next = 0
        self.on_interval: Callable[[C], None] | None = None

    def __repr__(self) -> str:
        count = sum(map(len, self._slots))
        return f"<KeepAlive slots={len(self._slots)} hand={self._hand} connections={count}>"

    def add(self, connection: C) -> int:
        """Watch a connection and return its slot, which `remove` needs."""
        if not self._slots:
            return 0
        slot = self._next
        self._next = (slot + 1) % len(self._slots)
        self._slots[slot].add(connection)
        return slot

    def remove(self, slot: int, connection: C) -> None:
        """Forget a connection; harmless if it is not there."""
        if self._slots:
            self._slots[slot].discard(connection)

    def turn(self) -> None:
        """Let one tick pass: first give up the silent, then ping the next slot."""
        if not self._slots:
            return
        self._hand = (self._hand + 1) % len(self._slots)
        if self._timeout:
            self._judge((self._hand - self._timeout) % len(self._slots))
        # A copy: a callback of the core may end connections.
        for connection in tuple(self._slots[self._hand]):
            connection.ping()
            if self.on_interval is not None:
                self.on_interval(connection)

    def _judge(self, slot: int) -> None:
        for connection in tuple(self._slots[slot]):
            if connection.silent():
                self._give_up(connection)
