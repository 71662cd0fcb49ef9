"""Tests of the handshake over real sockets."""

from __future__ import annotations

import asyncio

import pytest

from gateway.edge.codec import WEBSOCKET
from gateway.edge.options import EdgeOptions
from gateway.edge.proxies import TrustedProxies
from tests.gateway.edge.support import (
    ACCEPT,
    QUICK,
    Recorder,
    Served,
    request,
    serving,
    text,
    turns_until,
)

IMPATIENT = EdgeOptions(handshake_timeout=2 * QUICK, tick=QUICK)


async def failed(served: Served, cause: str) -> None:
    """Wait until a handshake has failed for this cause."""
    await turns_until(lambda: bool(served.server.counters.handshakes_failed[cause]))


async def test_a_request_becomes_a_connection() -> None:
    """The client gets 101 with the right proof; the core gets the edge and the request."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.connect(request("/chat?room=1", "Cookie: a=b"))
        head = await browser.head()
        await core.edge()

        assert head.startswith("HTTP/1.1 101 ")
        assert f"Sec-WebSocket-Accept: {ACCEPT}\r\n" in head
        told = core.requests[0]
        assert (told.path, told.query, told.headers["cookie"]) == ("/chat", "room=1", "a=b")
        assert (told.remote_addr, told.remote_port) == browser.writer.get_extra_info("sockname")
        assert told.listener == "public"
        assert served.server.counters.connections == 1
        browser.writer.close()


async def test_a_request_in_single_bytes() -> None:
    """A handshake that trickles in is complete with its last byte."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.connect()
        for byte in request():
            browser.send(bytes((byte,)))
            await browser.writer.drain()
            await asyncio.sleep(0)

        assert (await browser.head()).startswith("HTTP/1.1 101 ")
        browser.writer.close()


async def test_bytes_after_the_request_are_not_lost() -> None:
    """Frames in the same segment as the request arrive after `opened`."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open(after=text("early") + text("half")[:3])
        await core.until(lambda: bool(core.messages))
        browser.send(text("half")[3:])
        await core.until(lambda: len(core.messages) == 2)

        assert core.told == ["opened", "received", "received"]
        assert core.messages == ["early", "half"]
        browser.writer.close()


@pytest.mark.parametrize(
    ("sent", "status", "cause"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "426", "not_websocket"),
        (request(Sec_WebSocket_Version="8"), "426", "version"),
        (request(Sec_WebSocket_Key="x"), "400", "key"),
        (b"\x16\x03\x01 hello\r\n\r\n", "400", "malformed"),
        (b"GET /" + b"a" * 20_000, "431", "too_large"),
    ],
)
async def test_refusals_answer_count_and_close(sent: bytes, status: str, cause: str) -> None:
    """Whatever is no handshake gets one response, then the end; the core hears nothing."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.connect(sent)
        head = await browser.head()
        body = await browser.rest()
        await failed(served, cause)

        assert head.startswith(f"HTTP/1.1 {status} ")
        assert body.endswith(b"\n")
        assert core.told == []
        assert served.server.counters.sockets == 0
        browser.writer.close()


async def test_a_client_that_says_nothing_is_dropped() -> None:
    """After the handshake timeout a silent socket is closed without an answer."""
    async with serving(options=IMPATIENT) as served:
        browser = await served.connect()

        assert await browser.rest() == b""
        await failed(served, "timeout")
        browser.writer.close()


async def test_a_client_that_goes_away_is_counted() -> None:
    """Half a request and the end of the stream is a lost handshake."""
    async with serving() as served:
        browser = await served.connect(request()[:20])
        browser.writer.close()
        await failed(served, "lost")

        assert served.server.counters.sockets == 0


async def test_the_deadline_leaves_connections_alone() -> None:
    """A completed handshake outlives its deadline."""
    core = Recorder()
    async with serving(core, options=IMPATIENT) as served:
        browser = await served.open()
        silent = await served.connect()  # accepted later, so its end proves that time has passed
        await silent.rest()
        browser.send(text("still here"))
        await core.until(lambda: bool(core.messages))

        assert served.server.counters.connections == 1
        browser.writer.close()
        silent.writer.close()


async def test_the_real_client_behind_a_trusted_proxy() -> None:
    """The core is told the address that the proxy saw."""
    core = Recorder()
    async with serving(core, proxies=TrustedProxies(["127.0.0.0/8"])) as served:
        browser = await served.connect(request("/", "X-Forwarded-For: 198.51.100.1, 203.0.113.7"))
        await browser.head()
        await core.edge()

        assert core.requests[0].remote_addr == "203.0.113.7"
        browser.writer.close()


async def test_what_the_core_says_first_comes_with_the_answer() -> None:
    """One write for both: a client that has the one has the other."""
    core = Recorder(first=WEBSOCKET.encode("first"))
    async with serving(core) as served:
        browser = await served.connect(request())
        answer, _, first = (await browser.reader.read(4096)).partition(b"\r\n\r\n")

        assert answer.startswith(b"HTTP/1.1 101 ")
        assert first == core.first
        browser.writer.close()


async def test_a_client_that_does_not_take_what_is_said_first() -> None:
    """The core is told, as for anything else that it writes, and everything arrives."""
    core = Recorder(first=bytes(16 * 1024 * 1024))
    async with serving(core) as served:
        browser = await served.connect(request())
        await core.edge()

        assert core.told == ["opened", "write_paused"]

        await browser.head()
        assert await browser.receive(len(core.first)) == core.first
        await core.until(lambda: core.told[-1] == "write_resumed")
        browser.writer.close()


async def test_a_core_that_fails_in_opened_costs_that_connection() -> None:
    """An exception goes to the loop's handler, ends the connection and is told as lost."""
    failures: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    core = Recorder(on_opened=lambda _: 1 // 0)
    async with serving(core) as served:
        browser = await served.connect(request())
        await core.reason()
        await browser.rest()

        assert core.told == ["opened", "lost"]
        assert isinstance(failures[0]["exception"], ZeroDivisionError)
        browser.writer.close()
