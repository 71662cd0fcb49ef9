"""Tests of connections that agreed to permessage-deflate, over real sockets, with and without TLS."""

from __future__ import annotations

import asyncio
import random
import ssl
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from aiohttp import ClientSession, WSMsgType
from websockets.asyncio.client import ClientConnection, connect

from gateway.edge.compressed import SLICE, CompressedWebSocketEdge, SecureCompressedWebSocketEdge
from gateway.edge.deflate import DeflateEncoding
from gateway.edge.interface import Edge
from gateway.edge.options import EdgeOptions
from tests.gateway.edge.support import Browser, Recorder, Served, frame, request, serving, text
from tests.gateway.support import Pipes

AGREEING = EdgeOptions(compression=True)
OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
ANSWER = (
    "Sec-WebSocket-Extensions: "
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
)
RSV1 = 0x40
MIB = 1024 * 1024
NEWS = '{"type":"order","state":"shipped","warehouse":"north"},' * 20

Serve = Callable[[Recorder], AbstractAsyncContextManager[Served]]


def bomb(size: int) -> bytes:
    """Return a frame with this many zeros."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = compressor.compress(bytes(size)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return frame(RSV1 | 0x2, data[:-4])


@pytest.fixture(params=[False, True], ids=["ws", "wss"])
def secure(request: pytest.FixtureRequest) -> bool:
    """Without and with TLS."""
    answer: bool = request.param
    return answer


@pytest.fixture
def client_tls(secure: bool, trusting: ssl.SSLContext) -> ssl.SSLContext | None:
    """The client's context, if there is TLS."""
    return trusting if secure else None


@pytest.fixture
def serve(secure: bool, tls: ssl.SSLContext) -> Serve:
    """Give a maker of servers that agree to compression."""

    @asynccontextmanager
    async def server(core: Recorder) -> AsyncIterator[Served]:
        async with serving(core, tls=tls if secure else None, options=AGREEING) as served:
            yield served

    return server


async def opened(
    served: Served, tls: ssl.SSLContext | None = None, *headers: str, read: bool = True
) -> Browser:
    """Open a websocket that speaks raw bytes, offering compression."""
    reader, writer = await asyncio.open_connection(
        "localhost" if tls else served.host, served.port, ssl=tls, limit=1 << 16
    )
    writer.write(request("/", *(headers or (OFFER,))))
    browser = Browser(reader, writer)
    if read:
        assert ANSWER in await browser.head()
    return browser


def echo(edge: Edge, message: str | bytes) -> None:
    """Send a message back."""
    edge.write(edge.encoding.encode(message))


async def test_a_client_that_offers_gets_it(
    serve: Serve, secure: bool, client_tls: ssl.SSLContext | None
) -> None:
    """The answer names the extension; messages then leave compressed and may arrive so."""
    core = Recorder()
    async with serve(core) as served:
        browser = await opened(served, client_tls)
        edge = await core.edge()
        edge.write(edge.encoding.encode(NEWS))
        first, payload = await browser.frame()
        browser.send(frame(RSV1 | 0x1, payload) + text("plain"))
        await core.until(lambda: len(core.messages) == 2)

        kind = SecureCompressedWebSocketEdge if secure else CompressedWebSocketEdge
        assert type(edge) is kind
        assert not hasattr(edge, "__dict__")
        assert edge.encoding.name == edge.record()["encoding"] == "websocket+deflate"
        assert first == 0x80 | RSV1 | 0x1
        assert len(payload) < len(NEWS) / 4
        assert core.messages == [NEWS, "plain"]
        assert served.server.counters.opened_compressed == 1
        browser.writer.close()


async def test_others_stay_plain() -> None:
    """Who offers nothing, or what is declined, speaks plain websocket with the others beside it."""
    core = Recorder()
    async with serving(core, options=AGREEING) as served:
        browsers = [
            await opened(served),
            await opened(served, None, "X-Offers: none", read=False),
            await opened(
                served,
                None,
                "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9",
                read=False,
            ),
        ]
        heads = [await each.head() for each in browsers[1:]]
        await core.until(lambda: len(core.edges) == 3)

        assert all("Extensions" not in head for head in heads)
        names = sorted(edge.encoding.name for edge in core.edges)
        assert names == ["websocket", "websocket", "websocket+deflate"]
        counters = served.server.counters
        assert (counters.opened, counters.opened_compressed) == (3, 1)
        for each in browsers:
            each.writer.close()


async def test_it_is_off_unless_asked_for() -> None:
    """By default an offer is not answered, and what is compressed breaks the protocol."""
    core = Recorder()
    async with serving(core) as served:
        browser = await opened(served, None, OFFER, read=False)
        head = await browser.head()
        browser.send(frame(RSV1 | 0x1, b"\x00"))

        assert "Extensions" not in head
        assert await browser.close_frame() == (1002, "reserved bits without an extension")
        browser.writer.close()


async def test_it_may_be_switched_while_connections_are_open() -> None:
    """The switch counts for handshakes from then on; who agreed before stays."""
    core = Recorder()
    async with serving(core) as served:
        plain = await opened(served, None, OFFER, read=False)
        await plain.head()
        served.server.compression = True
        compressed = await opened(served)
        served.server.compression = False
        later = await opened(served, None, OFFER, read=False)
        await later.head()
        await core.until(lambda: len(core.edges) == 3)

        names = [edge.encoding.name for edge in core.edges]
        assert names == ["websocket", "websocket+deflate", "websocket"]
        assert not served.server.compression
        for each in (plain, compressed, later):
            each.writer.close()


async def test_all_share_one_encoding() -> None:
    """Connections that agreed have the same encoding object, so a broadcast compresses once."""
    core = Recorder()
    async with serving(core, options=AGREEING) as served:
        browsers = [await opened(served) for _ in range(3)]
        await core.until(lambda: len(core.edges) == 3)
        encodings = {edge.encoding for edge in core.edges}
        encodings.pop().encode(NEWS)

        assert not encodings
        assert served.server.deflate_counters.compressions == 1
        for each in browsers:
            each.writer.close()


async def test_a_bomb_closes_its_connection(
    serve: Serve, client_tls: ssl.SSLContext | None
) -> None:
    """What inflates beyond the limit ends in 1009."""
    core = Recorder()
    async with serve(core) as served:
        browser = await opened(served, client_tls)
        browser.send(bomb(64 * MIB))

        assert await browser.close_frame() == (
            1009,
            f"message of more than {MIB} bytes when inflated",
        )
        assert not core.messages
        browser.writer.close()


async def test_what_came_is_inflated_only_while_the_core_reads() -> None:
    """When the core stops, the rest of one read is kept as it came, a thousandth of its size."""
    core = Recorder()
    core.on_received = lambda edge, _: edge.pause_reading()
    async with serving(core, options=AGREEING) as served:
        small = bomb(MIB)
        browser = await opened(served)
        edge = await core.edge()
        assert isinstance(edge, CompressedWebSocketEdge)
        edge.data_received(small * 3)  # what one read may bring

        assert core.messages == [bytes(MIB)]
        assert 2 * len(small) - SLICE < len(edge._unread) <= 2 * len(small)

        core.on_received = None
        edge.resume_reading()
        await core.until(lambda: len(core.messages) == 3)
        browser.writer.close()


async def test_others_are_served_while_bombs_are_inflated() -> None:
    """What one read makes is passed on over several turns of the loop, all of it and in order."""
    core = Recorder()
    async with serving(core, options=AGREEING) as served:
        bomber, other = await opened(served), await opened(served)
        await core.until(lambda: len(core.edges) == 2)
        sizes = [MIB - number for number in range(60)]
        edge = core.edges[0]
        assert isinstance(edge, CompressedWebSocketEdge)
        edge.data_received(b"".join(map(bomb, sizes)))  # what one read may bring
        passed_on = len(core.messages)

        assert passed_on < len(sizes)

        other.send(text("between"))
        await core.until(lambda: len(core.messages) > len(sizes))
        received = [len(each) for each in core.messages if each != "between"]

        assert len(core.messages[-1]) == sizes[-1]
        assert received == sizes

        bomber.send(text("later"))
        await core.until(lambda: core.messages[-1] == "later")
        for each in (bomber, other):
            each.writer.close()


async def test_a_client_that_does_not_read(serve: Serve, client_tls: ssl.SSLContext | None) -> None:
    """The transport is full of compressed frames, says so, and they all arrive whole."""
    core = Recorder()
    async with serve(core) as served:
        browser = await opened(served, client_tls)
        edge = await core.edge()
        message = random.Random(1).randbytes(MIB // 2).hex()
        sent = edge.encoding.encode(message)
        count = 0
        while "write_paused" not in core.told:
            edge.write(sent)
            count += 1
        received = [await browser.receive(len(sent)) for _ in range(count)]

        assert received == [sent] * count
        assert len(sent) < 0.6 * len(message)
        await core.until(lambda: core.told[-1] == "write_resumed")
        browser.writer.close()


def test_what_waits_is_counted_as_it_is_sent() -> None:
    """A compressed frame that waits for two clients that do not read is counted once, compressed."""
    core, encoding = Pipes(), DeflateEncoding()
    slow = [core.connect(encoding=encoding, capacity=0) for _ in range(2)]
    plain = core.connect()
    message = NEWS * 100
    reached = core.outbox.offer([*slow, plain], message)
    core.outbox.flush()
    size = len(DeflateEncoding().encode(message))

    assert reached == 3
    assert core.received(plain) == [message]
    assert [each.waiting for each in slow] == [size, size]
    assert core.outbox.waiting_bytes == size < len(message) / 10
    assert encoding.counters.compressions == 1


# Other implementations.


async def test_websockets(serve: Serve, client_tls: ssl.SSLContext | None) -> None:
    """The `websockets` client offers by itself; text, binary, fragments and large messages echo."""
    core = Recorder(on_received=echo)
    async with serve(core) as served:
        uri = f"{'wss' if client_tls else 'ws'}://localhost:{served.port}"
        async with connect(uri, ssl=client_tls) as client:
            await _echoes(client)
            extensions = [extension.name for extension in client.protocol.extensions]

        assert extensions == ["permessage-deflate"]
        assert served.server.deflate_counters.compressions == 4
        assert (await core.reason()).code == 1000


async def _echoes(client: ClientConnection) -> None:
    for message in ("", "grüße", b"", NEWS, NEWS, bytes(MIB), "x" * 70_000):
        await client.send(message)
        assert await client.recv() == message
    await client.send(["in ", "two ", "fragments"])
    assert await client.recv() == "in two fragments"
    await (await client.ping())


@pytest.mark.parametrize("window", [9, 15])
async def test_aiohttp(window: int) -> None:
    """The `aiohttp` client, told to compress, echoes the same, also with a window of its own."""
    core = Recorder(on_received=echo)
    async with (
        serving(core, options=AGREEING) as served,
        ClientSession() as session,
        session.ws_connect(f"http://localhost:{served.port}", compress=window) as client,
    ):
        for message in ("", "grüße", NEWS, NEWS, "x" * 70_000):
            await client.send_str(message)
            assert await client.receive_str() == message
        await client.send_bytes(bytes(MIB))
        answer = await client.receive()

        assert (answer.type, answer.data) == (WSMsgType.BINARY, bytes(MIB))
        assert client.compress or window < 15
        await client.close()
