"""Tests of accepting, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path

import pytest

from gateway.edge.options import EdgeOptions
from tests.gateway.edge.support import Recorder, bound, request, serving, text, turns_until


async def test_ipv6() -> None:
    """A client over IPv6 is served, and its address told."""
    core = Recorder()
    async with serving(core, host="::1") as served:
        browser = await served.open()
        await core.edge()

        assert core.requests[0].remote_addr == "::1"
        browser.writer.close()


async def test_an_ipv4_client_on_a_dual_stack_socket() -> None:
    """Its address is told as IPv4."""
    core = Recorder()
    async with serving(core, host="::") as served:
        served.host = "127.0.0.1"
        browser = await served.open()
        await core.edge()

        assert core.requests[0].remote_addr == "127.0.0.1"
        browser.writer.close()


async def test_several_sockets_and_a_unix_one(tmp_path: Path) -> None:
    """A listener may have several addresses; a Unix socket's clients have no address."""
    core = Recorder()
    local = socket.socket(socket.AF_UNIX)
    local.bind(str(tmp_path / "public.sock"))
    async with serving(core) as served:
        more = served.server.add_listener("more", [bound(), local])
        reader, writer = await asyncio.open_unix_connection(tmp_path / "public.sock")
        writer.write(request())
        await reader.readuntil(b"\r\n\r\n")
        await core.edge()

        assert core.requests[0].listener == "more"
        assert (core.requests[0].remote_addr, core.requests[0].remote_port) == ("", 0)
        assert repr(more).startswith("<Listener more accepting [('127.0.0.1', ")
        writer.close()


async def test_wss(tls: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    """Over TLS messages pass in both directions and both sides can close."""
    core = Recorder(on_received=lambda edge, m: edge.write(edge.encoding.encode(m)))
    async with serving(core, tls=tls) as served:
        reader, writer = await asyncio.open_connection("localhost", served.port, ssl=trusting)
        writer.write(request() + text("hello"))
        await reader.readuntil(b"\r\n\r\n")

        assert await reader.readexactly(7) == b"\x81\x05hello"
        edge = await core.edge()
        edge.write(edge.goodbye(1000, ""))
        assert await reader.readexactly(4) == b"\x88\x02\x03\xe8"
        writer.close()
        await core.reason()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


async def test_wss_is_paused_only_while_something_waits(
    tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """Over TLS too writing pauses when the client does not read, and only then."""
    core = Recorder()
    size = 16 * 1024 * 1024  # above what kernel and transports take
    async with serving(core, tls=tls) as served:
        reader, writer = await asyncio.open_connection("localhost", served.port, ssl=trusting)
        writer.write(request())
        await reader.readuntil(b"\r\n\r\n")
        edge = await core.edge()
        edge.write(b"small")
        assert await reader.readexactly(5) == b"small"
        assert core.told == ["opened"]

        edge.write(bytes(size))
        assert core.told == ["opened", "write_paused"]
        assert await reader.readexactly(size) == bytes(size)
        await core.until(lambda: core.told[-1] == "write_resumed")
        writer.close()
        await core.reason()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


async def test_plain_text_on_the_tls_port(tls: ssl.SSLContext) -> None:
    """Whatever is not TLS is counted as such, and the socket is released."""
    async with serving(tls=tls) as served:
        browser = await served.connect(request())
        await browser.rest()
        failures = served.server.counters.handshakes_failed
        await turns_until(lambda: bool(failures["tls"]))

        assert served.server.counters.sockets == 0
        browser.writer.close()


async def test_a_full_house_leaves_others_in_the_backlog() -> None:
    """At `max_connections` accepting pauses exactly; who waits is served as soon as one leaves."""
    core = Recorder()
    async with serving(core, options=EdgeOptions(max_connections=3)) as served:
        browsers = [await served.connect(request()) for _ in range(6)]
        await core.until(lambda: len(core.edges) == 3)
        waiting = asyncio.ensure_future(browsers[-1].head())
        full = repr(served.server)
        for browser in browsers[:3]:
            browser.writer.close()
        await waiting

        assert full == "<EdgeServer connections=3 sockets=3/3 obstacles=Obstacle.FULL>"
        assert len(core.edges) == 6
        assert max(concurrent(core.told)) == 3
        for browser in browsers:
            browser.writer.close()


def concurrent(told: list[str]) -> list[int]:
    """Return how many connections were open after each thing told."""
    return [told[:i].count("opened") - told[:i].count("lost") for i in range(len(told) + 1)]


async def test_pausing_keeps_the_backlog() -> None:
    """Clients that connect during a pause are accepted by the kernel and served after it."""
    core = Recorder()
    async with serving(core) as served:
        before = await served.open()
        served.server.pause_accepting()
        served.server.pause_accepting()
        browsers = [await served.connect(request()) for _ in range(5)]
        before.send(text("others go on"))
        await core.until(lambda: bool(core.messages))
        accepted = served.server.counters.accepted
        served.server.resume_accepting()
        for browser in browsers:
            assert (await browser.head()).startswith("HTTP/1.1 101 ")

        assert accepted == 1
        for browser in [*browsers, before]:
            browser.writer.close()


async def test_a_pause_outlives_a_full_house() -> None:
    """Each obstacle goes by itself: a free place does not end the core's pause."""
    core = Recorder()
    async with serving(core, options=EdgeOptions(max_connections=1)) as served:
        first = await served.open()
        second = await served.connect(request())
        await turns_until(lambda: bool(served.server.counters.accept_pauses))
        served.server.pause_accepting()
        first.writer.close()
        await core.reason()
        paused = served.server.counters.accepted
        served.server.resume_accepting()
        await second.head()

        assert paused == 1
        second.writer.close()


async def test_a_storm_is_accepted_whole() -> None:
    """Many clients at once, more than one turn accepts, all get in."""
    core = Recorder()
    async with serving(core) as served:
        browsers = await asyncio.gather(*(served.open() for _ in range(300)))

        assert served.server.counters.connections == 300
        for browser in browsers:
            browser.writer.close()


async def test_stopping_refuses_the_next_and_keeps_the_rest() -> None:
    """After `stop_accepting` the port is closed for good, and open connections go on."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        served.server.stop_accepting()
        served.server.resume_accepting()
        with pytest.raises(OSError, match=r"Connect|refused|111|61"):
            await served.connect()
        browser.send(text("still here"))
        await core.until(lambda: bool(core.messages))

        assert core.messages == ["still here"]
        browser.writer.close()
