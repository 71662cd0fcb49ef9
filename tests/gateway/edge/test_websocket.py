"""Tests of an open websocket over real sockets."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gateway.edge.codec import WEBSOCKET
from gateway.edge.connected import SLICE
from gateway.edge.interface import Edge
from gateway.edge.options import EdgeOptions
from gateway_wire.close_codes import REVOKED, SLOW, CloseReason
from tests.gateway.edge.support import (
    QUICK,
    Browser,
    Recorder,
    close,
    frame,
    request,
    serving,
    text,
)

BRISK = EdgeOptions(close_timeout=2 * QUICK, tick=QUICK)
PINGING = EdgeOptions(ping_interval=2 * QUICK, ping_timeout=2 * QUICK, tick=QUICK)
MIB = 1024 * 1024
HUGE = 8 * MIB
"""More than the kernel takes for a client that does not read (tcp_wmem: 4 MiB)."""


# Messages.


async def test_text_and_binary_in_both_directions() -> None:
    """Text arrives as `str` and goes out as text; `bytes` likewise as binary."""
    core = Recorder(on_received=lambda edge, m: edge.write(edge.encoding.encode(m)))
    async with serving(core) as served:
        browser = await served.open()
        browser.send(text("grüße") + frame(0x2, b"\x00\xff"))

        assert await browser.frame() == (0x81, "grüße".encode())
        assert await browser.frame() == (0x82, b"\x00\xff")
        assert core.messages == ["grüße", b"\x00\xff"]
        browser.writer.close()


async def test_a_large_message_in_fragments_with_pings_between() -> None:
    """A message of 1 MiB may come in fragments, and pings between them are answered."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        half = bytes(range(256)) * 2048
        browser.send(frame(0x2, half, fin=False) + frame(0x9, b"?") + frame(0x0, half))

        assert await browser.frame() == (0x8A, b"?")
        await core.until(lambda: bool(core.messages))
        assert core.messages == [half + half]
        browser.writer.close()


async def test_all_connections_share_the_encoding() -> None:
    """A message is encoded once for all websockets: their encoding is the same object."""
    core = Recorder()
    async with serving(core) as served:
        browsers = [await served.open() for _ in range(2)]
        await core.until(lambda: len(core.edges) == 2)

        assert core.edges[0].encoding is core.edges[1].encoding is WEBSOCKET
        for browser in browsers:
            browser.writer.close()


async def test_frames_leave_without_delay() -> None:
    """Nagle's algorithm is off on accepted sockets."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        edge = await core.edge()
        sock: socket.socket = edge._transport.get_extra_info("socket")  # type: ignore[attr-defined]

        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        browser.writer.close()


# The peer closes.


@pytest.mark.parametrize(
    ("sent", "echo", "reason"),
    [
        (close(1000, "done"), b"\x88\x02\x03\xe8", CloseReason(1000, "peer_closed", "done")),
        (close(4001), b"\x88\x02\x0f\xa1", CloseReason(4001, "peer_closed")),
        (frame(0x8), b"\x88\x00", CloseReason(1005, "peer_closed")),
    ],
)
async def test_a_close_is_echoed_and_tcp_ended(
    sent: bytes, echo: bytes, reason: CloseReason
) -> None:
    """The code comes back, the server ends TCP, and the core learns what the browser said."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        browser.send(sent + text("ignored"))

        assert await browser.rest() == echo
        assert await core.reason() == reason
        assert core.told == ["opened", "lost"]
        browser.writer.close()


async def test_the_end_of_the_stream_without_a_close() -> None:
    """A browser that vanishes is told as 1006."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        browser.writer.write_eof()

        assert await browser.rest() == b""
        assert (await core.reason()).code == 1006
        assert (await core.reason()).name == "connection_lost"
        browser.writer.close()


async def test_a_reset_is_a_lost_connection() -> None:
    """A reset by the peer is told as 1006."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        await core.edge()
        sock = browser.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        browser.writer.transport.abort()

        assert (await core.reason()).code == 1006


async def test_a_peer_that_closes_but_never_reads_is_aborted() -> None:
    """The echo that nobody takes does not keep the connection beyond `close_timeout`."""
    core = Recorder()
    async with serving(core, options=BRISK) as served:
        browser = await unread(served.port)
        edge = await core.edge()
        edge.write(WEBSOCKET.encode(bytes(HUGE)))
        browser.sendall(close(1000))

        assert await core.reason() == CloseReason(1000, "peer_closed")
        browser.close()


# The core closes.


async def test_goodbye_and_the_peer_answers() -> None:
    """The farewell goes out last; the answer ends TCP; the reason is the core's."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        edge = await core.edge()
        edge.write(WEBSOCKET.encode("last words"))
        edge.write(edge.goodbye(3501, "logged out"))

        assert await browser.frame() == (0x81, b"last words")
        assert await browser.close_frame() == (3501, "logged out")
        browser.send(text("too late") + close(3501))
        assert await browser.rest() == b""
        assert await core.reason() == REVOKED.reason("logged out")
        assert core.messages == []
        browser.writer.close()


async def test_goodbye_to_a_peer_that_does_not_answer() -> None:
    """Without an answer the connection is aborted after `close_timeout`, with the same reason."""
    core = Recorder()
    async with serving(core, options=BRISK) as served:
        browser = await served.open()
        edge = await core.edge()
        edge.write(edge.goodbye(1012, ""))

        assert await browser.close_frame() == (1012, "")
        assert await browser.rest() == b""
        assert (await core.reason()).name == "stopping"
        browser.writer.close()


async def test_goodbye_while_reading_is_paused() -> None:
    """The answer is seen although the core had stopped reading."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        edge = await core.edge()
        edge.pause_reading()
        edge.write(edge.goodbye(1000, ""))
        browser.send(close(1000))

        assert await core.reason() == CloseReason(1000, "closed")
        browser.writer.close()


async def test_goodbyes_that_cross() -> None:
    """If both sides close at once the first reason stays, and nothing is sent twice."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        edge = await core.edge()
        farewell = edge.goodbye(4000, "ours")
        edge.write(farewell)
        again = edge.goodbye(4001, "again")
        edge.abort(SLOW.reason())

        assert again == b""
        assert farewell == b"\x88\x06\x0f\xa0ours"
        assert await core.reason() == CloseReason(4000, "application", "ours")
        browser.writer.close()


async def test_goodbye_checks_before_it_acts() -> None:
    """A code or reason that cannot be sent leaves the connection open."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        edge = await core.edge()
        with pytest.raises(ValueError, match="1006 cannot be sent"):
            edge.goodbye(1006, "")
        with pytest.raises(ValueError, match="124 bytes"):
            edge.goodbye(1000, "x" * 124)
        edge.write(WEBSOCKET.encode("open"))

        assert await browser.frame() == (0x81, b"open")
        browser.writer.close()


async def test_abort_is_told_later_and_once() -> None:
    """`lost` comes in a later turn of the loop, with the first reason; the end silences all."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        edge = await core.edge()
        edge.abort(SLOW.reason("2 MiB wait"))
        told_at_once = list(core.told)
        edge.abort(REVOKED.reason())
        use(edge)
        reason = await core.reason()
        use(edge)
        await browser.rest()

        assert told_at_once == ["opened"]
        assert reason == SLOW.reason("2 MiB wait")
        assert core.told == ["opened", "lost"]
        assert edge.connection is None
        browser.writer.close()


def use(edge: Edge) -> None:
    """Call everything that a core may still call after the end."""
    edge.write(WEBSOCKET.encode("x"))
    edge.pause_reading()
    edge.resume_reading()
    edge.abort(REVOKED.reason())
    assert edge.goodbye(1000, "") == b""


@pytest.mark.parametrize("how", ["abort", "goodbye"])
async def test_a_core_that_closes_in_received(how: str) -> None:
    """What follows in the same read is not told any more."""

    def end(edge: Edge, _: str | bytes) -> None:
        if how == "abort":
            edge.abort(REVOKED.reason())
        else:
            edge.write(edge.goodbye(3501, ""))

    core = Recorder(on_received=end)
    async with serving(core) as served:
        browser = await served.open()
        browser.send(text("one") + text("two") + close(1000))
        await core.reason()

        assert core.messages == ["one"]
        assert core.reasons == [REVOKED.reason()]
        browser.writer.close()


# Broken rules.


@pytest.mark.parametrize(
    ("sent", "code", "name"),
    [
        (frame(0x1, b"x", key=None), 1002, "protocol_error"),
        (frame(0x1, b"\xff"), 1007, "invalid_text"),
        (frame(0x2, bytes(MIB + 1)), 1009, "message_too_big"),
    ],
)
async def test_a_violation_is_named_to_both_sides(sent: bytes, code: int, name: str) -> None:
    """The browser reads a Close with code and text even while it still sends; the core is told."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        browser.send(text("good") + sent + text("never"))
        got, said = await browser.close_frame()

        assert got == code
        assert said
        assert await browser.rest() == b""
        browser.writer.close()
        assert await core.reason() == CloseReason(code, name, said)
        assert core.messages == ["good"]


async def test_a_violator_that_stays_is_aborted() -> None:
    """A peer that goes on sending after a violation is dropped after `close_timeout`."""
    core = Recorder()
    async with serving(core, options=BRISK) as served:
        browser = await served.open()
        browser.send(frame(0x3))

        assert (await browser.close_frame())[0] == 1002
        assert (await core.reason()).code == 1002
        browser.writer.close()


@pytest.mark.parametrize("sent", [frame(0x3), frame(0x8, b"")], ids=["violation", "close"])
async def test_an_end_that_the_client_brings_is_told_at_once(sent: bytes) -> None:
    """The core learns that nothing reaches the client before its socket is gone, and once."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        edge = await core.edge()
        browser.send(sent)

        await core.until(lambda: bool(core.ending_edges))
        assert core.ending_edges == [edge]
        browser.writer.close()
        await core.reason()
        assert core.ending_edges == [edge]


async def test_an_end_that_the_core_began_is_not_told_to_it() -> None:
    """After a goodbye the core knows; the client's answer is no news."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        edge = await core.edge()
        edge.write(edge.goodbye(1000, ""))
        browser.send(frame(0x8, b"\x03\xe8"))

        await core.reason()
        assert core.ending_edges == []
        browser.writer.close()


async def test_a_violation_after_goodbye_ends_at_once() -> None:
    """While closing, a broken rule ends TCP and the core's reason stays."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open()
        edge = await core.edge()
        edge.write(edge.goodbye(1000, ""))
        browser.send(frame(0x3))

        assert await core.reason() == CloseReason(1000, "closed")
        browser.writer.close()


# Pings.


async def test_pings_of_one_read_get_one_pong() -> None:
    """Only the newest Ping is answered (RFC 6455 5.5.3)."""
    core = Recorder()
    async with serving(core) as served:
        browser = await served.open(after=frame(0x9, b"1") + frame(0x9, b"2") + frame(0x9, b"3"))

        assert await browser.frame() == (0x8A, b"3")
        browser.writer.close()


async def test_a_silent_client_is_given_up() -> None:
    """Nothing heard for `ping_timeout` after a Ping is 3001."""
    core = Recorder()
    async with serving(core, options=PINGING) as served:
        browser = await served.open()

        assert await browser.frame() == (0x89, b"")
        assert (await core.reason()).name == "ping_timeout"
        await browser.rest()
        browser.writer.close()


@pytest.mark.parametrize(
    "signs", [[frame(0xA)], [text("x")], [frame(0xA)[:1], frame(0xA)[1:]]], ids=repr
)
async def test_any_byte_is_a_sign_of_life(signs: list[bytes]) -> None:
    """A Pong, a message or half a frame after each Ping keeps the connection."""
    core = Recorder()
    async with serving(core, options=PINGING) as served:
        browser, silent = await served.open(), await served.open()
        for sign in signs * 3:
            assert await browser.frame() == (0x89, b"")
            browser.send(sign)
        await silent.rest()  # this one was given up, so the time has passed
        lost = len(core.reasons)
        browser.send(text("still here"))
        await core.until(lambda: "still here" in core.messages)

        assert lost == 1
        browser.writer.close()
        silent.writer.close()


async def test_messages_with_the_pings() -> None:
    """`keepalive.on_interval` lets the core send its own message with each Ping."""
    core = Recorder()
    async with serving(core, options=PINGING) as served:
        served.server.keepalive.on_interval = lambda edge: edge.write(WEBSOCKET.encode("tick"))
        browser = await served.open()

        assert await browser.frame() == (0x89, b"")
        assert await browser.frame() == (0x81, b"tick")
        browser.writer.close()


async def test_a_client_that_is_not_read_from_is_not_blamed() -> None:
    """While the core has paused reading nobody is given up for silence."""
    core = Recorder()
    async with serving(core, options=PINGING) as served:
        browser = await served.open()
        edge = await core.edge()
        edge.pause_reading()
        others = await served.open()
        await others.rest()  # this one was given up, so the time has passed
        lost = list(core.reasons)
        edge.resume_reading()

        assert len(lost) == 1
        assert not edge.silent()  # type: ignore[attr-defined]
        browser.writer.close()
        others.writer.close()


async def test_a_client_that_is_not_read_from_is_pinged() -> None:
    """A proxy must see that the connection is used; a client that has gone is found out."""
    core = Recorder()
    async with serving(core, options=PINGING) as served:
        browser = await served.open()
        edge = await core.edge()
        edge.pause_reading()

        assert await browser.frame() == (0x89, b"")
        browser.writer.transport.abort()
        assert (await core.reason()).name == "connection_lost"


# Backpressure.


async def unread(port: int) -> socket.socket:
    """Return a client that completed its handshake and reads nothing more."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", port))
    await loop.sock_sendall(sock, request())
    return sock


async def drained(sock: socket.socket, end: bytes) -> bytes:
    """Read until `end` comes; what came last is returned."""
    loop, data = asyncio.get_running_loop(), b""
    while not data.endswith(end):
        chunk = await loop.sock_recv(sock, MIB)
        assert chunk
        data = data[-len(end) :] + chunk
    return data


async def test_write_paused_and_resumed_are_told() -> None:
    """As soon as the kernel takes no more the core is told, and again when all is gone."""
    core = Recorder()
    async with serving(core) as served:
        sock = await unread(served.port)
        edge = await core.edge()
        edge.write(WEBSOCKET.encode(bytes(HUGE)))
        told = list(core.told)
        edge.write(WEBSOCKET.encode("end"))
        await drained(sock, b"end")
        await core.until(lambda: "write_resumed" in core.told)

        assert told == ["opened", "write_paused"]
        assert core.told == ["opened", "write_paused", "write_resumed"]
        sock.close()


async def test_a_ping_flood_without_reading_leaves_one_pong() -> None:
    """While writing is paused only the newest Ping is kept, and answered when writing resumes."""
    core = Recorder()
    async with serving(core) as served:
        sock = await unread(served.port)
        edge = await core.edge()
        edge.write(WEBSOCKET.encode(bytes(HUGE)))
        loop = asyncio.get_running_loop()
        for number in range(200):
            await loop.sock_sendall(sock, frame(0x9, b"%d" % number))
        await loop.sock_sendall(sock, text("done"))
        await core.until(lambda: bool(core.messages))
        waiting = edge._transport.get_write_buffer_size()  # type: ignore[attr-defined]
        kept = edge.record()["pong"]
        data = await drained(sock, b"\x8a\x03199")

        assert kept == b"199"
        assert waiting < HUGE
        assert data.count(b"\x8a\x03") == 1
        sock.close()


async def test_a_client_that_takes_nothing_is_given_up() -> None:
    """Unsent bytes of which none left during `ping_timeout` are silence too."""
    core = Recorder()
    async with serving(core, options=PINGING) as served:
        sock = await unread(served.port)
        edge = await core.edge()
        edge.write(WEBSOCKET.encode(bytes(HUGE)))

        assert (await core.reason()).name == "ping_timeout"
        sock.close()


async def test_paused_reading_holds_messages_back() -> None:
    """Between pause and resume nothing is received; afterwards everything, in order."""
    core = Recorder()
    async with serving(core) as served:
        browser, other = await served.open(), await served.open()
        edge = await core.edge()
        edge.pause_reading()
        edge.pause_reading()
        browser.send(text("held"))
        await browser.writer.drain()
        other.send(text("passes"))
        await core.until(lambda: bool(core.messages))
        before = list(core.messages)
        edge.resume_reading()
        await core.until(lambda: len(core.messages) == 2)

        assert before == ["passes"]
        assert core.messages == ["passes", "held"]
        for one in (browser, other):
            one.writer.close()


async def test_a_core_may_stop_reading_before_the_first_message() -> None:
    """What the client sent along with its handshake is kept as bytes until it is read from."""
    core = Recorder(on_opened=lambda edge: edge.pause_reading())
    async with serving(core) as served:
        browser = await served.open(after=text("eager"))
        edge = await core.edge()
        kept = edge.record()["unread"]
        before = list(core.messages)
        edge.resume_reading()
        browser.send(text("next"))
        await core.until(lambda: len(core.messages) == 2)

        assert (kept, before) == (text("eager"), [])
        assert core.messages == ["eager", "next"]
        browser.writer.close()


async def test_a_core_that_stops_reading_among_many_messages() -> None:
    """What the same read brought besides is kept as bytes; it follows in order, before what is newer."""
    core = Recorder()
    core.on_received = lambda edge, _: edge.pause_reading()
    async with serving(core) as served:
        browser = await served.open()
        edge = await core.edge()
        sent = [str(number) for number in range(10_000)]
        edge.data_received(b"".join(map(text, sent)))  # type: ignore[attr-defined]
        at_once = len(core.messages)
        kept = len(edge.record()["unread"])  # type: ignore[arg-type]
        edge.resume_reading()
        told_from_within = len(core.messages) - at_once
        await core.until(lambda: len(core.messages) > at_once)
        in_its_turn = len(core.messages) - at_once
        core.on_received = None
        browser.send(text("newer"))
        edge.resume_reading()
        await core.until(lambda: core.messages[-1] == "newer")

        assert at_once < 1000
        assert kept == len(b"".join(map(text, sent))) - SLICE
        assert told_from_within == 0
        assert 0 < in_its_turn < 1000
        assert core.messages == [*sent, "newer"]
        browser.writer.close()


async def test_a_goodbye_among_many_messages() -> None:
    """The client's answer is seen behind what was kept, and none of that is told any more."""
    core = Recorder()
    core.on_received = lambda edge, _: edge.pause_reading()
    async with serving(core) as served:
        browser = await served.open()
        edge = await core.edge()
        edge.data_received(text("many") * 10_000)  # type: ignore[attr-defined]
        told = len(core.messages)
        edge.write(edge.goodbye(1000, ""))
        browser.send(close(1000))

        assert await core.reason() == CloseReason(1000, "closed")
        assert len(core.messages) == told
        browser.writer.close()


# What can be seen.


async def test_record_is_plain_and_complete() -> None:
    """The protocol state of a connection is plain values, half a message included."""
    core = Recorder()
    async with serving(core) as served:
        browser: Browser = await served.open()
        edge = await core.edge()
        browser.send(text("x") + frame(0x1, b"Hel", fin=False) + b"\x80")
        await core.until(lambda: bool(core.messages))

        assert edge.record() == {
            "encoding": "websocket",
            "state": "open",
            "reading": True,
            "unread": b"",
            "write_paused": False,
            "pong": None,
            "partial": b"\x80",
            "fragments": b"Hel",
            "fragments_are_text": True,
        }
        assert repr(edge) == "<WebSocketEdge OPEN reason=None>"
        browser.writer.close()
