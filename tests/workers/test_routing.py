"""Which worker a browser gets, and what becomes of its messages while there is none."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from websockets.sync.client import connect

from gateway.holding import HOLD_BYTES, HOLD_TIME
from tests.support.cluster import (
    Browser,
    browse,
    close_code,
    gateway,
    get_json,
    register,
)
from tests.support.daemons import Daemon
from tests.support.waiting import PATIENCE, eventually
from tests.support.workers import events_of, metric, settled_events, worker

Start = Callable[..., tuple[Daemon, Daemon]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a register, and a gateway with these flags."""
    with ExitStack() as stack:

        def start(*flags: str) -> tuple[Daemon, Daemon]:
            directory = stack.enter_context(register())
            return directory, stack.enter_context(gateway(directory, *flags))

        yield start


def taken(running: Daemon, workers: int = 1) -> None:
    """Wait until a gateway has so many worker processes."""
    eventually(lambda: metric(running, "workers") == workers)


def answered_by(browser: Browser) -> str:
    """Give the process that handles a browser's messages."""
    browser.socket.send("hello")
    text, _, pid = str(browser.text()).partition(" from ")
    assert text == "hello"
    return pid


@pytest.mark.parametrize("flags", [(), ("--routing=random",)], ids=["least", "random"])
def test_browsers_are_spread_and_each_stays_where_it_is(
    start: Start, flags: tuple[str, ...]
) -> None:
    """By number of browsers each process gets as many; at random each gets some."""
    directory, running = start(*flags)
    with ExitStack() as stack:
        stack.enter_context(worker(directory, "static_class:Events", "--processes=2"))
        taken(running, 2)
        browsers = [stack.enter_context(browse(running.ready.ws)) for _ in range(24)]
        first = [answered_by(each) for each in browsers]
        assert [answered_by(each) for each in browsers] == first
        shares = sorted(first.count(pid) for pid in set(first))
        assert len(shares) == 2  # at random all are at one once in eight million times
        assert flags or shares == [12, 12]


def test_a_gateway_that_requires_a_worker_turns_browsers_away_without(start: Start) -> None:
    """1013 and not ready: at first, and again after the worker has gone."""
    directory, running = start("--require-worker")

    def turned_away() -> bool:
        with connect(running.ready.ws, proxy=None) as socket:
            return close_code(Browser(socket, "not even an id")) == 1013

    with pytest.raises(OSError, match="503"):
        get_json(running.ready.http, "/readyz")
    assert turned_away()
    with worker(directory, "echo") as serving:
        taken(running)
        assert get_json(running.ready.http, "/readyz")["status"] == "ready"
        with browse(running.ready.ws) as browser:
            browser.socket.send("hello")
            assert browser.text() == "hello"
        serving.stop()
    eventually(turned_away)


def test_a_gateway_that_never_had_a_worker_only_pushes(start: Start) -> None:
    """What browsers send is counted and thrown away; it is no event, nor are they when one comes."""
    directory, running = start()
    with browse(running.ready.ws) as browser:
        for _ in range(3):
            browser.socket.send("for nobody")
        eventually(lambda: metric(running, "messages_discarded_total") == 3)
        assert events_of(running).entered == 0
        with worker(directory, "echo"):
            taken(running)
            browser.socket.send("for somebody")
            assert browser.text() == "for somebody"
            assert settled_events(running)[:3] == (1, 1, 0)


def test_messages_wait_for_a_worker_that_is_restarted(start: Start) -> None:
    """What comes meanwhile is handled in order, what does not fit is lost and counted."""
    directory, running = start()
    with ExitStack() as stack:
        serving = stack.enter_context(worker(directory, "echo"))
        taken(running)
        browser = stack.enter_context(browse(running.ready.ws))
        full = stack.enter_context(browse(running.ready.ws))
        serving.stop()
        for number in range(10):
            browser.socket.send(str(number))
        for number in range(5):
            full.socket.send(str(number) * (HOLD_BYTES // 4))
        eventually(lambda: events_of(running).held >= 10 + 3)
        back = stack.enter_context(worker(directory, "echo"))
        assert [browser.text() for _ in range(10)] == [str(number) for number in range(10)]
        assert [str(full.text())[0] for _ in range(3)] == ["0", "1", "2"]
        settled = settled_events(running)
        assert settled.lost == 2
        assert lost(running, "hold_full") == 2
        back.stop()


def test_messages_do_not_wait_for_ever(start: Start) -> None:
    """After 5 s they are lost and counted; the browser stays, or goes where a worker is required."""
    directory, running = start()
    with ExitStack() as stack:
        strict = stack.enter_context(gateway(directory, "--require-worker"))
        with worker(directory, "echo") as serving:
            taken(running)
            taken(strict)
            browser, other = (
                stack.enter_context(browse(each.ready.ws)) for each in (running, strict)
            )
            serving.stop()
        browser.socket.send("nobody came")
        other.socket.send("nobody came")
        eventually(lambda: events_of(running).held == 1)
        eventually(lambda: events_of(running).lost == 1, timeout=HOLD_TIME + PATIENCE)
        assert lost(running, "no_worker") == 1
        assert close_code(other) == 1013
        with worker(directory, "echo"):
            browser.socket.send("somebody came")
            assert browser.text() == "somebody came"


def lost(running: Daemon, reason: str) -> int:
    """Give how many events were lost for one reason."""
    return metric(running, f'events_lost_total{{reason="{reason}"}}')
