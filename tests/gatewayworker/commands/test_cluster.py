"""A file's roles under one master, as `gatewayworker` commands see them."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway_process.errors import ExitCode
from tests.support.cluster import Browser, browse
from tests.support.instances import Done, Instances
from tests.support.waiting import eventually

FILE = """
[register]
listen = "127.0.0.1:0"
http = "127.0.0.1:0"

[gateway]
listen = "ws://127.0.0.1:0"
http = "127.0.0.1:0"
start_port = 0
processes = 2
"""
WORKER = """
[businessworker]
events = "handlers"
name = "chat"
"""
HANDLERS = """
from gatewayworker import AsyncGateway

async def on_message(client_id, message):
    await AsyncGateway.send_to_client(client_id, f"echo {message}")
"""

THREADED = """
import threading
from gatewayworker import Gateway

together = threading.Barrier(3)

def on_message(client_id, message):
    together.wait(20)
    Gateway.send_to_client(client_id, "all are here")
"""
GATED = """
import asyncio
from pathlib import Path

async def on_worker_start(worker):
    while not Path({!r}).exists():
        await asyncio.sleep(0.02)
"""
STILL = "still reloading; Ctrl-C ends the waiting, not the reload\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with every role in it, beside the handlers that it names."""
    (tmp_path / "handlers.py").write_text(HANDLERS)
    file = tmp_path / "cluster.toml"
    file.write_text(FILE + WORKER)
    return file


@pytest.fixture
def instances(tmp_path: Path) -> Iterator[Instances]:
    """A run directory for commands in the file's folder."""
    with Instances(folder=tmp_path) as made:
        yield made


def states(instances: Instances) -> dict[str, int]:
    """Give the pids of the processes, all of which are ready."""
    done = instances("gatewayworker", "status", "--json")
    assert done.code == ExitCode.OK, done.err
    processes = json.loads(done.out)["processes"]
    assert {process["state"] for process in processes} == {"ready"}
    return {f"{each['role']} #{each['number']}": each["pid"] for each in processes}


def test_every_section_is_started_and_stopped_together(instances: Instances, file: Path) -> None:
    """One command and one ready line for all; the parts find each other though every port is 0."""
    ready = instances.start("gatewayworker", "-c", str(file))
    assert {"register.listen", "gateway.ws", "gateway.http"} <= ready.addresses.keys()
    assert states(instances).keys() == {
        "register #0", "gateway #0", "gateway #1", "businessworker #0",
    }  # fmt: skip
    with browse(ready.addresses["gateway.ws"]) as browser:
        assert echoed(browser, "hello") == "echo hello"
    status = instances("gatewayworker", "status")
    assert "\nSummary" in status.out
    assert instances("gatewayworker", "stop").code == ExitCode.OK
    assert instances.running() == []


def complaint(done: Done) -> str:
    """Give what a reload has to complain of: that it takes long, on a busy machine, is nothing."""
    return done.err.removeprefix(STILL)


def echoed(browser: Browser, message: str) -> str | bytes:
    """Send a message and give what comes back."""
    browser.socket.send(message)
    return browser.text()


def test_a_reload_replaces_workers_alone(instances: Instances, file: Path) -> None:
    """Register and gateways take over what they can; the worker's process is a new one."""
    instances.start("gatewayworker", "-c", str(file))
    before = states(instances)
    file.write_text(file.read_text().replace("start_port = 0", "start_port = 0\ndrain = 1"))
    done = instances("gatewayworker", "reload")
    assert (done.code, complaint(done)) == (ExitCode.OK, "")
    assert done.out.startswith("reloaded gatewayworker (pid ")
    assert done.out.endswith("changed: gateway.drain; replaced: 1\n")
    now = states(instances)
    same = {name for name, pid in now.items() if before[name] == pid}
    assert same == {"register #0", "gateway #0", "gateway #1"}


def test_a_reload_takes_over_what_new_processes_use(instances: Instances, file: Path) -> None:
    """Also handlers of another name and their threads; what the master holds needs a restart."""
    ready = instances.start("gatewayworker", "-c", str(file))
    (file.parent / "others.py").write_text(THREADED)
    text = file.read_text().replace('events = "handlers"', 'events = "others"\nthreads = 3')
    file.write_text(text + "processes = 2\n")
    done = instances("gatewayworker", "reload")
    told = "changed, but needs a restart: businessworker.processes\n"
    assert (done.code, complaint(done)) == (ExitCode.OK, told)
    changed = "changed: businessworker.events, businessworker.threads; replaced: 1\n"
    assert done.out.endswith(changed)
    assert "businessworker #1" not in states(instances)
    with ExitStack() as stack:  # one of each: together they occupy all threads
        browsers = [stack.enter_context(browse(ready.addresses["gateway.ws"])) for _ in range(3)]
        for browser in browsers:
            browser.socket.send("hello")
        assert {browser.text() for browser in browsers} == {"all are here"}


def test_a_reload_that_does_not_work_says_why(instances: Instances, file: Path) -> None:
    """What the log says of code that cannot be imported comes to the one who typed the command."""
    instances.start("gatewayworker", "-c", str(file))
    before = states(instances)
    (file.parent / "handlers.py").write_text("import nothing_like_it\n")
    done = instances("gatewayworker", "reload")
    assert (done.code, done.out) == (ExitCode.FAILED, "")
    why = "gatewayworker: businessworker #0 is not replaced: the new process failed ("
    assert complaint(done).startswith(why)
    assert "nothing_like_it" in done.err
    assert done.err.endswith("; mend it and reload again; as they were: businessworker #0\n")
    assert states(instances) == before
    (file.parent / "handlers.py").write_text(HANDLERS)
    assert instances("gatewayworker", "reload").code == ExitCode.OK


def test_a_reload_waits_for_the_one_before(instances: Instances, file: Path) -> None:
    """The second command is answered after its own reload; Ctrl-C ends a waiting, not the reload."""
    instances.start("gatewayworker", "-c", str(file))
    before = states(instances)
    gate = file.parent / "gate"
    (file.parent / "handlers.py").write_text(GATED.format(str(gate)))
    with (
        instances.launch("gatewayworker", "reload") as first,
        instances.launch("gatewayworker", "reload") as second,
    ):
        assert first.stderr is not None
        assert first.stderr.readline() == STILL
        first.send_signal(signal.SIGINT)
        _, told = first.communicate()
        assert (first.returncode, "the reload goes on" in told) == (ExitCode.FAILED, True)
        assert second.poll() is None
        gate.touch()
        out, _ = second.communicate()
        assert (second.returncode, "; replaced: 1" in out) == (ExitCode.OK, True)
    assert states(instances)["businessworker #0"] != before["businessworker #0"]


def test_a_stop_ends_the_waiting_for_a_reload(instances: Instances, file: Path) -> None:
    """Whoever waits for a reload is told that there will be none, also when its turn had not come."""
    instances.start("gatewayworker", "-c", str(file))
    (file.parent / "handlers.py").write_text(GATED.format("nothing of this name"))
    with ExitStack() as stack:
        reloads = [
            stack.enter_context(instances.launch("gatewayworker", "reload")) for _ in range(2)
        ]
        for reload in reloads:
            assert reload.stderr is not None
            assert reload.stderr.readline() == STILL
        assert instances("gatewayworker", "stop").code == ExitCode.OK
        for reload in reloads:
            _, told = reload.communicate()
            assert (reload.returncode, "it is being stopped" in told) == (ExitCode.FAILED, True)


def test_a_section_that_is_not_there_is_not_started(instances: Instances, file: Path) -> None:
    """The connections of all that are there come in pages, and each row says whose it is."""
    file.write_text(FILE)
    ready = instances.start("gatewayworker", "-c", str(file))
    assert states(instances).keys() == {"register #0", "gateway #0", "gateway #1"}
    with browse(ready.addresses["gateway.ws"]) as browser:

        def listed() -> bool:
            done = instances("gatewayworker", "connections", "--json")
            rows = json.loads(done.out)["rows"]
            return any(row.get("client_id") == browser.client_id for row in rows)

        eventually(listed)


def test_a_register_that_is_named_is_used(instances: Instances, file: Path) -> None:
    """Beside a [register] of its own a file may name others: theirs is the choice, not ours."""
    file.write_text('register_address = "127.0.0.1:1"\n' + FILE.replace("processes = 2", ""))
    with instances.launch("gatewayworker", "start", "-c", str(file)) as process:
        assert process.stderr is not None
        assert any("127.0.0.1:1" in line for line in iter(process.stderr.readline, ""))
        process.send_signal(signal.SIGTERM)
        process.communicate()


def test_a_restart_brings_all_back(instances: Instances, file: Path) -> None:
    """From anywhere: the file is found where it was."""
    before = instances.start("gatewayworker", "-c", file.name)
    done = instances("gatewayworker", "restart")
    assert done.code == ExitCode.OK, done.err
    assert len(states(instances)) == 4
    assert str(instances.the("gatewayworker").pid) != before.pid


@pytest.mark.parametrize("text", ["[gateway]\nlisten = 1\n", "[gateway]\nprocesses = 0\n", "]"])
def test_a_restart_that_would_fail_stops_nothing(
    instances: Instances, file: Path, text: str
) -> None:
    """A mistake in any section is told while all goes on."""
    before = instances.start("gatewayworker", "-c", str(file))
    file.write_text(text)
    done = instances("gatewayworker", "restart")
    assert (done.code, "is left running" in done.err) == (ExitCode.USAGE, True)
    assert str(instances.the("gatewayworker").pid) == before.pid


def test_a_process_that_is_killed_comes_back(instances: Instances, file: Path) -> None:
    """The master keeps every place filled, whatever its role."""
    instances.start("gatewayworker", "-c", str(file))
    pid = states(instances)["businessworker #0"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: states(instances)["businessworker #0"] not in {0, pid})


def test_the_masters_name_is_not_the_workers(instances: Instances, file: Path) -> None:
    """--name is what the instance is called; a worker keeps the name of its section."""
    file.write_text(FILE + WORKER)
    (file.parent / "handlers.py").write_text(
        "def on_worker_start(worker):\n    print('name is', worker.name, flush=True)\n"
    )
    instances.start("gatewayworker", "-c", str(file), "--name", "prod")
    assert instances.the("prod").program == "gatewayworker"
    eventually(lambda: "name is chat" in instances.log("prod"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "gatewayworker: --config: is missing; write the lines [register] and [gateway]"),
        ("log_level = 'info'\n", "has no section of a role; write the lines [register] and"),
        ("[registre]\n", "did you mean register?"),
        ("[gateway]\nlisen = 1\n", "[gateway] lisen: is no setting; did you mean listen?"),
    ],
)
def test_a_file_that_cannot_be_run_is_told(
    instances: Instances, file: Path, text: str | None, told: str
) -> None:
    """With an example of one that can, or with what is wrong in it; exit code 2."""
    flags = []
    if text is not None:
        file.write_text(text)
        flags = ["-c", str(file)]
    done = instances("gatewayworker", "start", *flags)
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert told in done.err
