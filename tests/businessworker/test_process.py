"""`businessworker start` as its users start it: real register, gateway, worker and browsers."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.error import HTTPError

import pytest

from gateway_process.errors import ExitCode
from tests.support.cluster import (
    ANY,
    Browser,
    browse,
    close_code,
    closed_address,
    gateway,
    get_json,
    get_text,
    register,
)
from tests.support.daemons import Daemon, run
from tests.support.waiting import eventually

EVENTS = """
import asyncio, threading
from pathlib import Path
from businessworker import current, session, timer
from gatewayworker import AsyncGateway, Gateway

def on_worker_start(worker):
    note(f"start {worker.id} {worker.name} {Gateway.get_all_client_count()}")
    timer.after(0, note, "timer")

async def on_connect(client_id):
    session["count"] = 0
    await AsyncGateway.join_group(client_id, "all")
    await AsyncGateway.send_to_current_client({"from": current.remote_addr, "at": current.listener})

def on_websocket_connect(client_id, request):
    Gateway.bind_uid(client_id, request.query["uid"])
    Gateway.send_to_uid(request.query["uid"], "bound")

def on_message(client_id, message):
    session["count"] += 1
    {"count": count, "thread": thread, "bye": Gateway.close_current_client,
     "cut": Gateway.destroy_current_client, "sleep": sleep, "raise": fail}[message]()

def count():
    Gateway.send_to_uid(current.uid, f"{current.uid} {session['count']}", confirm=False)
    Gateway.send_to_current_client("last")

def thread():
    helper = threading.Thread(target=Gateway.send_to_group, args=("all", "from a thread"))
    helper.start()
    helper.join()

def fail():
    raise RuntimeError("a bug of the application")

def sleep():
    note("sleeps")
    threading.Event().wait()

async def on_close(client_id, reason):
    note(f"close {reason.code} {session['count']} {await AsyncGateway.is_online(client_id)}")

async def on_worker_stop(worker):
    note(f"stop {await AsyncGateway.get_all_client_count()}")

def note(text):
    with Path(NOTES).open("a") as file:
        file.write(text + "\\n")
"""


class App:
    """An application's folder with its handlers, and the worker that runs them."""

    def __init__(self, folder: Path, cluster: tuple[Daemon, Daemon]) -> None:
        self.folder = folder
        self.register, self.gateway = cluster
        self._notes = folder / "notes"
        self.write(EVENTS)

    def write(self, source: str) -> None:
        """Write the module."""
        (self.folder / "shop.py").write_text(f"NOTES = {str(self._notes)!r}\n{source}")

    @property
    def notes(self) -> list[str]:
        """What its handlers have noted."""
        return self._notes.read_text().splitlines() if self._notes.exists() else []

    def worker(
        self, *flags: str, target: str = "shop", register: str = "", http: str = ANY
    ) -> Daemon:
        """Give a worker, not yet started; its register is the cluster's unless another is named."""
        where = ("--register", register or self.register.ready.listen, "--http", http)
        command = ("businessworker", "start", target, "--app-dir", str(self.folder))
        return Daemon(*command, *where, *flags)

    def refused(self, *flags: str, target: str = "shop") -> tuple[int, str]:
        """Run a worker that must refuse to start; give exit code and stderr."""
        daemon = self.worker(*flags, target=target)
        daemon.launch()
        code = daemon.wait()
        return code, daemon.stderr


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[Daemon, Daemon]]:
    """Give a running register and gateway."""
    with register() as directory, gateway(directory) as running:
        yield directory, running


@pytest.fixture
def app(tmp_path: Path, cluster: tuple[Daemon, Daemon]) -> App:
    """Give an application."""
    return App(tmp_path, cluster)


@contextmanager
def page(app: App, uid: str = "ann") -> Iterator[Browser]:
    """Connect a browser and read what its handlers send when it connects."""
    with browse(f"{app.gateway.ready.ws}/?uid={uid}") as browser:
        hello = json.loads(browser.text())
        assert hello == {"from": "127.0.0.1", "at": app.gateway.ready.ws}
        assert browser.text() == "bound"
        yield browser


def test_a_browsers_life_runs_through_the_handlers(app: App) -> None:
    """Every callback is called, with session, current, timer and both clients, `def` and `async def`."""
    with app.worker("--name", "till") as worker:
        with page(app) as browser:
            for number in (1, 2):
                browser.socket.send("count")
                assert browser.text() == f"ann {number}"
                assert browser.text() == "last"
            browser.socket.send("thread")
            assert browser.text() == "from a thread"
            browser.socket.send("bye")
            assert close_code(browser) == 1000
        eventually(lambda: "close 1000 4 False" in app.notes)
        worker.stop()
    assert app.notes[0] == "start 0 till 0"
    assert sorted(app.notes[1:]) == ["close 1000 4 False", "stop 0", "timer"]
    assert app.notes[-1] == "stop 0"


def test_a_handler_may_cut_its_client(app: App) -> None:
    """The browser sees no Close frame."""
    with app.worker() as worker, page(app, "bob") as browser:
        browser.socket.send("cut")
        assert close_code(browser) == 1006
        worker.stop()


def test_an_exception_costs_nothing_else(app: App) -> None:
    """It is logged with handler and client, and the next message is handled."""
    with app.worker() as worker, page(app, "eve") as browser:
        browser.socket.send("raise")
        browser.socket.send("count")
        assert browser.text() == "eve 2"
        worker.stop()
        assert "RuntimeError: a bug of the application" in worker.stderr
        assert browser.client_id in worker.stderr


def test_what_was_sent_before_a_stop_is_handled(app: App) -> None:
    """A stop waits for the events that have come, and what their handlers sent arrives."""
    with app.worker() as worker, page(app, "joe") as browser, app.worker() as other:
        for _ in range(200):
            browser.socket.send("count")
        assert browser.text() == "joe 1"
        worker.stop()
        handled = sum(note.startswith("stop") for note in app.notes)
        assert handled == 1
        said = [browser.text() for _ in range(399)]
        assert [each for each in said if each != "last"] == [f"joe {n}" for n in range(2, 201)]
        other.stop()


def test_the_last_handler_may_end_a_task_of_its_own(app: App) -> None:
    """That it lets the task's CancelledError pass is its error; the stop goes on."""
    app.write(
        "import asyncio\n\n\n"
        "async def on_worker_start(worker):\n"
        "    global task\n"
        "    task = asyncio.create_task(asyncio.sleep(3600))\n\n\n"
        "async def on_worker_stop(worker):\n"
        "    task.cancel()\n"
        "    await task\n"
    )
    with app.worker() as worker:
        worker.stop()
        assert "on_worker_stop of shop raised" in worker.stderr
        assert "what it awaits was cancelled" in worker.stderr


def test_what_handlers_print_is_seen_at_once(app: App) -> None:
    """Though standard output is no terminal; not when a buffer is full, or the process ends."""
    app.write("def on_connect(client_id):\n    print('connected', client_id)\n")
    with app.worker() as worker, browse(app.gateway.ready.ws) as browser:
        assert worker.line(starting_with="connected") == f"connected {browser.client_id}"
        worker.stop()


def test_a_handler_that_never_ends_is_named(app: App) -> None:
    """The process ends within its stop timeout, with exit code 1."""
    with (
        app.worker("--stop-timeout", "2") as worker,
        page(app, "max") as browser,
    ):
        browser.socket.send("sleep")
        eventually(lambda: "sleeps" in app.notes)
        worker.stop(code=ExitCode.FAILED)
        assert "on_message of shop for client" in worker.stderr
        assert browser.client_id in worker.stderr
    assert app.notes[-1].startswith("stop")


def test_health_and_metrics_tell_what_it_does(app: App) -> None:
    """Each process that is asked to serves them on a port of its own."""
    with app.worker("--processes", "2") as worker:
        ports = worker.ready.http.split(",")
        assert len(ports) == 2
        for port in ports:
            assert get_json(port, "/healthz") == {"status": "ok"}
            ready = get_json(port, "/readyz")
            assert ready == {
                "status": "ready",
                "gateways": {app.gateway.ready.internal: "taking events"},
            }
        with page(app, "kim"):
            pages = [get_text(port, "/metrics") for port in ports]
        assert sum("gatewayworker_businessworker_clients 1.0" in each for each in pages) == 1
        worker.stop()


def test_several_processes_share_the_browsers(app: App) -> None:
    """Each has a number, and each gets some of the browsers."""
    with app.worker("--processes", "2") as worker:
        eventually(lambda: len(app.notes) >= 2)
        with page(app), page(app):
            pages = [get_text(port, "/metrics") for port in worker.ready.http.split(",")]
            assert all("gatewayworker_businessworker_clients 1.0" in each for each in pages)
        worker.stop()
    assert {"start 0 businessworker 0", "start 1 businessworker 0"} <= set(app.notes)


def test_it_waits_for_its_register_and_says_what_to_do(app: App) -> None:
    """Not ready, alive, and a stop while it waits is a clean one."""
    http = closed_address()
    worker = app.worker(register=closed_address(), http=http)
    worker.launch()
    try:
        eventually(lambda: "start it with `register start`" in worker.stderr)
        eventually(lambda: get_json(http, "/healthz") == {"status": "ok"})
        with pytest.raises(HTTPError, match="503"):
            get_json(http, "/readyz")
        worker.stop()
    finally:
        worker.kill()
    assert app.notes == []


def test_a_wrong_key_is_refused(app: App) -> None:
    """Waiting would not mend it."""
    code, errors = app.refused("--secret-key", "wrong")
    assert code == ExitCode.STARTUP
    assert "refuses this worker" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("shopp", "did you mean 'shop'?"),
        ("shop:Events", "shop has no 'Events'"),
    ],
)
def test_a_wrong_module_is_named(app: App, target: str, message: str) -> None:
    """With what was probably meant."""
    code, errors = app.refused(target=target)
    assert (code, "Traceback" in errors) == (ExitCode.STARTUP, False)
    assert message in errors


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nonsense\n", "imports 'nonsense', which was not"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("def on_mesage(client_id, message): ...\n", "did you mean on_message?"),
        (
            "from gatewayworker import Gateway\nGateway.get_all_client_count()\n",
            "await AsyncGateway.get_all_client_count",
        ),
        (
            "def on_worker_start(worker):\n    raise ValueError('no database')\n",
            "on_worker_start of shop raised ValueError: no database",
        ),
        (
            "import sys\n\n\ndef on_worker_start(worker):\n    sys.exit('no database')\n",
            "on_worker_start of shop raised SystemExit: no database",
        ),
        (
            "import sys\n\n\nasync def on_worker_start(worker):\n    sys.exit('no database')\n",
            "on_worker_start of shop raised SystemExit: no database",
        ),
        (
            "def on_worker_start(worker):\n    next(iter(()))\n",
            "on_worker_start of shop raised RuntimeError: coroutine raised StopIteration",
        ),
        (
            (
                "import asyncio\n\n\nasync def on_worker_start(worker):\n"
                "    raise asyncio.CancelledError\n"
            ),
            "on_worker_start of shop raised RuntimeError: what it awaits was cancelled",
        ),
    ],
)
def test_an_application_that_cannot_start_says_why(app: App, source: str, message: str) -> None:
    """In one line, with exit code 3."""
    app.write(source)
    code, errors = app.refused()
    assert (code, "Traceback" in errors) == (ExitCode.STARTUP, False)
    assert message in errors


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--thread", "2"), "--threads"),
        (("--threads", "0"), "give 1 or more"),
        (("--events", ""), "does not name a module"),
        ((), "is missing"),
    ],
)
def test_wrong_flags_are_refused(flags: tuple[str, ...], message: str) -> None:
    """With the exit code of a wrong command line, and a hint."""
    code, output, errors = run("businessworker", "start", *flags)
    assert (code, output) == (ExitCode.USAGE, "")
    assert message in errors


def test_a_lost_gateway_is_found_again(app: App) -> None:
    """The worker goes on without it, and takes its events when it is back."""
    with register() as directory:
        app.register = directory
        with gateway(directory) as first, app.worker() as worker:
            first.send_signal(signal.SIGKILL)
            first.wait()
            with gateway(directory) as second:
                app.gateway = second
                with eventually(lambda: page_if_there(app)) as browser:
                    browser.socket.send("count")
                    assert browser.text() == "ann 1"
                worker.stop()


def page_if_there(app: App) -> AbstractContextManager[Browser]:
    """Connect a browser once the gateway has a worker."""
    assert get_json(app.gateway.ready.http, "/readyz")["workers"] == 1
    return page(app)
