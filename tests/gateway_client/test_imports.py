"""What importing the client costs and needs."""

from __future__ import annotations

import subprocess
import sys

import gateway_client
import gatewayworker

PROBE = """
import sys
for name in ("aiohttp", "uvloop", "click", "prometheus_client", "watchfiles"):
    sys.modules[name] = None
import gatewayworker
assert "asyncio" not in sys.modules, "asyncio"
from gatewayworker import Gateway, GatewayClient
assert "asyncio" not in sys.modules, "asyncio"
from gatewayworker import AsyncGateway, AsyncGatewayClient, AsyncPipeline
import gateway_client.testing
"""


def test_it_imports_without_the_server_extra_and_asyncio_when_asked_for() -> None:
    """The client needs msgpack alone; blocking code does not pay for asyncio."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_exported_name_is_there() -> None:
    """`__all__` of both packages holds, lazily or not, the same objects."""
    for name in gateway_client.__all__:
        assert getattr(gateway_client, name) is not None
        assert name in dir(gateway_client)
    for name in gatewayworker.__all__:
        assert getattr(gatewayworker, name) is getattr(gateway_client, name)
        assert name in dir(gatewayworker)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As for any module."""
    for package in (gateway_client, gatewayworker):
        assert not hasattr(package, "Gatway")
