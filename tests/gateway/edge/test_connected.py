"""What every edge does with its socket; what is spoken on it is tried in `test_websocket` and `test_stream`."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from gateway.edge.connected import SLICE, State, is_secure, prepare
from gateway.edge.handshake import Handshake
from gateway.edge.speech import Speech
from gateway.edge.stream import speaking
from gateway.edge.text import Text
from gateway_wire.close_codes import SLOW
from tests.gateway.edge.support import Recorder, serving, turns_until


def test_a_connection_only_moves_forward() -> None:
    """The states' order is what comparisons stand on."""
    assert list(State) == sorted(State) == [State.OPEN, State.CLOSING, State.ENDING, State.CLOSED]


async def test_what_was_not_passed_on_goes_with_the_connection() -> None:
    """The core may keep an edge that is lost; it keeps none of its bytes."""
    core = Recorder(on_received=lambda edge, _: edge.pause_reading())
    async with serving(core, speaks=speaking(Speech("text", Text, 1000))) as served:
        device = await served.connect(b"a\n" * SLICE)
        edge = await core.edge()
        await turns_until(lambda: bool(edge.record()["unread"]))
        edge.abort(SLOW.reason())
        await core.reason()
        device.writer.close()
        assert edge.record()["unread"] == b""
        assert edge.connection is None


async def test_a_transport_tells_at_once_that_it_holds_bytes(
    tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """Plain or over TLS: the gateway owns what is not sent."""

    class Looking(Handshake):
        seen: tuple[bool, tuple[int, int]] | None = None

        def connection_made(self, transport: Any) -> None:
            prepare(transport)
            Looking.seen = is_secure(transport), transport.get_write_buffer_limits()
            transport.abort()

    for server, client, high in ((None, None, 0), (tls, trusting, 1)):
        async with serving(Recorder(), tls=server, speaks=Looking) as served:
            _, writer = await asyncio.open_connection("localhost", served.port, ssl=client)
            await turns_until(lambda: Looking.seen is not None)
            writer.transport.abort()
            assert Looking.seen == (server is not None, (0, high))
            Looking.seen = None
            await turns_until(lambda: not served.server.counters.sockets)
