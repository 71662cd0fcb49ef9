"""Blocking consumers and real gateways, stopped and killed as a service manager would."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from gateway_client import GatewayClient, Message
from tests.gateway_client.aio.test_consuming_with_daemons import Cluster
from tests.support.waiting import PATIENCE, eventually

COMMAND = """
import signal, sys
from gateway_client import GatewayClient

client = GatewayClient(sys.argv[1], secret_key="")
with client.consume("chat", name="command") as consumer:
    signal.signal(signal.SIGTERM, lambda *_: consumer.close())
    print("ready", flush=True)
    for message in consumer:
        print(message.data["frame"]["data"], flush=True)
        if message.data["frame"]["data"] == "slow":
            sys.stdin.readline()
            message.reply("done")
print("end", flush=True)
"""
"""A command as `examples` have it, which ends on SIGTERM when the message in hand is handled."""


class Command:
    """A process that consumes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self._stdin, self._stdout = process, process.stdin, process.stdout

    def says(self) -> str:
        """Return its next line."""
        return self._stdout.readline().rstrip()

    def go_on(self) -> None:
        """Let it finish the message in hand."""
        self._stdin.write("\n")
        self._stdin.flush()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Ends processes."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def cluster(stack: ExitStack) -> Cluster:
    """A register, and as many gateways as the test starts."""
    return Cluster(stack)


@pytest.fixture
def client(cluster: Cluster) -> Iterator[GatewayClient]:
    """A client of it."""
    with GatewayClient(cluster.address, secret_key="") as client:
        yield client


@pytest.fixture
def command(cluster: Cluster, stack: ExitStack) -> Command:
    """A process that consumes, waiting for messages or a gateway."""
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-c", COMMAND, cluster.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    )
    stack.callback(process.kill)
    command = Command(process)
    assert command.says() == "ready"
    return command


def _text(message: Message) -> str:
    text: str = message.data["frame"]["data"]
    return text


def test_a_command_ends_on_sigterm_while_it_waits(cluster: Cluster, command: Command) -> None:
    """At once, with nothing left behind."""
    browser, _ = cluster.browser(cluster.gateway())
    browser.send("1")
    assert command.says() == "1"
    command.process.terminate()
    assert command.says() == "end"
    assert command.process.wait(PATIENCE) == 0


def test_a_command_finishes_its_message_on_sigterm(
    cluster: Cluster, client: GatewayClient, command: Command
) -> None:
    """It is acknowledged; those behind it are the next consumer's, who has them for the first time."""
    browser, me = cluster.browser(cluster.gateway())
    for text in ("slow", "2", "3"):
        browser.send(text)
    assert command.says() == "slow"
    command.process.send_signal(signal.SIGTERM)
    command.go_on()
    assert command.says() == "end"
    assert command.process.wait(PATIENCE) == 0
    assert browser.recv(PATIENCE) == "done"
    seen = []
    for message in client.consume("chat"):
        seen.append((_text(message), message.client_id, message.tries))
        if len(seen) == 2:
            message.ack()
            break
    assert seen == [("2", me, 1), ("3", me, 1)]
    eventually(lambda: client.get_all_queues()["chat"]["acknowledged"] == 3)


def test_what_a_killed_command_had_comes_again(
    cluster: Cluster, client: GatewayClient, command: Command
) -> None:
    """In order, and flagged."""
    browser, _ = cluster.browser(cluster.gateway())
    for text in ("1", "slow", "3"):
        browser.send(text)
    assert [command.says() for _ in "12"] == ["1", "slow"]
    command.process.kill()
    seen = []
    for message in client.consume("chat"):
        seen.append((_text(message), message.redelivered))
        if _text(message) == "3":
            break
    assert seen[-2:] == [("slow", True), ("3", True)]
    assert [text for text, _ in seen] in (["slow", "3"], ["1", "slow", "3"])


def test_gateways_are_found_and_lost_without_a_restart(
    cluster: Cluster, client: GatewayClient
) -> None:
    """A consumer that waits is told of it, and goes on."""
    told: list[str] = []
    killed = cluster.gateway()
    with client.consume("chat", on_error=lambda error: told.append(str(error))) as consumer:
        messages = iter(consumer)
        browser, _ = cluster.browser(killed)
        browser.send("1")
        assert _text(next(messages)) == "1"
        killed.kill()
        browser, _ = cluster.browser(cluster.gateway())
        browser.send("2")
        assert _text(next(messages)) == "2"
    assert any(f"gateway {killed.ready.internal} is lost" in text for text in told)


def test_the_first_reply_needs_no_register(cluster: Cluster, client: GatewayClient) -> None:
    """The gateways that a consumer knows are known to its client, too."""
    browser, _ = cluster.browser(cluster.gateway())
    browser.send("1")
    for message in client.consume("chat"):
        cluster.register.kill()
        assert message.reply("done") == 1
        break
    assert browser.recv(PATIENCE) == "done"


def test_a_handler_that_fails_sees_its_message_again(
    cluster: Cluster, client: GatewayClient
) -> None:
    """Until it has had enough tries; then it is set aside, and what is behind it goes on."""
    told: list[Exception] = []
    seen: list[str] = []

    def handle(message: Message) -> None:
        seen.append(_text(message))
        if seen[-1] == "bad":
            raise LookupError
        client.close()

    browser, _ = cluster.browser(cluster.gateway())
    for text in ("bad", "good"):
        browser.send(text)
    client.consume_with(handle, "chat", on_error=told.append)
    assert seen == [*["bad"] * 5, "good"]
    assert len(told) == 5
    for message in client.consume("dead:chat"):
        assert _text(message) == "bad"
        break
