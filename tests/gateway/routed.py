"""A core over pipes whose workers are a test's own; nothing happens but what the test does."""

from typing import Final

from gateway.connection import Connection
from gateway.holding import Loss
from gateway_wire import close_codes
from tests.gateway.handlers.support import Gateway
from tests.gateway.support import pipe_of
from tests.gateway.worker_end import EventCommand, WorkerEnd

LOST: Final = close_codes.CONNECTION_LOST.reason("gone")


class Routed(Gateway):
    """A core whose workers are a test's own."""

    def come(self, name: str = "w", number: int = 0) -> WorkerEnd:
        """Let a worker come."""
        link = WorkerEnd(self.now)
        self.take(link, name, number)
        return link

    def take(self, link: WorkerEnd, name: str = "w", number: int = 0) -> None:
        """Let a worker whose end there is take events."""
        self.router.take(link.worker(name, number), lambda: None, self.now)

    def say(self, connection: Connection, *messages: str | bytes) -> None:
        """Let a client send messages."""
        for message in messages:
            self.clients.received(connection.edge, message)

    def end(self, connection: Connection) -> None:
        """Let a client's connection end."""
        self.clients.lost(connection.edge, LOST)

    def ack(self, link: WorkerEnd, *events: EventCommand) -> None:
        """Let a worker finish events."""
        self.router.acknowledge(link, [each.event_id for each in events], self.now)

    def lose(self, link: WorkerEnd) -> None:
        """Let a worker's link end."""
        link.is_open = False
        self.router.link_lost(link, self.now)

    def leave(self, link: WorkerEnd) -> list[str]:
        """Let a worker ask to leave; the list is filled when it may."""
        answers: list[str] = []
        self.router.leave(link, lambda: answers.append("left"), self.now)
        return answers

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.router.turn(self.now)

    def losses(self) -> dict[Loss, int]:
        """Give how many events were lost, by reason."""
        return {reason: count for reason, count in self.router.counters.lost.items() if count}

    def sums(self) -> tuple[int, int, int, int, int]:
        """Give entered, acknowledged, lost, unacknowledged and held; the first is their sum."""
        counters = self.router.counters
        parts = (
            counters.acknowledged,
            counters.lost.total(),
            self.router.unacked,
            self.router.held,
        )
        assert counters.entered == sum(parts)
        return (counters.entered, *parts)


def reads(connection: Connection) -> bool:
    """Tell whether a client is read from."""
    return pipe_of(connection).is_reading
