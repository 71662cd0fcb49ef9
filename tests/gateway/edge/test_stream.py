"""Clients on plain TCP and over TLS, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.edge.connected import SLICE
from gateway.edge.interface import Edge
from gateway.edge.options import EdgeOptions
from gateway.edge.server import EdgeServer
from gateway.edge.speech import FRAMING, Speech
from gateway.edge.stream import StreamEdge, keep_alive, speaking
from gateway.edge.text import Text
from gateway_wire.close_codes import CLOSED, PING_TIMEOUT, REVOKED
from tests.gateway.edge.protocols import Colons, Counting, Faulty, NeverMade
from tests.gateway.edge.support import QUICK, Browser, Recorder, serving, turns_until

BRISK = EdgeOptions(close_timeout=2 * QUICK, tick=QUICK)
LARGE = 16 * 1024 * 1024
"""Above what the kernel takes for a client that does not read."""


@pytest.fixture(params=[False, True], ids=["tcp", "tls"])
def secure(request: pytest.FixtureRequest) -> bool:
    """Each test that asks for it runs on plain TCP and over TLS."""
    return bool(request.param)


@dataclass
class On:
    """A connection seen from all sides."""

    core: Recorder
    edge: Any
    device: Browser
    server: EdgeServer


Security = tuple[ssl.SSLContext | None, ssl.SSLContext | None]


@pytest.fixture
def security(secure: bool, tls: ssl.SSLContext, trusting: ssl.SSLContext) -> Security:
    """Give both sides' contexts."""
    return (tls, trusting) if secure else (None, None)


@asynccontextmanager
async def connected(
    protocol: type = Text,
    security: Security = (None, None),
    *,
    core: Recorder | None = None,
    options: EdgeOptions | None = None,
    max_message: int = 1024 * 1024,
) -> AsyncIterator[On]:
    """Connect a device that speaks a protocol."""
    core = core or Recorder()
    speaks = speaking(Speech("spoken", protocol, max_message))
    async with serving(core, tls=security[0], speaks=speaks, options=options) as served:
        reader, writer = await asyncio.open_connection("localhost", served.port, ssl=security[1])
        try:
            edge = await core.edge()
            yield On(core, edge, Browser(reader, writer), served.server)
        finally:
            writer.transport.abort()
            await turns_until(lambda: not served.server.counters.sockets)


def told(core: Recorder) -> list[str]:
    """Give what the core was told, but for the room in the transport."""
    return [each for each in core.told if not each.startswith("write_")]


async def test_a_device_is_connected_before_it_says_anything(security: Security) -> None:
    """A silent one is legal; there is no request, but an address and a listener."""
    async with connected(security=security) as on:
        (request,) = on.core.requests
        assert (request.path, request.query, request.headers) == ("", "", {})
        assert (request.websocket, request.listener) == (False, "public")
        host, port = on.device.writer.get_extra_info("sockname")
        assert (request.remote_addr, request.remote_port) == (host, port)
        assert on.edge.encoding.name == "spoken"
        assert (on.server.counters.opened, len(on.server.counters.handshakes_failed)) == (1, 0)


async def test_messages_in_both_directions(security: Security) -> None:
    """What one read brings, and what is written together, comes in order."""
    core = Recorder(on_received=lambda edge, m: edge.write(edge.encoding.encode(m)))
    async with connected(security=security, core=core) as on:
        on.device.send(b"one\ntw")
        on.device.send(b"o\nthree\n")
        assert await on.device.receive(14) == b"one\ntwo\nthree\n"
        assert core.messages == ["one", "two", "three"]


async def test_a_device_that_ends_its_stream_has_closed(security: Security) -> None:
    """Its last line counts; what it left unfinished does not."""
    async with connected(security=security) as on:
        on.device.send(b"last\nhalf")
        on.device.writer.close()
        reason = await on.core.reason()
        assert (reason.code, reason.name) == (1005, "peer_closed")
        assert told(on.core) == ["opened", "received", "lost"]
        assert on.core.ending_edges == [on.edge]


async def test_a_device_that_only_stops_sending_is_closed_too() -> None:
    """Half a connection is none: what it would still be sent is not waited for."""
    async with connected() as on:
        on.device.writer.write_eof()
        assert await on.device.rest() == b""
        assert (await on.core.reason()).code == 1005


async def test_a_device_that_is_reset_is_lost() -> None:
    """A cable that is pulled has another code than a goodbye."""
    async with connected() as on:
        sock = on.device.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        on.device.writer.transport.abort()
        assert (await on.core.reason()).code == 1006


async def test_closing_gives_everything_first(security: Security) -> None:
    """The farewell is last, then the stream ends; the device closes, and `lost` has our reason."""
    async with connected(Colons, security) as on:
        data = on.edge.encoding.encode("x" * LARGE)
        on.edge.write(data)
        assert on.core.told[-1] == "write_paused"
        farewell = on.edge.goodbye(3501, "out")
        assert (farewell, on.edge.goodbye(1000, "")) == (b"!3501 out", b"")

        assert await on.device.receive(len(data)) == data
        await on.core.until(lambda: on.core.told[-1] == "write_resumed")
        on.edge.write(farewell)
        on.edge.finish()
        on.edge.finish()
        on.device.send(b"late:")

        assert await on.device.rest() == farewell
        on.device.writer.close()
        assert await on.core.reason() == REVOKED.reason("out")
        assert "received" not in on.core.told


async def test_a_device_that_does_not_close_is_cut(security: Security) -> None:
    """Its own end is waited for only so long; also if it was not given everything by then."""
    async with connected(security=security, options=BRISK) as on:
        on.edge.goodbye(1000, "")
        assert await on.core.reason() == CLOSED.reason()
        on.edge.finish()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("protocol", "sent", "code"),
    [
        (Text, b"good\n\xff\n", 1007),
        (Text, b"good\n" + b"x" * 2000, 1009),
        (Faulty, b".r.", 1002),
        (Faulty, b".p.", 4002),
    ],
)
async def test_who_breaks_a_rule_is_closed(
    security: Security, protocol: type, sent: bytes, code: int
) -> None:
    """What came before counts, nothing after it, and the device may read to the end."""
    async with connected(protocol, security, max_message=1000) as on:
        on.device.send(sent)
        await on.core.until(lambda: bool(on.core.ending_edges))
        on.device.send(b"more\n")
        assert await on.device.rest() == b""
        on.device.writer.close()
        assert (await on.core.reason()).code == code
        assert told(on.core) == ["opened", "received", "lost"]


async def test_what_a_protocol_keeps_is_bounded(security: Security) -> None:
    """A device that never finishes a message is closed, not remembered."""
    async with connected(Counting, security, max_message=1000) as on:
        on.device.send(b"x" * (FRAMING + 1001))
        assert await on.device.rest() == b""
        on.device.writer.close()
        assert (await on.core.reason()).code == 1009


async def test_the_core_reads_no_more_than_it_wants(security: Security) -> None:
    """A flood in one read is passed on up to a slice; the rest is bytes until the core goes on."""

    def pause_at_first(edge: Edge, _: str | bytes) -> None:
        if len(core.messages) == 1:
            edge.pause_reading()

    core = Recorder(on_received=pause_at_first)
    async with connected(security=security, core=core) as on:
        on.device.send(b"a\n" * 100_000)
        await core.until(lambda: bool(core.messages))
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(core.messages) <= SLICE // 2
        on.edge.resume_reading()
        await core.until(lambda: len(core.messages) == 100_000)


async def test_a_core_that_closes_among_messages_gets_no_more(security: Security) -> None:
    """Also of those that one feed has given."""
    core = Recorder(on_received=lambda edge, _: edge.goodbye(1000, ""))
    async with connected(security=security, core=core, options=BRISK) as on:
        on.device.send(b"a\nb\nc\n")
        await core.reason()
        assert core.messages == ["a"]


async def test_a_device_that_can_be_asked_is_asked(security: Security) -> None:
    """Whatever it sends is its sign of life; silence for the timeout is its end."""
    options = EdgeOptions(ping_interval=4 * QUICK, ping_timeout=2 * QUICK, tick=QUICK)
    async with connected(Colons, security, options=options) as on:
        assert await on.device.receive(1) == b"?"
        assert await on.core.reason() == PING_TIMEOUT.reason()


async def test_a_device_that_cannot_be_asked_is_left_alone() -> None:
    """Lines have no ping: nothing is sent, and silence is legal."""
    async with connected() as on:
        on.edge.ping()
        assert not on.edge.silent()
        on.edge.write(b"first\n")
        assert await on.device.receive(6) == b"first\n"


async def test_answers_of_the_protocol_leave_at_once(security: Security) -> None:
    """The core does not hear of them."""
    async with connected(Faulty, security) as on:
        on.device.send(b"h")
        assert await on.device.receive(40_000) == b"H" * 40_000
        assert told(on.core) == ["opened"]


async def test_answers_come_between_messages(security: Security) -> None:
    """While a large message is on its way they wait, and are never in the middle of it."""
    async with connected(Faulty, security) as on:
        on.edge.write(b"m" * LARGE)
        on.device.send(b"h")
        await turns_until(lambda: bool(on.edge.record()["answers"]))
        assert await on.device.receive(LARGE) == b"m" * LARGE
        assert await on.device.receive(40_000) == b"H" * 40_000


async def test_who_does_not_read_its_answers_is_cut(security: Security) -> None:
    """What waits for it is bounded."""
    async with connected(Faulty, security) as on:
        on.edge.write(b"m" * LARGE)
        on.device.send(b"hh")
        assert (await on.core.reason()).name == "slow"


async def test_a_record_is_plain_values() -> None:
    """What is known of the connection; what a protocol of somebody's keeps is its own."""
    async with connected() as on:
        assert isinstance(on.edge, StreamEdge)
        assert on.edge.record() == {
            "encoding": "spoken",
            "state": "open",
            "reading": True,
            "unread": b"",
            "write_paused": False,
            "unfinished": 0,
            "answers": b"",
        }
        assert repr(on.edge) == "<StreamEdge OPEN reason=None>"


async def test_a_socket_without_a_protocol_is_no_connection() -> None:
    """Where somebody's class cannot be made the core hears nothing, and the next one may come."""
    NeverMade.made = 0
    core = Recorder()
    speaks = speaking(Speech("spoken", NeverMade, 1000))
    async with serving(core, speaks=speaks) as served:
        device = await served.connect()
        assert await device.rest() == b""
        device.writer.close()
        await turns_until(lambda: not served.server.counters.sockets)
        assert core.told == []
        assert dict(served.server.counters.handshakes_failed) == {"lost": 1}


def test_the_kernel_finds_devices_that_are_gone() -> None:
    """In the time in which a browser's silence would be found; without an interval it never asks."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        keep_alive(listening, 0, 20)
        assert not listening.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        keep_alive(listening, 25, 20)
        with (
            socket.create_connection(listening.getsockname()),
            listening.accept()[0] as accepted,
        ):
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            options = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
            found = [
                accepted.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in options
            ]
            assert found == [25, 7, 3, 45_000]


async def test_nothing_is_written_where_a_message_is_nothing(security: Security) -> None:
    """A protocol that has no words for a message costs its clients nothing."""
    async with connected(Faulty, security) as on:
        on.edge.write(on.edge.encoding.encode("nothing"))
        on.edge.write(b"something")
        assert await on.device.receive(9) == b"something"
        assert told(on.core) == ["opened"]


async def test_what_the_core_says_first_is_first(security: Security) -> None:
    """It leaves as soon as the device is there."""
    async with connected(security=security, core=Recorder(first=b"welcome\n")) as on:
        on.edge.write(b"then\n")
        assert await on.device.receive(13) == b"welcome\nthen\n"
