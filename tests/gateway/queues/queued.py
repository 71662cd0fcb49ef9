"""Queues beside consumers without links: what they were sent, and what they have."""

from gateway.connection import Connection
from gateway.queues.consumer import Consumer
from gateway.queues.lane import Delivery
from gateway.queues.limits import QueueLimits
from gateway.queues.queues import Queues
from tests.gateway.support import bare


class End:
    """A consumer's end, which counts each message as `size` bytes."""

    def __init__(self, size: int = 1) -> None:
        self.sent: list[Delivery] = []
        self._size = size

    def deliver(self, message: Delivery) -> int:
        """Take a message."""
        self.sent.append(message)
        return self._size

    @property
    def data(self) -> list[object]:
        """What was sent, each time."""
        return [message.data for message in self.sent]


class Queued:
    """The queues of a process, its clients and consumers by name, and its time."""

    def __init__(self, **limits: int) -> None:
        self.now = 1000.0
        self.queues = Queues(QueueLimits(**limits))
        self.ends: dict[str, End] = {}
        self.consumers: dict[str, Consumer] = {}
        self.clients: dict[str, Connection] = {}

    def client(self, name: str) -> Connection:
        """Give a client, who comes when it is asked for first."""
        if name not in self.clients:
            self.clients[name] = bare(name)
        return self.clients[name]

    def push(self, topic: str, *messages: object, client: str = "ann") -> bool:
        """Put messages of a client on a topic; say whether there is room for more."""
        return [self.queues.push(topic, each, self.client(client), self.now) for each in messages][
            -1
        ]

    def come(self, name: str, *topics: str, prefetch: int = 10, size: int = 1) -> End:
        """Let a consumer come."""
        end = self.ends[name] = End(size)
        self.consumers[name] = self.queues.attach(end, prefetch, name)
        self.queues.consume(self.consumers[name], topics)
        return end

    def ids(self, name: str, *data: object) -> list[int]:
        """Give the ids of messages that a consumer was sent."""
        known = {message.data: message.message_id for message in self.ends[name].sent}
        return [known[each] for each in data]

    def acknowledge(self, name: str, *data: object) -> None:
        """Let a consumer acknowledge messages."""
        self.queues.acknowledge(self.consumers[name], self.ids(name, *data))

    def reject(self, name: str, *data: object, tried: bool = True) -> None:
        """Let a consumer give messages back."""
        self.queues.reject(self.consumers[name], self.ids(name, *data), tried=tried)

    def leave(self, name: str) -> None:
        """Let a consumer be gone."""
        self.queues.detach(self.consumers[name])

    def state(self, topic: str) -> dict[str, int | float]:
        """Give how a topic is, without what is zero."""
        return {name: value for name, value in self.queues.states(self.now)[topic].items() if value}
