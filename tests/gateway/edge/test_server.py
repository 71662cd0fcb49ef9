"""Tests of what stands against accepting."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.edge.options import EdgeOptions
from gateway.edge.server import FD_RESERVE, EdgeServer, Obstacle, connection_limit
from tests.gateway.edge.support import QUICK, Recorder, bound, serving, turns_until


@pytest.fixture
def soft_limit() -> int:
    """This process's limit of open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        pytest.skip("the limit of open files is infinite here")
    return soft


def test_limit_comes_from_the_descriptors(soft_limit: int) -> None:
    """Without a setting the descriptors less the reserve are the limit."""
    assert connection_limit(0) == soft_limit - FD_RESERVE


def test_a_setting_above_the_descriptors_is_cut(soft_limit: int) -> None:
    """The smaller of setting and descriptors counts."""
    assert connection_limit(soft_limit) == soft_limit - FD_RESERVE
    assert connection_limit(7) == 7


async def test_nothing_is_accepted_before_start() -> None:
    """Listeners may be added first; `start` opens all of them at once."""
    server = EdgeServer(Recorder(), EdgeOptions())
    listener = server.add_listener("public", [bound()])
    before = server.obstacles, repr(listener)
    server.start()
    after = server.obstacles
    server.close()

    assert before[0] is Obstacle.NOT_STARTED
    assert " paused " in before[1]
    assert after is Obstacle.NONE
    assert server.obstacles is Obstacle.STOPPED


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Leave this process without a free descriptor."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_without_descriptors_accepting_waits_for_the_next_tick(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At EMFILE accepting pauses instead of spinning, says so, and nobody is turned away."""
    async with serving(options=EdgeOptions(tick=QUICK)) as served:
        counters = served.server.counters
        with socket.create_connection((served.host, served.port)), no_descriptors():
            await turns_until(lambda: bool(counters.accept_pauses))
            paused = served.server.obstacles
            await turns_until(lambda: counters.accept_pauses > 1)  # the tick tries again
        accepted_without = counters.accepted
        await turns_until(lambda: counters.accepted == 1)

        assert accepted_without == 0
        assert paused is Obstacle.EXHAUSTED
        assert "[Errno 24] Too many open files; raise" in caplog.text


async def test_counters_show_what_is_there() -> None:
    """Sockets and connections are differences of plain counters."""
    core = Recorder()
    async with serving(core) as served:
        browser, stays = await served.open(), await served.open()
        half = await served.connect(b"GET ")
        await turns_until(lambda: served.server.counters.sockets == 3)
        counters = served.server.counters

        assert repr(counters) == "<EdgeCounters sockets=3 connections=2>"
        browser.writer.close()
        half.writer.close()
        await turns_until(lambda: counters.sockets == 1)
        assert counters.connections == 1
        assert counters.handshakes_failed == {"lost": 1}
        stays.writer.close()
