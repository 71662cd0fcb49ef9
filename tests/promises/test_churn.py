"""Browsers come and go by the thousand: what the gateway knows of them goes with them, and so does its memory."""

from __future__ import annotations

import itertools
import json
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import pytest

from bench.crowd import Crowd, message
from gateway.edge.ticker import TICK
from gateway_client import GatewayClient
from tests.bench.compiler import needs_compiler
from tests.support.certificates import certificate
from tests.support.cluster import ANY, gateway, register, split, upgrade
from tests.support.crowd import make_narrow
from tests.support.daemons import Daemon
from tests.support.waiting import PATIENCE, eventually
from tests.support.workers import metrics, resident, time_passes

pytestmark = pytest.mark.serial

SEED: Final = 20260704
MIB: Final = 1024 * 1024

NAMESPACE: Final = "gatewayworker_gateway_"
GAUGES: Final = ("connections", "sockets", "uids", "groups", "waiting_bytes", "blocked_connections")
"""Everything that a gateway keeps for browsers."""

BATCHES: Final = 40
WARM: Final = 10
"""Batches after which memory is looked at for the first time."""
BATCH: Final = 80
"""Browsers of a batch that get as far as being open; half as many leave before."""
NARROW: Final = 10
"""Those of them for whom much waits when they go."""
TOLD_TO_GO: Final = 0.4
"""Share of browsers that the application closes or destroys."""
PAYLOAD: Final = "x" * 20_000
KEPT: Final = 1536
"""Bytes by which memory may grow for each: less than a connection takes."""
CLOSE_FRAME: Final = bytes([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8])
"""Code 1000, masked with zeros."""
LONG_HEAD: Final = upgrade()[:-2] + b"X-Padding: " + b"x" * 15_000
"""As much of a request as is read, and not its end."""
HEADS: Final = 2_000

WAVE: Final = 1_500
WAVES: Final = 7
SETTLED: Final = 2 * MIB
"""Bytes by which memory may still grow after the second wave, since what lies beside what differs."""

FLOOD: Final = 3_000
SESSION: Final = {"note": "x" * 4_000}
"""What each browser of the flood has in its session; with it a flood is some 25 MB."""


class Door(NamedTuple):
    """A gateway with both kinds of listeners, and a client to speak to it."""

    daemon: Daemon
    client: GatewayClient

    @property
    def ports(self) -> tuple[int, int]:
        """The port without TLS, and that with it."""
        plain, secure = self.daemon.ready.ws.split(",")
        return split(plain)[1], split(secure)[1]

    def page(self) -> dict[str, float]:
        """Read the metrics."""
        page = metrics(self.daemon.ready.http)
        return {name.removeprefix(NAMESPACE): value for name, value in page.items()}

    def becomes_empty(self, accepted: int) -> dict[str, float]:
        """Wait until so many have come and nothing is kept for anybody; give the metrics."""

        def look() -> dict[str, float]:
            page = self.page()
            assert page["accepted_total"] == accepted
            assert {name: page[name] for name in GAUGES if page[name]} == {}
            return page

        return eventually(look)


@contextmanager
def door(folder: Path) -> Iterator[Door]:
    """Run a gateway; one whose handshakes end soon, so that those left undone do."""
    made = certificate(folder)
    flags = ("--listen", f"wss://{ANY}", *made.flags, "--handshake-timeout", "1")
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        running = stack.enter_context(gateway(directory, "--ping-interval", "0", *flags))
        client = stack.enter_context(GatewayClient(directory.ready.listen, timeout=30))
        yield Door(running, client)


def test_churn_leaves_nothing_behind(tmp_path: Path) -> None:
    """Thousands come, bind, join, get, leave, in every way there is: all counts agree, and are 0 again."""
    chance = Random(SEED)
    numbers = itertools.count()
    with door(tmp_path) as running:
        opened = undone = warm = 0
        for number in range(1, BATCHES + 1):
            unfinished = half_done(running.ports)
            browsers = [Comer(running.ports[0], narrow=each < NARROW) for each in range(BATCH)]
            for each in browsers:
                each.come_in()
            live_a_little(running.client, browsers, numbers)
            leave(browsers, unfinished, running.client, chance)
            opened, undone = opened + len(browsers), undone + len(unfinished)
            if number == WARM:
                warm = resident(running.daemon.pid)
        page = running.becomes_empty(opened + undone)
        assert page["connections_opened_total"] == opened
        assert page["connections_closed_total"] == opened
        assert page['connections_closed_total{reason="slow"}'] == 0
        assert page["blocked_total"] >= BATCHES * NARROW / 2  # the others left the group
        assert page["handshakes_failed_total"] == undone
        assert resident(running.daemon.pid) - warm < (BATCHES - WARM) * BATCH * KEPT


class Comer:
    """A browser that has dialled."""

    def __init__(self, port: int, *, narrow: bool) -> None:
        self.sock = socket.socket()
        self.sock.settimeout(PATIENCE)
        if narrow:
            make_narrow(self.sock)
        self.sock.connect(("127.0.0.1", port))
        self.sock.sendall(upgrade())
        self.client_id = ""

    def come_in(self) -> None:
        """Read the handshake's answer and the init message."""
        data = b""
        while not data.endswith(b'"}'):
            data += self.sock.recv(4096)
        self.client_id = json.loads(data[data.index(b"{") :])["client_id"]

    def end(self) -> None:
        """Say that nothing more will come."""
        self.sock.close()

    def reset(self) -> None:
        """Have the kernel send RST."""
        reset(self.sock)

    def say_goodbye(self) -> None:
        """Close as RFC 6455 wants it, and do not wait for the answer."""
        with suppress(ConnectionError):  # the gateway may have been faster
            self.sock.sendall(CLOSE_FRAME)
        self.sock.close()


def reset(sock: socket.socket) -> None:
    """Close a socket with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def half_done(ports: tuple[int, int]) -> list[socket.socket]:
    """Dial and begin handshakes, of HTTP and of TLS, to various points."""
    plain, secure = ports
    beginnings = (
        *((plain, upgrade()[:length]) for length in (0, 1, 30, len(upgrade()) - 1)),
        *(
            (secure, hello)
            for hello in (b"", b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n")
        ),
    )
    begun = []
    for port, data in itertools.islice(itertools.cycle(beginnings), BATCH // 2):
        sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
        sock.sendall(data)
        begun.append(sock)
    return begun


def live_a_little(client: GatewayClient, browsers: Sequence[Comer], numbers: Iterator[int]) -> None:
    """Bind and group them, send to them more than some will have read when they go, ungroup some."""
    with client.pipeline() as pipeline:
        for number, each in zip(numbers, browsers, strict=False):
            pipeline.bind_uid(each.client_id, number)
            pipeline.join_group(each.client_id, f"group {number}")
            pipeline.join_group(each.client_id, "everybody")
            pipeline.send_to_uid(number, "welcome")
            if number % 3 == 0:
                pipeline.leave_group(each.client_id, "everybody")
                pipeline.unbind_uid(each.client_id, number)
            pipeline.set_session(each.client_id, {"number": number})
        for _ in range(10):
            pipeline.send_to_group("everybody", PAYLOAD)
            pipeline.send_to_all("x")
    for result in pipeline.results:
        assert not isinstance(result, Exception), result


def leave(
    browsers: Sequence[Comer],
    unfinished: Sequence[socket.socket],
    client: GatewayClient,
    chance: Random,
) -> None:
    """Have everybody go, each in a way of its own."""
    for sock in unfinished:
        chance.choice([reset, socket.socket.close])(sock)
    orders = [client.close_client, client.destroy_client]
    ways = [Comer.end, Comer.reset, Comer.say_goodbye]
    for each in browsers:
        if chance.random() < TOLD_TO_GO:
            chance.choice(orders)(each.client_id)
        chance.choice(ways)(each)


@needs_compiler
def test_memory_is_that_of_one_crowd_however_many_came(tmp_path: Path) -> None:
    """Each wave comes, binds, joins, gets and goes in what the wave before it has left."""
    left = []
    with door(tmp_path) as running:
        for number in range(1, WAVES + 1):
            with Crowd(running.ports[0], WAVE) as crowd:
                bind_and_stream(running.client, crowd)
            running.becomes_empty(number * WAVE)
            left.append(resident(running.daemon.pid))
    assert left[-1] - left[1] < SETTLED, left


@needs_compiler
def test_memory_comes_back_when_everybody_has_left(tmp_path: Path) -> None:
    """Within seconds after a crowd has gone, more than half of what it took is the system's again."""
    with door(tmp_path) as running:
        before = resident(running.daemon.pid)
        with Crowd(running.ports[0], FLOOD) as crowd:
            bind_and_stream(running.client, crowd)
            with running.client.pipeline() as pipeline:
                for each in running.client.get_all_client_id_list():
                    pipeline.set_session(each, SESSION)
            time_passes(2 * TICK)  # whoever comes and goes between two ticks is not seen
            taken = resident(running.daemon.pid) - before
        running.becomes_empty(FLOOD)
        eventually(lambda: resident(running.daemon.pid) - before < taken / 2)


def bind_and_stream(client: GatewayClient, crowd: Crowd) -> None:
    """Give each browser a uid and two groups, and send a stream to all."""
    with client.pipeline() as pipeline:
        for number, each in enumerate(client.get_all_client_id_list()):
            pipeline.bind_uid(each, number)
            pipeline.join_group(each, f"group {number % 100}")
            pipeline.join_group(each, "everybody")
    assert all(pipeline.results)
    crowd.expect(20)
    with client.pipeline() as pipeline:
        for number in range(20):
            pipeline.send_to_group("everybody", message(number))
    crowd.result()


def test_a_handshake_that_ended_keeps_nothing_of_its_head() -> None:
    """Thousands that go in the middle of a long head cost no memory, long before their time would have run out."""
    with register() as directory, gateway(directory) as daemon:
        address = split(daemon.ready.ws)
        failed = f"{NAMESPACE}handshakes_failed_total"
        metrics(daemon.ready.http)
        before = resident(daemon.pid)
        for _ in range(HEADS):
            with socket.create_connection(address, PATIENCE) as sock:
                sock.sendall(LONG_HEAD)
        eventually(lambda: metrics(daemon.ready.http)[failed] == HEADS)
        assert resident(daemon.pid) - before < HEADS * len(LONG_HEAD) / 4
