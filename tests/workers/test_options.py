"""Options of a worker that no other test here needs."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.cluster import ANY, Browser, browse, gateway, get_json, register
from tests.support.daemons import Daemon
from tests.support.waiting import eventually
from tests.support.workers import Journal, metric, metrics, worker

Start = Callable[..., tuple[Daemon, Callable[[], Browser]]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a cluster with this application and these flags; give the worker, and how to browse."""
    with ExitStack() as stack:

        def start(target: str, *flags: str) -> tuple[Daemon, Callable[[], Browser]]:
            directory = stack.enter_context(register())
            door = stack.enter_context(gateway(directory))
            environment = Journal(tmp_path).environment
            serving = worker(directory, target, *flags, environment=environment)
            stack.enter_context(serving)
            eventually(lambda: metric(door, "workers") == 1)
            return serving, lambda: stack.enter_context(browse(door.ready.ws))

        yield start


def test_so_many_def_handlers_run_at_once_as_there_are_threads(
    start: Start, tmp_path: Path
) -> None:
    """With two threads the third browser waits, until one of the others is done."""
    _, open_browser = start("stubborn:Blocking", "--threads=2")
    journal = Journal(tmp_path)
    browsers = [open_browser() for _ in range(3)]
    for number, browser in enumerate(browsers[:2]):
        browser.socket.send(f"stand {journal.latch(str(number))}")
    journal.wait("stand", 2)
    browsers[2].socket.send("hello")
    journal.let_go("1")
    assert browsers[1].text() == "stand 1"
    assert browsers[2].text() == "hello"
    journal.let_go("0")
    assert browsers[0].text() == "stand 0"
    first, second, third = journal.notes("stand") + journal.notes("hello")
    assert first["pid"] == second["pid"] == third["pid"]


def test_a_worker_tells_its_health_and_its_numbers(start: Start) -> None:
    """With --http it serves both health pages and metrics, per handler too."""
    serving, open_browser = start("numbers", f"--http={ANY}")
    browser = open_browser()
    browser.socket.send("7")
    browser.text()
    browser.socket.send(b"\xff")  # no text, so that the handler raises
    browser.socket.send("8")
    browser.text()
    address = serving.ready.http
    assert get_json(address, "/healthz") == {"status": "ok"}
    ready = get_json(address, "/readyz")
    assert (ready["status"], [*ready["gateways"].values()]) == ("ready", ["taking events"])

    def counted() -> bool:
        page = metrics(address)
        numbers = {
            name: int(page[f"gatewayworker_businessworker_{name}"])
            for name in ("events_total", "events_finished_total", "clients", "gateways_taking")
        }
        handled = {
            result: int(
                page[
                    "gatewayworker_businessworker_handled_total"
                    f'{{handler="on_message",result="{result}"}}'
                ]
            )
            for result in ("returned", "raised")
        }
        assert [*numbers.values()] == [4, 4, 1, 1]
        assert handled == {"returned": 2, "raised": 1}
        return True

    eventually(counted)


def test_a_handler_may_not_send_more_than_the_largest_message(start: Start) -> None:
    """The error is the handler's, and nothing of the message leaves."""
    serving, open_browser = start("echo", "--max-message=1KiB")
    browser = open_browser()
    browser.socket.send("x" * 1025)
    browser.socket.send("x" * 1024)
    assert browser.text() == "x" * 1024
    eventually(lambda: "MessageTooLarge" in serving.stderr)
