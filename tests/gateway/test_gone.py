"""What stands in for the edge of a client that is gone."""

import asyncio
import gc

from gateway.edge.codec import WEBSOCKET
from gateway.edge.connected import ConnectedEdge
from gateway.edge.interface import Edge
from gateway.gone import GoneEdge
from gateway_wire.close_codes import CONNECTION_LOST
from tests.gateway.running import consuming
from tests.gateway.support import turns_until

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
MESSAGE = b"\x81\x82\x00\x00\x00\x00hi"
BEGUN = b"\x01\xff" + (700_000).to_bytes(8, "big") + bytes(4 + 700_000)
"""The first fragment of a message that never becomes whole."""


def test_an_edge_at_its_end_does_nothing() -> None:
    """Whatever it is asked for, and it has the encoding that it had."""
    edge: Edge = GoneEdge(WEBSOCKET)
    edge.write(b"late")
    edge.finish()
    edge.abort(CONNECTION_LOST.reason())
    edge.pause_reading()
    edge.resume_reading()

    assert edge.goodbye(4000, "late") == b""
    assert edge.connection is None
    assert edge.record() == {"encoding": "websocket", "state": "closed"}
    assert repr(edge) == "<GoneEdge>"


async def test_what_waits_on_a_queue_does_not_keep_its_client_s_edge() -> None:
    """Nor what had come of a message that never became whole: nobody counts that."""
    async with consuming("queue:chat", topics=("other",)) as (running, _):
        core = running.process.core
        host, port = running.url.removeprefix("ws://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(HANDSHAKE + MESSAGE + BEGUN)
        await turns_until(lambda: any(each for each in core.queues.states(0.0)["chat"].values()))
        writer.close()
        await core.clients.all_gone()
        await turns_until(lambda: not _edges())

        assert core.queues.states(0.0)["chat"]["waiting"] == 1
        assert core.queues.topics["chat"].size < 2000


def _edges() -> int:
    gc.collect()
    return sum(isinstance(each, ConnectedEdge) for each in gc.get_objects())
