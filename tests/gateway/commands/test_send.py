"""Checks of `gateway send`, against real daemons."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from gateway_client import GatewayClient
from gateway_process.errors import ExitCode
from tests.support.cluster import browse, gateway, register
from tests.support.daemons import Daemon, run


@pytest.fixture(scope="module")
def members() -> Iterator[tuple[Daemon, Daemon]]:
    """Give a running register and gateway."""
    with register() as directory, gateway(directory) as running:
        yield directory, running


def send(directory: Daemon | str, *arguments: str) -> tuple[int, str, str]:
    """Run the command."""
    address = directory if isinstance(directory, str) else directory.ready.listen
    return run("gateway", "send", "--register", address, *arguments)


@pytest.mark.parametrize("target", ["uid:42", "group:news", "client:{}", "all"])
def test_a_message_reaches_each_kind_of_target(members: tuple[Daemon, Daemon], target: str) -> None:
    """The browser has the message, and the command says how many took it."""
    directory, running = members
    with browse(running.ready.ws) as browser, GatewayClient(directory.ready.listen) as client:
        assert client.bind_uid(browser.client_id, 42)
        assert client.join_group(browser.client_id, "news")
        answer = send(directory, target.format(browser.client_id), "hello")
        assert answer == (ExitCode.OK, "reached 1 connection\n", "")
        assert browser.text() == "hello"


def test_json_is_checked_and_sent_compact(members: tuple[Daemon, Daemon]) -> None:
    """`--json` sends what the library sends for such a value."""
    directory, running = members
    with browse(running.ready.ws) as browser:
        assert send(directory, "--json", "all", '{"a": [1, "é"]}')[0] == ExitCode.OK
        assert browser.text() == '{"a":[1,"é"]}'
        code, _, errors = send(directory, "--json", "all", "{a: 1}")
        assert code == ExitCode.USAGE
        assert "Invalid value for MESSAGE: is not JSON" in errors


def test_nobody_there_is_an_answer(members: tuple[Daemon, Daemon]) -> None:
    """Who is not connected is reached zero times; that is no failure."""
    assert send(members[0], "uid:nobody", "x") == (ExitCode.OK, "reached 0 connections\n", "")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("user:1", "'user:1' is no target: write uid:ID, group:NAME, client:CLIENT_ID or all"),
        ("everybody", "'everybody' is no target"),
        ("uid:", "'uid:' names nobody"),
        ("all:x", "'all:x' is no target"),
        ("client:xyz", "'xyz' is not a client id"),
    ],
)
def test_a_wrong_target_is_told(members: tuple[Daemon, Daemon], target: str, told: str) -> None:
    """The message shows what was written and what may be."""
    code, output, errors = send(members[0], target, "x")
    assert (code, output) == (ExitCode.USAGE, "")
    assert f"Invalid value for TARGET: {told}" in errors


def test_without_a_register_it_fails_in_one_line() -> None:
    """The address is named, with the command that starts a register."""
    code, output, errors = send("127.0.0.1:1", "all", "x")
    assert (code, output) == (ExitCode.FAILED, "")
    assert errors.startswith("gateway: no register answers (127.0.0.1:1: ")
    assert errors.count("\n") == 1


def test_gateways_that_could_not_be_asked_are_named() -> None:
    """One of two gateways is frozen: the other's browser has the message, the frozen one is named."""
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        well, frozen = (stack.enter_context(gateway(directory)) for _ in range(2))
        browser = stack.enter_context(browse(well.ready.ws))
        frozen.freeze()
        code, output, errors = send(directory, "all", "x")
        assert (code, output) == (ExitCode.OK, "reached 1 connection\n")
        assert f"gateway {frozen.ready.internal} " in errors
        assert browser.text() == "x"


def test_only_frozen_gateways_are_a_failure() -> None:
    """When no gateway could be asked the exit code is 1 and the gateway is named."""
    with register() as directory, gateway(directory) as frozen:
        frozen.freeze()
        code, output, errors = send(directory, "all", "x")
        assert (code, output) == (ExitCode.FAILED, "")
        assert errors.startswith("gateway: ")
        assert frozen.ready.internal in errors


def test_a_misspelt_variable_is_a_warning(members: tuple[Daemon, Daemon]) -> None:
    """It is told as the daemons tell it, and the message is sent."""
    command = ("gateway", "send", "--register", members[0].ready.listen, "all", "x")
    code, output, errors = run(*command, environment={"GATEWAYWORKER_REGISTR": "other:1236"})
    assert (code, output) == (ExitCode.OK, "reached 0 connections\n")
    assert errors == (
        "gateway: unknown variable GATEWAYWORKER_REGISTR; did you mean GATEWAYWORKER_REGISTER?\n"
    )
