"""A consumer on asyncio: `async for message in client.consume("chat")`.

It belongs to the loop on which it is first used, with links of its own to every gateway that a register announces, and
ends with that loop as an engine does. Messages that are in store are handed out without a future or a task, and now and
then the loop gets a turn, in which acknowledgements leave and more messages come.

A message is acknowledged when the next one is asked for. Whoever leaves the iteration, by whatever way, has not asked for
one: the message in hand comes again to somebody, and those in store are given back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from gateway_client.aio.consumer_link import ConsumerLink
from gateway_client.aio.crew import Crew, Handler
from gateway_client.aio.engine import Engine
from gateway_client.aio.message import AsyncMessage
from gateway_client.cluster import Cluster
from gateway_client.config import STOP_TIMEOUT
from gateway_client.consuming import Store
from gateway_client.forks import renew_after_fork
from gateway_client.tally import Losses
from gateway_client.troubles import OnError, Troubles

if TYPE_CHECKING:
    from gateway_client.config import Config
    from gateway_client.directory import Learn, Node
    from gateway_client.subscription import Subscription
    from gateway_wire.hello import Party

__all__ = ["AsyncConsumer"]

_TURN: Final = 50
"""Messages after which the loop gets a turn, however fast they are handled: about a millisecond."""


class AsyncConsumer:
    """Consumes messages of some topics from all gateways; made by `consume`.

    Iterate over it, once or again; with `async with` it stays open in between, and closes at the end of the
    block. Without, it closes when the iteration ends.

    Attributes:
        subscription: What each gateway is asked for.
        store: The messages that nobody has looked at.
        troubles: What keeps messages from coming.
        is_closing: Whether the iteration ends when the next message is asked for.
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
        """Make a consumer; it connects when it is first used.

        Args:
            config: Where the registers are, and the secret key.
            facade: What replies are sent with.
            subscription: What each gateway is asked for.
            manual_ack: Whether messages are acknowledged by `ack` alone.
            on_error: Is told what goes wrong between messages; a line in the log if None.
            learn: Is told which gateways are known, so that replies reach them also if no register answers
                by then.

        Raises:
            TypeError: If `on_error` is not a plain function.
        """
        self.subscription = subscription
        self.troubles = Troubles(on_error)
        self.store: Store[AsyncMessage] = Store(
            subscription, AsyncMessage, facade, self._has_unsent
        )
        self._config = config
        self._learn = learn
        self._is_automatic = not manual_ack
        self._turn = max(1, min(subscription.prefetch // 4, _TURN))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engine: Engine | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._is_entered = False
        self.is_closing = False
        self._stopping_until: float | None = None
        renew_after_fork(self)

    def __repr__(self) -> str:
        topics = ", ".join(self.subscription.topics)
        state = "closed" if self.is_closing else f"{len(self._links)} gateways"
        return f"<AsyncConsumer of {topics}: {state}, {len(self.store.waiting)} messages in store>"

    async def __aenter__(self) -> Self:
        self._is_entered = True
        await self._start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> AsyncIterator[AsyncMessage]:
        return self._messages()

    async def run(self, handler: Handler) -> None:
        """Call an `async def` function for each message until the consumer is closed.

        A message is acknowledged when the function returns, and given back when it raises.

        Raises:
            AuthenticationFailed: If no gateway or register takes the secret key.
        """
        crew = Crew(handler, self.store, self.troubles, self.subscription.prefetch)
        try:
            while await self.wait():
                crew.feed()
        finally:
            await crew.disband()

    def close(self) -> None:
        """End the iteration when the next message is asked for, and have no more sent; harmless when closed.

        A message in hand is acknowledged as ever. For signal handlers of the loop, and other tasks on it.
        """
        self.is_closing = True
        if self._engine is not None and not self._engine.is_closed:
            self.stop()

    def retire(self) -> None:
        """Do the same from any thread, if it is in use."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.close)

    async def aclose(self) -> None:
        """End the iteration, give back what nobody has looked at, and close the links; bounded in time.

        A message that is in hand and not acknowledged comes again. Harmless when closed.
        """
        engine = self._engine
        if engine is None or engine.is_closed:
            self.is_closing = True
            return
        self.close()
        try:
            await engine.close()
        finally:
            engine.retire()  # whoever was cancelled meanwhile does not wait for the rest

    async def wait(self) -> bool:
        """Wait until a message is in store; return False when there will be none.

        Raises:
            AuthenticationFailed: If no gateway or register takes the secret key.
            RuntimeError: If another task waits for a message of this consumer.
        """
        if self._waiter is not None:
            raise RuntimeError(f"{self!r} is iterated by another task: give each its own consumer")
        await self._start()
        while not self.is_closing:
            if self._error is not None:
                raise self._error
            if self.store.waiting:
                return True
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return False

    def is_on(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Return whether it was first used on this loop."""
        return self._loop is loop

    def after_fork(self) -> None:
        """Let go of the connections in a child process, where they are still the parent's.

        Otherwise gateways would not see the parent end as long as the child lives. In the child it is closed.
        """
        self.is_closing = True
        if self._engine is not None:
            self._engine.disown()

    # What the links ask and tell.

    def link_received(self) -> None:
        """Take note that messages may have come."""
        if self.store.waiting:
            self._wake()

    def link_changed(self, link: ConsumerLink) -> None:
        """Take note that a gateway agreed or refused to send, or that its link has ended."""
        engine = self._engine
        if engine is None:
            raise AssertionError("a consumer that has links has an engine")
        if link.node in engine.cluster.directory.dropped:
            engine.forget_dropped()
        self._changed(engine)

    def stop(self) -> float:
        """Have all gateways stop; return the loop time until which they are waited for."""
        if self._stopping_until is None:
            self.is_closing = True
            self._wake()
            self._stopping_until = asyncio.get_running_loop().time() + STOP_TIMEOUT
            for link in self._links:
                link.stop()
            self.store.flush()
        return self._stopping_until

    # Private methods

    @property
    def _links(self) -> tuple[ConsumerLink, ...]:
        outlets = () if self._engine is None else self._engine.outlets
        return tuple(each for each in outlets if isinstance(each, ConsumerLink))

    async def _messages(self) -> AsyncGenerator[AsyncMessage, None]:
        waiting, is_automatic, in_turn = self.store.waiting, self._is_automatic, 0
        try:
            while not self.is_closing:
                if not waiting:
                    in_turn = 0
                    await self.wait()
                    continue
                message = waiting.popleft()
                yield message
                if is_automatic:
                    message._account.acknowledge(message)  # noqa: SLF001 - without a coroutine
                in_turn += 1
                if in_turn == self._turn:
                    in_turn = 0
                    await asyncio.sleep(0)
        finally:
            if not self._is_entered:
                await self.aclose()

    async def _start(self) -> None:
        if self._engine is None and not self.is_closing:
            self._loop = asyncio.get_running_loop()
            self._engine = Engine(
                Cluster(self._config),
                Losses(),
                make_outlet=self._make_link,
                on_news=self._register_news,
            )
            await self._engine.start()

    def _make_link(self, node: Node, cluster: Cluster, party: Party) -> ConsumerLink:
        return ConsumerLink(node, cluster, party, self)

    def _register_news(self) -> None:
        engine = self._engine
        if engine is None or engine.is_closed:
            return
        failures = engine.registers.failures
        self.troubles.registers(failures.items())
        engine.keep_up()
        if self._learn is not None:
            self._learn(engine.cluster.directory.nodes)
        if engine.cluster.directory.is_answered:
            self.troubles.gateways_known(len(self._links), failures)
        self._changed(engine)

    def _changed(self, engine: Engine) -> None:
        """Wake who waits, for a message or to hear that there is no use in waiting."""
        gateways = [link.address for link in self._links]
        self._error = self.troubles.hopeless(gateways, engine.registers.failures)
        self._wake()

    def _has_unsent(self) -> None:
        asyncio.get_running_loop().call_soon(self.store.flush)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
