"""What is promised under load: who reads gets everything, who does not costs the others nothing."""

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Self

import psutil
import pytest

from gateway_client import GatewayClient
from tests.cluster.readers import message
from tests.support.cluster import browse, gateway, get_text, raw, register
from tests.support.daemons import Daemon

pytestmark = [pytest.mark.serial, pytest.mark.timeout(240)]

NO_PINGS: Final = ("--ping-interval", "0")
"""So that what browsers read is the stream and nothing else."""
GROUP: Final = "stream"
MIB: Final = 1024 * 1024


class Readers:
    """A process full of browsers that read; see `readers.py`."""

    def __init__(self, url: str, count: int, messages: int) -> None:
        script = Path(__file__).with_name("readers.py")
        self._process = subprocess.Popen(
            [sys.executable, script, url, str(count), str(messages)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.client_ids: list[str] = self._said()

    def outcome(self) -> str:
        """Wait until all is read; give what was wrong."""
        wrong: str = self._said()
        return wrong

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _said(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@contextmanager
def readers(client: GatewayClient, url: str, count: int, messages: int) -> Iterator[Readers]:
    """Run browsers that are in the group and read."""
    with contextlib.closing(Readers(url, count, messages)) as running:
        for client_id in running.client_ids:
            assert client.join_group(client_id, GROUP)
        yield running


def memory(daemon: Daemon) -> int:
    """Give the resident bytes of a gateway."""
    return int(psutil.Process(daemon.pid).memory_info().rss)


def metric(daemon: Daemon, line: str) -> float:
    """Read one line of the metrics page."""
    text = get_text(daemon.ready.http, "/metrics")
    (value,) = (each.split()[-1] for each in text.splitlines() if each.startswith(f"{line} "))
    return float(value)


def test_300000_messages_reach_100_readers_in_order() -> None:
    """One publisher pipelines as fast as it can: nobody is closed, and every byte is right."""
    count, messages = 100, 300_000
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        running = stack.enter_context(gateway(directory, *NO_PINGS))
        client = stack.enter_context(GatewayClient(directory.ready.listen, timeout=30))
        reading = stack.enter_context(readers(client, running.ready.ws, count, messages))
        before = memory(running)
        with client.pipeline() as pipeline:
            for number in range(messages):
                pipeline.send_to_group(GROUP, message(number))
        assert set(pipeline.results) == {count}
        assert reading.outcome() == ""
        assert client.get_client_count_by_group(GROUP) == count
        assert memory(running) - before < 64 * MIB


def test_browsers_that_never_read_are_closed_and_cost_nobody_anything() -> None:
    """50 of them are cut as slow, memory stays bounded, and 20 readers beside them miss nothing."""
    idle, count, messages = 50, 20, 150_000  # 20 MB each: above the kernel's buffers and ours
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        running = stack.enter_context(gateway(directory, *NO_PINGS))
        client = stack.enter_context(GatewayClient(directory.ready.listen, timeout=30))
        deaf = [stack.enter_context(Deaf(running.ready.ws)) for _ in range(idle)]
        for each in deaf:
            assert client.join_group(each.client_id, GROUP)
        reading = stack.enter_context(readers(client, running.ready.ws, count, messages))
        before = peak = memory(running)
        with client.pipeline() as pipeline:
            for number in range(messages):
                pipeline.send_to_group(GROUP, message(number))
                if number % 1_000 == 0:
                    peak = max(peak, memory(running))
        assert reading.outcome() == ""
        assert (pipeline.results[0], pipeline.results[-1]) == (idle + count, count)
        assert client.get_all_client_count() == count
        assert metric(running, "gatewayworker_gateway_slow_total") == idle
        assert peak - before < 64 * MIB
        for each in deaf:
            each.read_to_the_end()
        running.stop()


def test_memory_is_bounded_over_all_browsers_too() -> None:
    """Where each has messages of its own the fullest are cut first, and who reads is not."""
    idle, rounds, total = 30, 8, 16 * MIB
    limits = ("--send-buffer", "8MiB", "--send-buffer-total", "16MiB")
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        running = stack.enter_context(gateway(directory, *NO_PINGS, *limits))
        client = stack.enter_context(GatewayClient(directory.ready.listen, timeout=30))
        well = stack.enter_context(browse(running.ready.ws))
        deaf = [stack.enter_context(Deaf(running.ready.ws)) for _ in range(idle)]
        before = peak = memory(running)
        for number in range(rounds):
            for each in deaf:
                client.send_to_client(each.client_id, bytes([number]) * (MIB - 1))
                peak = max(peak, memory(running))
            assert client.send_to_client(well.client_id, str(number)) == 1
            assert well.text() == str(number)
        # What waits, once; and what is being taken in and given out at the moment.
        assert peak - before < 3 * total
        assert metric(running, "gatewayworker_gateway_slow_total") > idle / 2
        assert client.is_online(well.client_id)


class Deaf:
    """A browser that reads its init message, and nothing after it."""

    def __init__(self, url: str) -> None:
        self._stack = ExitStack()
        self._sock = self._stack.enter_context(raw(url))
        size = self._sock.recv(2, socket.MSG_WAITALL)[1]
        self.client_id: str = json.loads(self._sock.recv(size, socket.MSG_WAITALL))["client_id"]

    def read_to_the_end(self) -> None:
        """Read what is left; returns when the gateway has ended the connection."""
        with contextlib.suppress(ConnectionResetError):
            while self._sock.recv(MIB):
                pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
