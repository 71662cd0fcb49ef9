"""Tests of what connections share."""

from __future__ import annotations

import pytest

from gateway.edge.context import AcceptedProtocol, EdgeContext, EdgeCounters, Origin
from gateway.edge.options import EdgeOptions
from gateway.edge.proxies import TrustedProxies
from gateway.edge.ticker import Ticker
from tests.gateway.edge.support import Recorder, serving, turns_until


@pytest.fixture
def released() -> list[bool]:
    """One entry for each socket that is gone."""
    return []


@pytest.fixture
def ticker() -> Ticker:
    """A timer that is turned by nobody."""
    return Ticker()


@pytest.fixture
def context(ticker: Ticker, released: list[bool]) -> EdgeContext:
    """What a process's connections share."""
    return EdgeContext(Recorder(), EdgeOptions(), ticker, lambda: released.append(True))


def test_counters_begin_at_zero() -> None:
    """What is there is the difference of what came and what went."""
    counters = EdgeCounters()
    counters.accepted, counters.released = 5, 2
    counters.opened, counters.lost = 3, 1

    assert (counters.sockets, counters.connections) == (3, 2)
    assert repr(counters) == "<EdgeCounters sockets=3 connections=2>"


def test_a_failed_socket_is_counted_and_released(
    context: EdgeContext, released: list[bool]
) -> None:
    """A protocol that never became a connection is one failure and one socket less."""
    protocol = AcceptedProtocol(context, Origin("public", TrustedProxies()), ("203.0.113.7", 5))
    protocol.failed("tls")

    assert context.counters.handshakes_failed == {"tls": 1}
    assert released == [True]
    assert repr(protocol) == "<AcceptedProtocol 203.0.113.7:5 on public>"


def test_deadlines_call_what_is_overdue(context: EdgeContext) -> None:
    """Handshakes and closings end what they hold when its time has come."""

    class Late:
        def __init__(self) -> None:
            self.calls = 0

        def overdue(self) -> None:
            self.calls += 1

    handshake, closing = Late(), Late()
    context.handshakes.add(handshake)
    context.closings.add(closing)
    for _ in range(11):
        context.handshakes.turn()
        context.closings.turn()

    assert (handshake.calls, closing.calls) == (1, 1)


async def test_no_deadline_keeps_what_has_finished() -> None:
    """A handshake is forgotten when it is done or has failed, a connection when it is closed."""
    core = Recorder()
    async with serving(core) as served:
        context = served.server._context
        browser = await served.open()

        assert len(context.handshakes) == 0

        (await core.edge()).goodbye(1000, "")
        stranger = await served.connect(b"GET")
        await turns_until(lambda: len(context.handshakes) == len(context.closings) == 1)
        browser.writer.close()
        stranger.writer.close()
        await turns_until(lambda: not len(context.handshakes) + len(context.closings))
        await core.reason()


def test_the_ticker_turns_wheel_and_deadlines(context: EdgeContext, ticker: Ticker) -> None:
    """Everything that waits for a time hangs on the one timer."""
    assert repr(ticker) == "<Ticker stopped period=1.0 turning=3>"
    assert repr(context.keepalive).startswith("<KeepAlive slots=25 ")
