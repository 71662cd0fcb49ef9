"""What holds for every edge: the same core, served with all that is spoken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.edge.frame import Frame
from gateway.edge.handshake import Handshake
from gateway.edge.interface import Edge
from gateway.edge.options import EdgeOptions
from gateway.edge.speech import Speech
from gateway.edge.stream import speaking
from gateway.edge.text import Text
from gateway_wire.close_codes import REVOKED, SLOW
from tests.gateway.edge.line_edge import LineEdge
from tests.gateway.edge.protocols import Colons
from tests.gateway.edge.support import QUICK, Browser, Recorder, Served, serving, text

BRISK = EdgeOptions(close_timeout=2 * QUICK, tick=QUICK)


async def lines(served: Served) -> Browser:
    """Open a connection of a protocol without a handshake."""
    return await served.connect()


@dataclass
class Spoken:
    """One client protocol: how to serve, open, and write it."""

    speaks: Any
    open: Callable[[Served], Awaitable[Browser]]
    message: Callable[[str], bytes]
    encoded: Callable[[str], bytes]


WEBSOCKET = Spoken(Handshake, Served.open, text, lambda m: bytes((0x81, len(m))) + m.encode())
TEXT = Spoken(
    speaking(Speech("text", Text, 1000)),
    lines,
    lambda m: m.encode() + b"\n",
    lambda m: m.encode() + b"\n",
)
FRAME = Spoken(speaking(Speech("frame", Frame, 1000)), lines, Frame().encode, Frame().encode)
OWN = Spoken(
    speaking(Speech("own", Colons, 1000)),
    lines,
    lambda m: m.encode() + b":",
    lambda m: m.encode() + b":",
)
LINES = Spoken(LineEdge, lines, lambda m: m.encode() + b"\n", lambda m: m.encode() + b"\n")


@pytest.fixture(
    params=[WEBSOCKET, TEXT, FRAME, OWN, LINES], ids=["websocket", "text", "frame", "own", "line"]
)
def spoken(request: pytest.FixtureRequest) -> Spoken:
    """Each client protocol in turn."""
    protocol: Spoken = request.param
    return protocol


async def test_messages_in_both_directions(spoken: Spoken) -> None:
    """A core that knows no protocol echoes whatever is spoken."""
    core = Recorder(on_received=lambda edge, m: edge.write(edge.encoding.encode(m)))
    async with serving(core, speaks=spoken.speaks) as served:
        browser = await spoken.open(served)
        browser.send(spoken.message("one") + spoken.message("two"))

        expected = spoken.encoded("one") + spoken.encoded("two")
        assert await browser.receive(len(expected)) == expected
        assert core.told == ["opened", "received", "received"]
        assert [each if isinstance(each, str) else each.decode() for each in core.messages] == [
            "one",
            "two",
        ]
        browser.writer.close()


async def test_encoded_messages_may_be_joined(spoken: Spoken) -> None:
    """What `encode` gives may leave in one write, and is the same object for all."""
    core = Recorder()
    async with serving(core, speaks=spoken.speaks) as served:
        browser, other = await spoken.open(served), await spoken.open(served)
        await core.until(lambda: len(core.edges) == 2)
        encoding = core.edges[0].encoding
        core.edges[0].write(encoding.encode("one") + encoding.encode("two"))

        assert encoding is core.edges[1].encoding
        expected = spoken.encoded("one") + spoken.encoded("two")
        assert await browser.receive(len(expected)) == expected
        browser.writer.close()
        other.writer.close()


async def test_goodbye_ends_with_its_reason(spoken: Spoken) -> None:
    """After `goodbye` nothing is received, and the end comes by itself."""
    core = Recorder()
    async with serving(core, speaks=spoken.speaks, options=BRISK) as served:
        browser = await spoken.open(served)
        edge = await core.edge()
        edge.write(edge.encoding.encode("last"))
        edge.write(edge.goodbye(3501, "out"))
        browser.send(spoken.message("late"))

        assert (await browser.rest()).startswith(spoken.encoded("last"))
        assert await core.reason() == REVOKED.reason("out")
        assert core.told == ["opened", "lost"]
        browser.writer.close()


async def test_abort_is_told_in_a_later_turn(spoken: Spoken) -> None:
    """The core may abort while it walks over its connections."""
    core = Recorder()
    async with serving(core, speaks=spoken.speaks) as served:
        browser = await spoken.open(served)
        edge = await core.edge()
        edge.connection = "what the core knows"
        edge.abort(SLOW.reason())
        told = list(core.told)

        assert await core.reason() == SLOW.reason()
        assert told == ["opened"]
        browser.writer.close()


async def test_the_peer_that_leaves_is_lost_once(spoken: Spoken) -> None:
    """A peer that goes is told exactly once, with what the core knows still in its place."""
    kept: list[object] = []

    class Keeping(Recorder):
        def lost(self, edge: Edge, reason: Any) -> None:
            kept.append(edge.connection)
            super().lost(edge, reason)

    core = Keeping()
    async with serving(core, speaks=spoken.speaks) as served:
        browser = await spoken.open(served)
        (await core.edge()).connection = "mine"
        browser.writer.close()
        await core.reason()
        await asyncio.sleep(0)

        assert kept == ["mine"]
        assert core.told == ["opened", "lost"]
