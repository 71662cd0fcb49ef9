"""Checks of `gateway queues`, against real daemons."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_client import GatewayClient
from gateway_process.errors import ExitCode
from tests.support.cluster import browse, gateway, register
from tests.support.daemons import Daemon, run
from tests.support.waiting import eventually

MEMBERS = 2


@pytest.fixture(scope="module")
def members() -> Iterator[tuple[Daemon, Daemon, Daemon]]:
    """Give a running register, and two gateways whose browsers' messages go onto a queue."""
    with (
        register() as directory,
        gateway(directory, "--route", "queue:chat") as one,
        gateway(directory, "--route", "queue:chat") as other,
    ):
        yield directory, one, other


def queues(directory: Daemon | str, *flags: str) -> tuple[int, str, str]:
    """Run the command."""
    address = directory if isinstance(directory, str) else directory.ready.listen
    return run("gateway", "queues", "--register", address, *flags)


def test_what_waits_in_all_gateways_is_added_up(members: tuple[Daemon, Daemon, Daemon]) -> None:
    """One row a topic; the age is that of the oldest."""
    directory, *gateways = members
    with GatewayClient(directory.ready.listen) as client:
        for running in gateways:
            with browse(running.ready.ws) as browser:
                for _ in range(2):
                    browser.socket.send("hello")
        eventually(lambda: client.get_all_queues()["chat"]["waiting"] == 2 * MEMBERS)
    code, output, errors = queues(directory)
    assert (code, errors) == (ExitCode.OK, "")
    head, row = map(str.split, output.splitlines())
    assert head == [
        *("topic", "waiting", "unacknowledged", "consumers", "paused"),
        *("age", "redelivered", "dead"),
    ]
    told = dict(zip(head, row, strict=True))
    assert float(told.pop("age")) > 0
    assert told.pop("topic") == "chat"
    assert told.pop("waiting") == str(2 * MEMBERS)
    assert set(told.values()) == {"0"}


def test_the_register_of_the_file_is_asked(
    members: tuple[Daemon, Daemon, Daemon], tmp_path: Path
) -> None:
    """As `gatewayworker start` has it: where it listens, if none is named."""
    file = tmp_path / "cluster.toml"
    file.write_text(f'[register]\nlisten = "{members[0].ready.listen}"\n')
    code, output, _ = run("gateway", "queues", "-c", str(file), "--json")
    assert (code, *json.loads(output)) == (ExitCode.OK, "chat")


def test_json_has_all_that_is_known(members: tuple[Daemon, Daemon, Daemon]) -> None:
    """By topic, as the client library has it."""
    code, output, _ = queues(members[0], "--json")
    assert code == ExitCode.OK
    assert {"pushed", "bytes", "acknowledged", "dropped"} < json.loads(output)["chat"].keys()


def test_gateways_that_do_not_answer_are_named() -> None:
    """The others are counted; when none answers, that is a failure."""
    with (
        register() as directory,
        gateway(directory, "--route", "queue:chat"),
        gateway(directory) as frozen,
    ):
        frozen.freeze()
        code, output, errors = queues(directory)
        assert code == ExitCode.OK
        assert output.splitlines()[1].startswith("chat ")
        assert errors.startswith("not counted: gateway ")
        assert frozen.ready.internal in errors


def test_no_queues_are_an_answer_and_no_register_is_none() -> None:
    """One line each."""
    with register() as directory, gateway(directory):
        assert queues(directory) == (ExitCode.OK, "no queues\n", "")
        assert queues(directory, "--json") == (ExitCode.OK, "{}\n", "")
    code, output, errors = queues("127.0.0.1:1")
    assert (code, output) == (ExitCode.FAILED, "")
    assert errors.startswith("gateway: no register answers (127.0.0.1:1: ")
