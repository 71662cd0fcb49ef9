"""Another implementation as the client: the `websockets` package, over ws and wss."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.edge.options import EdgeOptions
from tests.gateway.edge.support import QUICK, Recorder, serving


@pytest.fixture(params=[False, True], ids=["ws", "wss"])
def secure(request: pytest.FixtureRequest) -> bool:
    """Without and with TLS."""
    answer: bool = request.param
    return answer


async def test_messages_of_all_sizes(
    secure: bool, tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """Text, binary, fragmented and large messages come back as they were sent."""
    core = Recorder(on_received=lambda edge, m: edge.write(edge.encoding.encode(m)))
    async with serving(core, tls=tls if secure else None) as served:
        uri = f"{'wss' if secure else 'ws'}://localhost:{served.port}/chat"
        async with connect(uri, ssl=trusting if secure else None) as client:
            for message in ("", "grüße", b"", bytes(126), "x" * 70_000, bytes(1024 * 1024)):
                await client.send(message)
                assert await client.recv() == message
            await client.send(["in ", "two ", "fragments"])
            assert await client.recv() == "in two fragments"
            await (await client.ping())
        reason = await core.reason()

        assert (reason.code, reason.name) == (1000, "peer_closed")
        assert client.close_code == 1000


async def test_the_server_closes(
    secure: bool, tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """The client sees our code and reason, and answers."""
    core = Recorder(on_received=lambda edge, _: edge.write(edge.goodbye(4001, "enough")))
    async with serving(core, tls=tls if secure else None) as served:
        uri = f"{'wss' if secure else 'ws'}://localhost:{served.port}"
        async with connect(uri, ssl=trusting if secure else None) as client:
            await client.send("x")
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
        reason = await core.reason()

        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "enough")
        assert (reason.code, reason.name) == (4001, "application")


async def test_too_big_is_seen_by_the_client(
    secure: bool, tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """A client that is still sending its oversized message reads 1009, not a reset."""
    # TLS has no half-close, so there the client waits for the server's deadline.
    options = EdgeOptions(close_timeout=1.0, tick=QUICK)
    async with serving(tls=tls if secure else None, options=options) as served:
        uri = f"{'wss' if secure else 'ws'}://localhost:{served.port}"
        # Not `async with`: asyncio's transport fails when it is aborted after its end.
        client = await connect(uri, ssl=trusting if secure else None)
        sending = asyncio.ensure_future(client.send(bytes(4 * 1024 * 1024)))
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        with suppress(ConnectionClosed):
            await sending

        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_the_certificate_is_the_contexts(certificate: Path, tls: ssl.SSLContext) -> None:
    """A client that trusts another authority is refused by itself, and counted."""
    async with serving(tls=tls) as served:
        with pytest.raises(ssl.SSLCertVerificationError):
            async with connect(f"wss://localhost:{served.port}", ssl=ssl.create_default_context()):
                pass


async def test_plain_http_gets_an_answer() -> None:
    """A request that is refused is a well-formed response for another implementation."""
    async with serving() as served:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(
                f"ws://localhost:{served.port}", additional_headers={"X-Big": "x" * 17_000}
            ):
                pass

        assert refused.value.response.status_code == 431
