"""`Gateway`: the class-level client, one for the whole program, configured by assignment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from gateway_client import inside
from gateway_client.blocking.client import GatewayClient
from gateway_client.blocking.consumer import Consumer
from gateway_client.blocking.consuming_methods import BlockingConsuming
from gateway_client.blocking.methods import BlockingCurrentMethods, BlockingMethods
from gateway_client.blocking.pipeline import Pipeline
from gateway_client.blocking.worker_pipeline import WorkerPipeline
from gateway_client.calls.base import Call
from gateway_client.config import Settled, settled
from gateway_client.facade import ClassProperty
from gateway_client.options import check_options
from gateway_client.subscription import Subscription
from gateway_client.troubles import OnError

__all__ = ["Gateway"]

R = TypeVar("R")


class Gateway(BlockingConsuming, BlockingCurrentMethods, BlockingMethods):
    """One shared blocking client: `Gateway.send_to_uid(uid, message)`.

    Assign the attributes once, where your program starts; a change later takes effect with the next
    call, on new links, and ends what is consumed on the old ones. A subclass with attributes of its own is a client of its own.

    Inside a business worker it uses the links that the worker has, whatever is assigned, from every thread
    but the event loop's, where it would stop everything: `AsyncGateway` is for there. What it consumes comes on links
    of its own there, too.

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
    _client: ClassVar[GatewayClient]

    @ClassProperty
    def lost(cls) -> int:  # noqa: N805 - it is read from the class
        """How many commands of unconfirmed sends certainly did not reach a gateway."""
        if (worker := _worker_of(cls)) is not None:
            return worker.lost
        # Looking at it, as `help` does, makes no client and needs no right settings.
        return cls._client.lost if "_client" in cls.__dict__ else 0

    @classmethod
    def pipeline(cls, *, timeout: float | None = None) -> Pipeline:
        """Return a pipeline: many commands, one round trip per gateway, in order.

        Args:
            timeout: Seconds after which a gateway that shows no progress has timed out; 5 if None.
        """
        if (worker := _worker_of(cls)) is not None:
            check_options({"timeout": timeout})
            return WorkerPipeline(worker, timeout)
        return cls._shared().pipeline(timeout=timeout)

    @classmethod
    def close(cls) -> None:
        """Close every link, and end what is consumed; a later call opens new ones. A worker keeps its links."""
        if _worker_of(cls) is None or "_client" in cls.__dict__:
            cls._shared().close()

    @classmethod
    def _run(cls, call: Call[R]) -> R:
        if (worker := _worker_of(cls)) is not None:
            return worker.run(call)
        return cls._shared()._run(call)  # noqa: SLF001 - the same client, class-level

    @classmethod
    def _make_consumer(
        cls, asked: Subscription, *, manual_ack: bool, on_error: OnError | None
    ) -> Consumer:
        if (worker := _worker_of(cls)) is not None:
            worker.refuse_on_loop("consume")
        return cls._shared()._make_consumer(  # noqa: SLF001 - as above
            asked, manual_ack=manual_ack, on_error=on_error, facade=cls
        )

    @classmethod
    def _shared(cls) -> GatewayClient:
        settings = settled(cls.register_address, cls.secret_key)
        if settings != cls.__dict__.get("_settings"):
            if "_client" in cls.__dict__:
                cls._client.close()
            cls._client = GatewayClient(cls.register_address, secret_key=cls.secret_key)
            cls._settings = settings
        return cls._client


def _worker_of(cls: object) -> inside.Inside | None:
    """Return the worker whose links a class uses: its subclasses have links of their own."""
    return inside.worker if cls is Gateway else None
