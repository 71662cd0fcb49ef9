"""The name people install.

What an application needs is re-exported here from `gateway_client`, so that the name on PyPI and
the name in the first line of code are one. Beside that stands only the command of the same name, which runs
every role of one file (`gatewayworker.commands`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gateway_client
from gateway_client import (
    AuthenticationFailed,
    CommandRefused,
    Consumer,
    ConsumerTrouble,
    Gateway,
    GatewayClient,
    GatewayError,
    GatewayFailure,
    GatewayUnavailable,
    InvalidClientId,
    Message,
    MessageTooLarge,
    PartialResult,
    Pipeline,
    Published,
    Reached,
    RegisterUnavailable,
    ReplyTimeout,
)

if TYPE_CHECKING:
    from gateway_client import (
        AsyncConsumer,
        AsyncGateway,
        AsyncGatewayClient,
        AsyncMessage,
        AsyncPipeline,
    )

__all__ = [
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


def __getattr__(name: str) -> Any:
    # The asyncio names, which gateway_client imports when they are first asked for.
    if name in __all__:
        return getattr(gateway_client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
