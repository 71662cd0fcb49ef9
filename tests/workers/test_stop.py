"""Handlers that do not end, for the loop and for the stop; and stops that finish what has begun."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from businessworker.runner import BLOCKED
from gateway_process.errors import ExitCode
from tests.support.cluster import Browser, browse, gateway, register
from tests.support.daemons import Daemon
from tests.support.waiting import PATIENCE, eventually
from tests.support.workers import Journal, metric, settled_events, time_passes, worker

STOP_TIMEOUT = 3.0
"""Seconds; short, as the handlers here use all of it."""
MARGIN = 3.0
"""Seconds beyond it in which a process has ended on a busy machine."""


class Stage(NamedTuple):
    """A gateway and its worker."""

    door: Daemon
    serving: Daemon
    journal: Journal
    browse: Callable[[], Browser]


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Start a cluster with the application that the test names."""
    journal = Journal(tmp_path)
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        door = stack.enter_context(gateway(directory))
        serving = worker(
            directory,
            request.param,
            f"--stop-timeout={STOP_TIMEOUT}",
            environment=journal.environment,
        )
        stack.enter_context(serving)
        eventually(lambda: metric(door, "workers") == 1)
        yield Stage(door, serving, journal, lambda: stack.enter_context(browse(door.ready.ws)))


@pytest.mark.parametrize("stage", ["stubborn"], indirect=True)
def test_a_handler_that_blocks_the_loop_is_named_and_nothing_is_lost(stage: Stage) -> None:
    """Everybody waits for it, and the log says so; then all that waited is handled in order."""
    one, other = stage.browse(), stage.browse()
    latch = stage.journal.latch("latch")
    one.socket.send(f"block {latch}")
    stage.journal.wait("block")
    for number in range(100):
        one.socket.send(str(number))
        other.socket.send(str(number))
    time_passes(1.5 * BLOCKED)
    assert metric(stage.door, "workers") == 1
    stage.journal.let_go(latch)
    assert one.text() == f"block {latch}"
    for browser in (one, other):
        assert [browser.text() for _ in range(100)] == [str(number) for number in range(100)]
    assert settled_events(stage.door).lost == 0
    log = eventually(lambda: "kept the event loop" in stage.serving.stderr and stage.serving.stderr)
    assert "on_message of tests.workers.apps.stubborn kept the event loop" in str(log)


STUBBORN = [
    pytest.param("stubborn", "wait", "on_message of tests.workers.apps.stubborn", id="async"),
    pytest.param("stubborn", "refuse", "on_message of tests.workers.apps.stubborn", id="refusing"),
    pytest.param("stubborn:Blocking", "stand", "stubborn:Blocking", id="def"),
]


@pytest.mark.parametrize(("stage", "word", "place"), STUBBORN, indirect=["stage"])
def test_a_handler_that_never_ends_is_cut_off_at_a_stop(
    stage: Stage, word: str, place: str
) -> None:
    """In time, with exit code 1 and an error that names it and its client; the event is lost."""
    browser = stage.browse()
    settled_events(stage.door)
    browser.socket.send(f"{word} {stage.journal.latch('never')}")
    stage.journal.wait(word)
    begin = time.monotonic()
    stage.serving.stop(code=ExitCode.FAILED)
    assert time.monotonic() - begin < STOP_TIMEOUT + MARGIN
    log = stage.serving.stderr
    assert "handlers did not end in time, their events are lost" in log
    assert place in log
    assert f"for client {browser.client_id}, running for" in log
    lost = settled_events(stage.door).lost
    assert lost == (0 if word == "wait" else 1)


@pytest.mark.parametrize("stage", ["stubborn:Blocking"], indirect=True)
def test_a_stop_finishes_what_has_begun(stage: Stage) -> None:
    """The events in hand, then on_worker_stop; and the exit code is 0."""
    browser = stage.browse()
    latch = stage.journal.latch("latch")
    browser.socket.send(f"stand {latch}")
    browser.socket.send("behind")
    stage.journal.wait("stand")
    eventually(lambda: metric(stage.door, "events_unacknowledged") == 2)
    stage.serving.send_signal(signal.SIGTERM)
    eventually(lambda: "stopping" in stage.serving.stderr)
    stage.journal.let_go(latch)
    assert stage.serving.wait(PATIENCE) == ExitCode.OK
    assert [browser.text(), browser.text()] == [f"stand {latch}", "behind"]
    assert settled_events(stage.door).lost == 0
    (note,) = stage.journal.notes("on_worker_stop")
    assert (note["name"], note["id"]) == ("businessworker", 0)
