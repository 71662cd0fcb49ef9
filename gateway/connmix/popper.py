"""One API connection as a consumer of this gateway's queues: what waits to be written to it.

CONNMIX's consumers acknowledge nothing. What was written to the socket counts as dealt with; what was not, when
the connection ends or pops no longer, goes to another consumer. Pure: the shell writes, one message at a
time, and says so.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from gateway.connmix.codes import Code, ConnmixError
from gateway.queues.limits import TooManyTopics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.connmix.dialects import Dialect
    from gateway.queues.lane import Delivery
    from gateway.queues.queues import Queues

__all__ = ["PREFETCH", "Popper"]

PREFETCH: Final = 64
"""
Messages that a connection may hold of this gateway before they are written.

Some turns of the loop have work for a socket that takes all; for one that does not, no more than these wait
where another consumer could have had them.
"""


class Popper:
    """What one connection pops (a `Sink`).

    Attributes:
        dialects: The spelling in which each topic was asked for, and its events are to be.
    """

    __slots__ = ("_consumer", "_queues", "_waiting", "_wake", "_writing", "dialects")

    def __init__(self, queues: Queues, name: str, wake: Callable[[], None]) -> None:
        """Begin to pop nothing.

        Args:
            queues: Those of this gateway.
            name: What logs call the connection.
            wake: Called when there is something to write.
        """
        self.dialects: dict[str, Dialect] = {}
        self._queues = queues
        self._consumer = queues.attach(self, PREFETCH, name)
        self._wake = wake
        self._waiting: deque[Delivery] = deque()
        # The message that is being written.
        self._writing: Delivery | None = None

    def __repr__(self) -> str:
        return f"<Popper of {len(self.dialects)} topics, {len(self._waiting)} messages wait>"

    # What requests ask for.

    def pop(self, topics: Iterable[str], dialect: Dialect) -> None:
        """Pop these topics too.

        Raises:
            ConnmixError: One of them is popped here already, or there is no room for it; nothing
                has changed then.
        """
        topics = tuple(topics)
        for each in topics:
            if each in self.dialects:
                text = (
                    f"this connection pops {each!r:.80} already; queue.unpop ends it for all topics"
                )
                raise ConnmixError(Code.ALREADY_POPPING, text)
        try:
            self._queues.consume(self._consumer, topics)
        except TooManyTopics as error:
            raise ConnmixError(Code.POP_FAILED, str(error)) from error
        self.dialects.update(dict.fromkeys(topics, dialect))

    def unpop(self) -> None:
        """Pop nothing any more; what was not written goes to others.

        Raises:
            ConnmixError: Nothing was popped.
        """
        if not self.dialects:
            text = "this connection pops nothing; queue.pop with topics begins it"
            raise ConnmixError(Code.UNPOP_FAILED, text)
        self.dialects.clear()
        self._queues.stop(self._consumer)
        self._give_back()

    # What the queues tell.

    def deliver(self, message: Delivery) -> int:
        """Keep a message until it is written."""
        self._waiting.append(message)
        self._wake()
        return message.size

    # What the shell does.

    def next(self) -> Delivery | None:
        """Return the message to write now, None if there is none; :meth:`written` comes before the next."""
        self._writing = self._waiting.popleft() if self._waiting else None
        return self._writing

    def written(self) -> None:
        """Take note that the message was written, so it is dealt with."""
        if self._writing is not None:
            message, self._writing = self._writing, None
            self._queues.acknowledge(self._consumer, (message.message_id,))

    def close(self) -> None:
        """End because the connection has; a message half written was tried, the others were not."""
        self._queues.stop(self._consumer)
        self._give_back()
        self._queues.detach(self._consumer)

    def _give_back(self) -> None:
        ids = [message.message_id for message in self._waiting]
        self._waiting.clear()
        self._queues.reject(self._consumer, ids, tried=False)
