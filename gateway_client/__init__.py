"""The client library of the cluster: push to browsers, bind them, ask who is there.

`Gateway` (blocking) and `AsyncGateway` (asyncio) are one shared client each, class-level;
`GatewayClient` and `AsyncGatewayClient` are instances of one's own. All have the same methods.
`gateway_client.testing` has recorders for the tests of applications.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from gateway_client.blocking.client import GatewayClient
from gateway_client.blocking.consumer import Consumer
from gateway_client.blocking.message import Message
from gateway_client.blocking.pipeline import Pipeline
from gateway_client.blocking.shared import Gateway
from gateway_client.calls import METHODS
from gateway_client.errors import (
    AuthenticationFailed,
    CommandRefused,
    ConsumerTrouble,
    GatewayError,
    GatewayUnavailable,
    InvalidClientId,
    MessageTooLarge,
    PartialResult,
    RegisterUnavailable,
    ReplyTimeout,
)
from gateway_client.reached import GatewayFailure, Published, Reached

if TYPE_CHECKING:
    from gateway_client.aio.client import AsyncGatewayClient
    from gateway_client.aio.consumer import AsyncConsumer
    from gateway_client.aio.message import AsyncMessage
    from gateway_client.aio.pipeline import AsyncPipeline
    from gateway_client.aio.shared import AsyncGateway

__all__ = [
    "METHODS",
    "AsyncConsumer",
    "AsyncGateway",
    "AsyncGatewayClient",
    "AsyncMessage",
    "AsyncPipeline",
    "AuthenticationFailed",
    "CommandRefused",
    "Consumer",
    "ConsumerTrouble",
    "Gateway",
    "GatewayClient",
    "GatewayError",
    "GatewayFailure",
    "GatewayUnavailable",
    "InvalidClientId",
    "Message",
    "MessageTooLarge",
    "PartialResult",
    "Pipeline",
    "Published",
    "Reached",
    "RegisterUnavailable",
    "ReplyTimeout",
]

# Imported when first asked for: asyncio is half of the import time, and blocking code has no use
# for it.
_LAZY: Final = {
    "AsyncConsumer": "gateway_client.aio.consumer",
    "AsyncGateway": "gateway_client.aio.shared",
    "AsyncGatewayClient": "gateway_client.aio.client",
    "AsyncMessage": "gateway_client.aio.message",
    "AsyncPipeline": "gateway_client.aio.pipeline",
}


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
