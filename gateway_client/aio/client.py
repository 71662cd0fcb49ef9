"""The asyncio client object: one engine for each running loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from gateway_client.aio.consumer import AsyncConsumer
from gateway_client.aio.consuming_methods import AsyncConsuming
from gateway_client.aio.engine import Engine
from gateway_client.aio.methods import AsyncMethods
from gateway_client.aio.pipeline import AsyncPipeline, run_all
from gateway_client.calls.base import Call
from gateway_client.cluster import Cluster
from gateway_client.config import DEFAULT_TIMEOUT, Config, configure
from gateway_client.directory import Node
from gateway_client.forks import renew_after_fork
from gateway_client.options import check_options
from gateway_client.subscription import Subscription
from gateway_client.tally import Losses
from gateway_client.troubles import OnError
from gateway_wire.limits import DEFAULT_MAX_MESSAGE

__all__ = ["AsyncGatewayClient"]

R = TypeVar("R")


class AsyncGatewayClient(AsyncConsuming, AsyncMethods):
    """A client of one cluster, for asyncio: FastAPI, aiohttp, asynchronous Django.

    It connects when it is first used. One object serves all tasks and all loops, each loop with links
    of its own, which end with it; calls that one task makes one after another reach a connection in
    that order.

    Attributes:
        config: The settings.
    """

    def __init__(
        self,
        register_address: str | Iterable[str] | None = None,
        *,
        secret_key: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        max_message: int = DEFAULT_MAX_MESSAGE,
    ) -> None:
        """Make a client.

        Args:
            register_address: `host:port` of the register, or of several; None reads
                `GATEWAYWORKER_REGISTER`, or takes 127.0.0.1:1236.
            secret_key: The cluster's secret key, `""` for none; None reads
                `GATEWAYWORKER_SECRET_KEY` or the file `GATEWAYWORKER_SECRET_KEY_FILE`.
            timeout: Seconds one call may take; connecting at most 3 s of it.
            max_message: Bytes of the largest message; the gateways have the same setting.

        Raises:
            ValueError: If an address cannot be parsed or a number is out of range.
            OSError: If the secret key's file cannot be read.
        """
        self.config: Config = configure(
            register_address, secret_key, timeout=timeout, max_message=max_message
        )
        self._engines: WeakKeyDictionary[asyncio.AbstractEventLoop, Engine] = WeakKeyDictionary()
        self._consumers: WeakSet[AsyncConsumer] = WeakSet()
        self._losses = Losses()
        self._lock = threading.Lock()
        # What a child process inherited: kept, since closing it would disturb the parent.
        self._inherited: list[object] = []
        renew_after_fork(self)

    def __repr__(self) -> str:
        registers = ", ".join(map(str, self.config.registers))
        return f"<AsyncGatewayClient at {registers}, on {len(self._engines)} loops>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    @property
    def lost(self) -> int:
        """How many commands of unconfirmed sends certainly did not reach a gateway, on any loop."""
        return self._losses.count

    async def aclose(self) -> None:
        """Close the links of this loop, and what is consumed on it; a later call opens new ones."""
        loop = asyncio.get_running_loop()
        for consumer in tuple(self._consumers):
            if consumer.is_on(loop):
                await consumer.aclose()
        engine = self._engines.pop(loop, None)
        if engine is not None:
            await engine.close()

    def retire(self) -> None:
        """Close the links of all loops, and what is consumed there, without waiting for it."""
        for consumer in tuple(self._consumers):
            consumer.retire()
        for loop, engine in tuple(self._engines.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(engine.retire)
        self._engines.clear()

    def pipeline(self, *, timeout: float | None = None) -> AsyncPipeline:
        """Return a pipeline: many commands, one round trip per gateway, in order.

        Args:
            timeout: Seconds after which a gateway that shows no progress has timed out; the client
                object's own if None.

        Raises:
            TypeError: If `timeout` is no number.
            ValueError: If it is out of range.
        """
        check_options({"timeout": timeout})
        return AsyncPipeline(self._run_all, timeout)

    def after_fork(self) -> None:
        """Begin anew in a child process; called by the fork itself."""
        self._inherited.append(self._engines)
        self._engines = WeakKeyDictionary()
        self._losses = Losses()
        self._lock = threading.Lock()

    async def _run(self, call: Call[R]) -> R:
        return await self._engine().run(call)

    async def _run_all(self, calls: Sequence[Call[Any]], timeout: float | None) -> list[Any]:
        return await run_all(self._engine(), calls, timeout)

    def _make_consumer(
        self,
        asked: Subscription,
        *,
        manual_ack: bool,
        on_error: OnError | None,
        facade: object = None,
    ) -> AsyncConsumer:
        """Make a consumer that replies with `facade`, or else with this client."""
        consumer = AsyncConsumer(
            self.config,
            facade or self,
            asked,
            manual_ack=manual_ack,
            on_error=on_error,
            learn=self._learn,
        )
        self._consumers.add(consumer)
        return consumer

    def _learn(self, nodes: Iterable[Node]) -> None:
        """Take over, on the running loop, what one of its consumers knows."""
        self._engine().cluster.directory.learn(nodes)

    def _engine(self) -> Engine:
        loop = asyncio.get_running_loop()
        engine = self._engines.get(loop)
        if engine is None or engine.is_closed:
            with self._lock:
                for other in tuple(self._engines):
                    if other.is_closed():
                        del self._engines[other]
                engine = self._engines[loop] = Engine(Cluster(self.config), self._losses)
        return engine
