"""The blocking client object: it runs calls in the thread that makes them.

A call asks the core whom to ask, writes to all of them at once, and reads until all have answered or
time is up. It owns no thread; threads share the object and nothing else.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from types import ModuleType, TracebackType
from typing import Self, TypeVar
from weakref import WeakSet

from gateway_client.blocking.consumer import Consumer
from gateway_client.blocking.consuming_methods import BlockingConsuming
from gateway_client.blocking.engine import Engine
from gateway_client.blocking.methods import BlockingMethods
from gateway_client.blocking.pipeline import Pipeline
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

__all__ = ["GatewayClient"]

R = TypeVar("R")


class GatewayClient(BlockingConsuming, BlockingMethods):
    """A client of one cluster, for blocking code: Django, Flask, scripts; with threads or gevent.

    It connects when it is first used. One object serves all threads; calls that one thread makes one
    after another reach a connection in that order.
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
        config = configure(register_address, secret_key, timeout=timeout, max_message=max_message)
        self._losses = Losses()
        self._engine = Engine(Cluster(config), self._losses)
        self._consumers: WeakSet[Consumer] = WeakSet()
        self._has_warned = False
        renew_after_fork(self)

    def __repr__(self) -> str:
        return f"<GatewayClient {self._engine.cluster!r}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def config(self) -> Config:
        """The settings."""
        return self._engine.cluster.config

    @property
    def lost(self) -> int:
        """How many commands of unconfirmed sends certainly did not reach a gateway."""
        return self._losses.count

    def close(self) -> None:
        """Close every link, and end what is consumed; a later call opens new ones."""
        for consumer in tuple(self._consumers):
            consumer.close()
        self._engine.close()
        self._engine = Engine(Cluster(self.config), self._losses)

    def pipeline(self, *, timeout: float | None = None) -> Pipeline:
        """Return a pipeline: many commands, one round trip per gateway, in order.

        Args:
            timeout: Seconds after which a gateway that shows no progress has timed out; the client
                object's own if None.

        Raises:
            TypeError: If `timeout` is no number.
            ValueError: If it is out of range.
        """
        check_options({"timeout": timeout})
        return Pipeline(self._engine, self.config.timeout if timeout is None else timeout)

    def after_fork(self) -> None:
        """Begin anew in a child process; called by the fork itself."""
        inherited = self._engine
        inherited.close()
        self._losses = Losses()
        self._engine = Engine(inherited.cluster.renewed(), self._losses)

    def _run(self, call: Call[R]) -> R:
        asyncio = sys.modules.get("asyncio")
        if asyncio is not None and not self._has_warned and _is_loop_running(asyncio):
            self._warn()
        return self._engine.run(call)

    def _make_consumer(
        self,
        asked: Subscription,
        *,
        manual_ack: bool,
        on_error: OnError | None,
        facade: object = None,
    ) -> Consumer:
        """Make a consumer that replies with `facade`, or else with this client."""
        asyncio = sys.modules.get("asyncio")
        if asyncio is not None and not self._has_warned and _is_loop_running(asyncio):
            self._warn()
        consumer = Consumer(
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
        """Take over what a consumer knows."""
        self._engine.cluster.directory.learn(nodes)

    def _warn(self) -> None:
        self._has_warned = True
        warnings.warn(
            "a blocking Gateway call was made on the thread of a running event loop, which stands "
            "still meanwhile: use AsyncGateway (or AsyncGatewayClient) there, with await",
            RuntimeWarning,
            stacklevel=4,
        )


def _is_loop_running(asyncio: ModuleType) -> bool:
    # Half imported in another thread, it may lack the function; then no loop runs either.
    get = getattr(asyncio, "_get_running_loop", None)
    return get is not None and get() is not None
