"""Blocking consumers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway_client import GatewayClient
from gateway_client.blocking.consumer import Consumer


@pytest.fixture
def consumer(client: GatewayClient) -> Iterator[Consumer]:
    """A consumer of `chat` that acknowledges by itself."""
    with client.consume("chat", name="test") as consumer:
        yield consumer
