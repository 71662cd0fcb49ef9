"""Tests of the edge over TLS: large messages in slices."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.edge.codec import WEBSOCKET
from gateway.edge.secure import SLICE, SecureWebSocketEdge
from gateway_wire.close_codes import SLOW
from tests.gateway.edge.support import (
    Browser,
    Recorder,
    close,
    frame,
    request,
    serving,
    turns_until,
)

LARGE = 16 * 1024 * 1024
"""Above what the kernel takes for a client that does not read."""


@asynccontextmanager
async def connected(
    tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> AsyncIterator[tuple[Recorder, SecureWebSocketEdge, Browser]]:
    """Open a websocket over TLS; give the core, the edge and the browser, which does not read yet."""
    core = Recorder()
    async with serving(core, tls=tls) as served:
        reader, writer = await asyncio.open_connection(
            "localhost", served.port, ssl=trusting, limit=SLICE
        )
        browser = Browser(reader, writer)
        browser.send(request())
        await browser.head()
        edge = await core.edge()
        assert isinstance(edge, SecureWebSocketEdge)
        yield core, edge, browser
        writer.close()
        await core.reason()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


async def test_a_large_message_waits_in_one_piece_that_all_clients_share(
    tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """TLS is given a slice at a time, and the core is told at once that the client does not read."""
    data = WEBSOCKET.encode(bytes(LARGE))
    async with connected(tls, trusting) as (core, edge, browser):
        edge.write(data)

        assert core.told == ["opened", "write_paused"]
        assert edge._rest.obj is data
        assert len(edge._rest) > LARGE // 2

        assert await browser.receive(len(data)) == data
        await core.until(lambda: core.told[-1] == "write_resumed")
        edge.write(WEBSOCKET.encode("more"))

        assert await browser.frame() == (0x81, b"more")


async def test_a_message_that_the_client_reads_needs_no_pause(
    tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """Slices follow one another as long as the kernel takes them."""
    async with connected(tls, trusting) as (core, edge, browser):
        data = WEBSOCKET.encode(bytes(2 * SLICE))
        edge.write(data)

        assert await browser.receive(len(data)) == data
        assert core.told.count("write_paused") == core.told.count("write_resumed")


async def test_a_close_waits_for_the_end_of_the_message(
    tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """A client that closes in the middle of a message gets the rest before the answer."""
    data = WEBSOCKET.encode(bytes(LARGE))
    async with connected(tls, trusting) as (core, edge, browser):
        edge.write(data)
        browser.send(close(1000, "enough"))
        await turns_until(lambda: edge._reason is not None)

        assert await browser.receive(len(data)) == data
        assert await browser.close_frame() == (1000, "")
        assert (await core.reason()).name == "peer_closed"


async def test_a_ping_is_answered_after_the_message(
    tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """Nothing comes in the middle of a message."""
    data = WEBSOCKET.encode(bytes(LARGE))
    async with connected(tls, trusting) as (_, edge, browser):
        edge.write(data)
        browser.send(frame(0x9, b"there?"))

        assert await browser.receive(len(data)) == data
        assert await browser.frame() == (0x8A, b"there?")


async def test_who_takes_a_part_of_a_message_lives(
    tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """A slow client that has taken some slices has given its sign of life, though more wait."""
    async with connected(tls, trusting) as (_, edge, browser):
        edge.write(WEBSOCKET.encode(bytes(LARGE)))
        edge.ping()
        waiting = len(edge._rest)
        assert edge.silent()

        await browser.receive(LARGE // 2)
        await turns_until(lambda: 0 < len(edge._rest) < waiting)

        assert not edge.silent()


async def test_an_end_in_the_middle_of_a_message(
    tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """A client that is cut loses what is left, and the core is told why."""
    async with connected(tls, trusting) as (core, edge, _):
        edge.write(WEBSOCKET.encode(bytes(LARGE)))
        edge.abort(SLOW.reason())

        assert await core.reason() == SLOW.reason()
