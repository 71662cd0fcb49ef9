"""Tests of what stands against accepting."""

from __future__ import annotations

import errno
import resource

import pytest

from gateway.edge.options import EdgeOptions
from gateway.edge.server import FD_RESERVE, EdgeServer, Obstacle, connection_limit
from tests.gateway.edge.support import QUICK, Recorder, bound, request, serving


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


async def test_exhausted_descriptors_are_tried_again() -> None:
    """After EMFILE accepting pauses until the next tick instead of spinning."""
    core = Recorder()
    async with serving(core, options=EdgeOptions(tick=QUICK)) as served:
        served.server.exhausted(OSError(errno.EMFILE, "too many open files"))
        browser = await served.connect(request())

        assert (await browser.head()).startswith("HTTP/1.1 101 ")
        assert served.server.counters.accept_pauses == 1
        browser.writer.close()


async def test_counters_show_what_is_there() -> None:
    """Sockets and connections are differences of plain counters."""
    core = Recorder()
    async with serving(core) as served:
        browser, half = await served.open(), await served.connect(b"GET ")
        await served.open()
        counters = served.server.counters

        assert repr(counters) == "<EdgeCounters sockets=3 connections=2>"
        browser.writer.close()
        half.writer.close()
        await core.reason()
        assert counters.connections == 1
