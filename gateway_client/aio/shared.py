"""`AsyncGateway`: the class-level client for asyncio, one for the whole program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from gateway_client import inside
from gateway_client.aio.client import AsyncGatewayClient
from gateway_client.aio.consumer import AsyncConsumer
from gateway_client.aio.consuming_methods import AsyncConsuming
from gateway_client.aio.methods import AsyncCurrentMethods, AsyncMethods
from gateway_client.aio.pipeline import AsyncPipeline
from gateway_client.calls.base import Call
from gateway_client.config import Settled, settled
from gateway_client.facade import ClassProperty
from gateway_client.options import check_options
from gateway_client.subscription import Subscription
from gateway_client.troubles import OnError

__all__ = ["AsyncGateway"]

R = TypeVar("R")


class AsyncGateway(AsyncConsuming, AsyncCurrentMethods, AsyncMethods):
    """One shared asyncio client: `await AsyncGateway.send_to_uid(uid, message)`.

    Assign the attributes once, where your program starts; a change later takes effect with the next
    call, on new links, and ends what is consumed on the old ones. A subclass with attributes of its own is a client of its own.

    Inside a business worker it uses the links that the worker has, whatever is assigned, from the worker's
    event loop and from every other. What it consumes comes on links of its own there, too.

    Attributes:
        register_address: `host:port` of the register, or a list of them; None reads
            `GATEWAYWORKER_REGISTER`, or takes 127.0.0.1:1236.
        secret_key: The cluster's secret key, `""` for none; None reads `GATEWAYWORKER_SECRET_KEY` or
            the file `GATEWAYWORKER_SECRET_KEY_FILE`.
        lost: How many commands of unconfirmed sends certainly did not reach a gateway; counted anew
            after a change of the other two. Not to be assigned.
    """

    register_address: ClassVar[str | Sequence[str] | None] = None
    secret_key: ClassVar[str | None] = None

    _settings: ClassVar[Settled | None] = None
    _client: ClassVar[AsyncGatewayClient]

    @ClassProperty
    def lost(cls) -> int:  # noqa: N805 - it is read from the class
        """How many commands of unconfirmed sends certainly did not reach a gateway."""
        if (worker := _worker_of(cls)) is not None:
            return worker.lost
        # Looking at it, as `help` does, makes no client and needs no right settings.
        return cls._client.lost if "_client" in cls.__dict__ else 0

    @classmethod
    def pipeline(cls, *, timeout: float | None = None) -> AsyncPipeline:
        """Return a pipeline: many commands, one round trip per gateway, in order.

        Args:
            timeout: Seconds after which a gateway that shows no progress has timed out; 5 if None.
        """
        if (worker := _worker_of(cls)) is not None:
            check_options({"timeout": timeout})
            return AsyncPipeline(worker.run_all_async, timeout)
        return cls._shared().pipeline(timeout=timeout)

    @classmethod
    async def aclose(cls) -> None:
        """Close the links of this loop, and what is consumed on it; a later call opens new ones.

        A worker keeps its links.
        """
        if _worker_of(cls) is None or "_client" in cls.__dict__:
            await cls._shared().aclose()

    @classmethod
    async def _run(cls, call: Call[R]) -> R:
        if (worker := _worker_of(cls)) is not None:
            return await worker.run_async(call)
        return await cls._shared()._run(call)  # noqa: SLF001 - the same client, class-level

    @classmethod
    def _make_consumer(
        cls, asked: Subscription, *, manual_ack: bool, on_error: OnError | None
    ) -> AsyncConsumer:
        return cls._shared()._make_consumer(  # noqa: SLF001 - as above
            asked, manual_ack=manual_ack, on_error=on_error, facade=cls
        )

    @classmethod
    def _shared(cls) -> AsyncGatewayClient:
        settings = settled(cls.register_address, cls.secret_key)
        if settings != cls.__dict__.get("_settings"):
            if "_client" in cls.__dict__:
                cls._client.retire()
            cls._client = AsyncGatewayClient(cls.register_address, secret_key=cls.secret_key)
            cls._settings = settings
        return cls._client


def _worker_of(cls: object) -> inside.Inside | None:
    """Return the worker whose links a class uses: its subclasses have links of their own."""
    return inside.worker if cls is AsyncGateway else None
