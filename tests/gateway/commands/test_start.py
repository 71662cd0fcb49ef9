"""`gateway start -d` and the commands about it, with browsers that are connected."""

import json
import os
import shlex
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway_client import GatewayClient
from gateway_process.errors import ExitCode
from tests.support.cluster import GATEWAY_PORTS, browse, register
from tests.support.daemons import Daemon
from tests.support.instances import Instances
from tests.support.waiting import eventually


@pytest.fixture
def directory() -> Iterator[Daemon]:
    """A register."""
    with register() as daemon:
        yield daemon


@pytest.fixture
def instances() -> Iterator[Instances]:
    """A run directory."""
    with Instances() as made:
        yield made


def start(instances: Instances, directory: Daemon, *flags: str) -> str:
    """Start a gateway in the background and give its public address."""
    flags = (*GATEWAY_PORTS, "--register", directory.ready.listen, *flags)
    return instances.start("gateway", *flags).ws


def status(instances: Instances) -> dict[str, Any]:
    """Give the only process of the gateway."""
    done = instances("gateway", "status", "--json")
    assert done.code == ExitCode.OK, done.err
    (process,) = json.loads(done.out)["processes"]
    said: dict[str, Any] = process
    return said


def listed(instances: Instances, *flags: str) -> list[str]:
    """Give the ids of the browsers that `connections` tells of."""
    done = instances("gateway", "connections", "--json", *flags)
    return [row["client_id"] for row in json.loads(done.out)["rows"]]


def test_connections_can_be_filtered_and_paged(instances: Instances, directory: Daemon) -> None:
    """By uid, group and address; a page says how to get the next one."""
    url = start(instances, directory)
    with ExitStack() as stack:
        first, second = (stack.enter_context(browse(url)) for _ in range(2))
        client = stack.enter_context(GatewayClient(directory.ready.listen))
        client.bind_uid(first.client_id, "42")
        client.join_group(second.client_id, "news")
        assert sorted(listed(instances)) == sorted([first.client_id, second.client_id])
        assert listed(instances, "--uid", "42") == [first.client_id]
        assert listed(instances, "--group", "news") == [second.client_id]
        assert listed(instances, "--address", "192.0.2.") == []
        page = instances("gateway", "connections", "--limit", "1").out.splitlines()
        assert page[-1].startswith("more: gateway connections --name=gateway ")
        rest = instances(*shlex.split(page[-1].removeprefix("more: "))).out
        assert (first.client_id in rest) != (second.client_id in rest)


def test_status_counts_what_goes_through(instances: Instances, directory: Daemon) -> None:
    """Connections and messages of both directions stand there."""
    url = start(instances, directory)
    with browse(url) as browser, GatewayClient(directory.ready.listen) as client:
        browser.socket.send("up")
        assert client.send_to_all("down") == 1
        assert browser.text() == "down"
        process = status(instances)
    assert process["connections"] == 1
    assert process["messages_in"] == 1
    assert process["messages_out"] >= 1
    assert process["listening"]["ws"] in (url, [url])


def test_a_gateway_that_is_killed_comes_back(instances: Instances, directory: Daemon) -> None:
    """Under -d a supervisor starts it again on the same port, and status says so."""
    url = start(instances, directory)
    os.kill(status(instances)["pid"], signal.SIGKILL)

    def back() -> str:
        process = status(instances)
        assert (process["state"], process["restarts"]) == ("ready", 1)
        return str(process["last_failure"])

    assert "signal 9" in eventually(back)
    with browse(url) as browser:
        assert browser.client_id


def test_a_reload_names_what_needs_a_restart(
    instances: Instances, directory: Daemon, tmp_path: Any
) -> None:
    """The command says it, not only the log."""
    file = tmp_path / "cluster.toml"
    file.write_text("[gateway]\n")
    start(instances, directory, "-c", str(file))
    file.write_text("[gateway]\ndrain = 1\nping_interval = 7\nping_timeout = 3\n")
    done = instances("gateway", "reload")
    assert (done.code, done.out.rstrip()[-14:]) == (ExitCode.OK, "changed: drain")
    assert "needs a restart: ping_interval, ping_timeout" in done.err


def test_a_reload_that_no_process_can_take_over_says_why(
    instances: Instances, directory: Daemon, tmp_path: Path
) -> None:
    """An entry module that is broken: the command fails, and the old one goes on until it is mended."""
    module = tmp_path / "app_entry.py"
    module.write_text("def on_message(conn, message): ...\n")
    options = ["--entry", "app_entry", "--app-dir", str(tmp_path), "--processes", "2"]
    start(instances, directory, *options)
    module.write_text("def on_message(conn): ...\n")
    done = instances("gateway", "reload")
    assert (done.code, done.out) == (ExitCode.FAILED, "")
    told = "gateway: not reloaded: gateway #0, gateway #1: on_message of app_entry takes (conn)"
    assert told in done.err
    module.write_text("def on_message(conn, message): ...\n")
    assert instances("gateway", "reload").code == ExitCode.OK


def test_a_restart_is_the_same_gateway_again(instances: Instances, directory: Daemon) -> None:
    """Flags are kept: the register, and a name."""
    start(instances, directory, "--name", "edge", "--drain", "0")
    before = instances.the("edge")
    done = instances("gateway", "restart")
    assert done.code == ExitCode.OK, done.err
    after = instances.the("edge")
    assert (after.arguments, after.pid != before.pid) == (before.arguments, True)
