"""Gateways and registers that stop, die, come back or come late, with workers at work."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.cluster import (
    Browser,
    browse,
    close_code,
    closed_address,
    gateway,
    register,
)
from tests.support.daemons import Daemon
from tests.support.waiting import eventually
from tests.support.workers import Journal, metric, settled_events, worker


class Stage(NamedTuple):
    """A register, two gateways and a worker."""

    directory: Daemon
    well: Daemon
    ill: Daemon
    serving: Daemon
    journal: Journal
    browse: Callable[[Daemon], Browser]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Start them; `ill` is the gateway to harm."""
    journal = Journal(tmp_path)
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        address = directory.ready.listen
        well, ill = gateway(address), gateway(address, "--drain=0")
        serving = worker(directory, "closing", environment=journal.environment)
        for each in (well, ill, serving):
            stack.push(each)
            each.launch()
        for each in (well, ill, serving):
            each.become_ready()
        for each in (well, ill):
            eventually(lambda: metric(each, "workers") == 1)  # noqa: B023 - asked within the round

        def open_browser(door: Daemon) -> Browser:
            return stack.enter_context(browse(door.ready.ws))

        yield Stage(directory, well, ill, serving, journal, open_browser)


def answered(browser: Browser, text: str) -> bool:
    """Whether a message comes back."""
    browser.socket.send(text)
    return browser.text() == text


def test_a_gateway_that_is_killed_costs_the_others_nothing(stage: Stage) -> None:
    """Its worker goes on with them at once, and with itself when it is back at the same place."""
    here, there = stage.browse(stage.well), stage.browse(stage.ill)
    assert answered(here, "1")
    assert answered(there, "2")
    stage.ill.kill()
    assert all(answered(here, str(number)) for number in range(100))
    stage.ill.start()
    eventually(lambda: metric(stage.ill, "workers") == 1)
    assert answered(stage.browse(stage.ill), "3")
    assert answered(here, "4")
    assert stage.journal.notes("on_close") == []  # who could have told of there?


def test_a_gateway_that_stops_has_its_last_events_handled(stage: Stage) -> None:
    """on_close with 1012 for each of its browsers, before it ends; the others stay."""
    here = stage.browse(stage.well)
    there = [stage.browse(stage.ill) for _ in range(20)]
    assert all(answered(browser, "hello") for browser in (here, *there))
    stage.ill.stop()
    closed = {
        note["client_id"]: (note["code"], note["name"]) for note in stage.journal.notes("on_close")
    }
    assert closed == {browser.client_id: (1012, "stopping") for browser in there}
    assert [close_code(browser) for browser in there] == [1012] * 20
    assert "not finished in time" not in stage.ill.stderr
    assert answered(here, "still here")


def test_workers_go_on_while_no_register_is_there(stage: Stage) -> None:
    """Browsers come, talk and go; when a register is back, new gateways are found again."""
    here = stage.browse(stage.well)
    port = stage.directory.ready.listen
    stage.directory.kill()
    assert answered(here, "without")
    late = stage.browse(stage.ill)
    assert answered(late, "without")
    late.socket.close()
    stage.journal.wait("on_close", client_id=late.client_id)
    with register(listen=port), gateway(port) as fresh:
        eventually(lambda: metric(fresh, "workers") == 1)
        assert answered(stage.browse(fresh), "with")
        assert answered(here, "with")
        assert settled_events(stage.well).lost == settled_events(stage.ill).lost == 0


def test_a_worker_may_be_started_before_everything_else(tmp_path: Path) -> None:
    """It waits for a register, says so, and is ready when the first gateway's events are its."""
    address = closed_address()
    early = worker(address, "closing", environment=Journal(tmp_path).environment)
    with ExitStack() as stack:
        stack.push(early)
        early.launch()
        eventually(lambda: f"register {address} refuses connections" in early.stderr)
        directory = stack.enter_context(register(listen=address))
        with gateway(directory) as door, browse(door.ready.ws) as browser:
            early.become_ready()
            assert answered(browser, "hello")
