"""Consuming from blocking code: the messages of browsers, one after another, in the thread that asks for them.

It owns no thread: reading, writing and dialling happen while the next message is waited for. A message is acknowledged
when the next one is asked for, unless the consumer was made for manual acknowledgement. Acknowledgements leave before
each wait, and in batches while messages are in store, so that a busy consumer writes once for many.

What ends an iteration:

- `close()`, from another thread or a signal handler: the message in hand is still acknowledged when the next one is asked
  for, and there the iteration ends;
- leaving the loop, or an exception in it or in the wait, such as KeyboardInterrupt: the message in hand is not
  acknowledged.

Either way what is in store goes back to the gateways as if nobody had had it, and the links are closed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from math import inf
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from gateway_client.blocking.feeds import Feeds
from gateway_client.blocking.message import Message
from gateway_client.cluster import Cluster
from gateway_client.config import STOP_TIMEOUT
from gateway_client.consuming import Store
from gateway_client.forks import renew_after_fork
from gateway_client.troubles import OnError, Troubles

if TYPE_CHECKING:
    from gateway_client.config import Config
    from gateway_client.consuming import Intake
    from gateway_client.directory import Learn
    from gateway_client.subscription import Subscription
    from gateway_wire.commands import QueueMessage

__all__ = ["Consumer", "Handler"]

_clock: Final = time.monotonic

LOOK_EVERY: Final = 0.02
"""Seconds: messages in store are handed out no longer than this without a look at the links in between. A look
costs some 30 microseconds."""

BATCHES: Final = 4
"""Acknowledgements leave after this part of `prefetch` at the latest, so that the gateway sends further messages while the
rest is worked on."""

Handler = Callable[[Message], object]
"""What `consume_with` calls for each message."""


class Consumer:
    """The messages of some topics, to be iterated: `for message in consumer`.

    It connects when it is first iterated, and stays connected until it is closed, whatever happens to gateways and
    registers. One thread iterates it; others may answer and acknowledge its messages, and close it.

    With `with` its links stay until the end of the block: it may be iterated again after a `break`, and other threads
    acknowledge what they are at. Without, leaving the loop closes it.

    Attributes:
        subscription: What each gateway is asked for.
        lock: Guards what is known of messages, which other threads may acknowledge; a new one in a forked child.
    """

    def __init__(
        self,
        config: Config,
        facade: object,
        subscription: Subscription,
        *,
        manual_ack: bool = False,
        on_error: OnError | None = None,
        learn: Learn | None = None,
    ) -> None:
        """Make a consumer; `GatewayClient.consume` and `Gateway.consume` do.

        Args:
            config: Where the registers are, and the secret key.
            facade: What replies are sent with.
            subscription: What each gateway is asked for.
            manual_ack: Whether messages are acknowledged by `Message.ack` alone.
            on_error: Is told what goes wrong between messages; a line in the log if None.
            learn: Is told which gateways are known, so that replies reach them also if no register answers
                by then.

        Raises:
            TypeError: If `on_error` is no plain function.
        """
        self.subscription = subscription
        self._config = config
        self._learn = learn
        self._is_automatic = not manual_ack
        self.lock = threading.RLock()
        self._turns = threading.RLock()  # a signal handler may close while its own thread does
        self._store = Store(subscription, self._make, facade, self._note_unsent)
        self._troubles = Troubles(on_error)
        self._feeds: Feeds | None = None
        self._batch = max(1, subscription.prefetch // BATCHES)
        self._look_by = -inf
        self._is_entered = self._is_iterated = self._is_closing = False

    def __repr__(self) -> str:
        topics = ", ".join(self.subscription.topics)
        state = "closed" if self._is_closing else str(self._feeds or "not connected")
        return f"<Consumer of {topics}: {state}, {len(self._store.waiting)} messages in store>"

    def __enter__(self) -> Self:
        self._is_entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._shut()

    def __iter__(self) -> Iterator[Message]:
        """Give messages until the consumer is closed.

        Raises:
            AuthenticationFailed: If no gateway, or else no register, takes the secret key.
            RuntimeError: If it is being iterated already.
        """
        if self._is_iterated:
            raise RuntimeError(
                "a consumer is iterated by one thread: make another one with consume()"
            )
        self._is_iterated = True
        try:
            yield from self._messages()
        finally:
            self._is_iterated = False
            if not self._is_entered:
                self._shut()

    def close(self) -> None:
        """End the iteration, and close the links; harmless when closed.

        Another thread may call it, or a signal handler: a wait for a message ends at once, and a message that is
        being handled is finished first.
        """
        self._is_closing = True
        feeds = self._feeds
        if not self._is_iterated:
            self._shut()
        elif feeds is not None:
            feeds.wake()

    def run(self, handler: Handler) -> None:
        """Call a function for each message until the consumer is closed.

        A message is acknowledged when the function returns, and given back when it raises.
        """
        for message in self:
            try:
                handler(message)
            except Exception as error:  # noqa: BLE001 - whatever it raises
                is_back = message.nack()
                self._troubles.handler_failed(error, message, is_back=is_back)
            else:
                message.ack()

    def after_fork(self) -> None:
        """Let go, in a child, of what is the parent's: there the iteration ends."""
        self.lock, self._turns = threading.RLock(), threading.RLock()
        feeds, self._feeds = self._feeds, None
        if feeds is not None:
            self._is_closing = True
            feeds.close()

    # Private methods

    def _make(self, command: QueueMessage, intake: Intake[Message]) -> Message:
        return Message(command, intake, self)

    def _note_unsent(self) -> None:
        if (feeds := self._feeds) is not None:
            feeds.note_unsent()

    def _messages(self) -> Iterator[Message]:
        unwritten = 0
        while (message := self._next()) is not None:
            yield message
            if self._is_automatic:
                message.ack()
            unwritten += 1
            if unwritten >= self._batch:
                unwritten = 0
                with self.lock:
                    self._store.flush()

    def _next(self) -> Message | None:
        """Wait for the next message; None when the consumer is closed."""
        store = self._store
        while not self._is_closing:
            if store.waiting and _clock() < self._look_by:
                with self.lock:
                    message = store.take()
                if message is not None:
                    return message
            else:
                self._turn()
        return None

    def _turn(self) -> None:
        with self._turns:
            if self._is_closing:
                return
            if self._feeds is None:
                renew_after_fork(self)
                cluster = Cluster(self._config)
                self._feeds = Feeds(
                    cluster, self._store, self._troubles, self.lock, learn=self._learn
                )
            self._feeds.turn(-inf if self._store.waiting else inf)
        self._look_by = _clock() + LOOK_EVERY

    def _shut(self) -> None:
        """Give back what nobody has looked at, and close the links."""
        self._is_closing = True
        if (feeds := self._feeds) is not None:
            feeds.wake()  # another thread may have its turn
        with self._turns:
            feeds, self._feeds = self._feeds, None
            if feeds is not None:
                try:
                    feeds.stop(_clock() + STOP_TIMEOUT)
                finally:
                    with self.lock:  # other threads may be acknowledging
                        feeds.close()
