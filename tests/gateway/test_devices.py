"""Devices beside browsers: running gateways that speak several protocols at once."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from gateway.connection import Connection
from gateway.edge.frame import Frame
from gateway.edge.handshake import Handshake
from gateway.edge.options import EdgeOptions
from gateway.edge.server import EdgeServer
from gateway.edge.speech import Speech
from gateway.edge.stream import speaking
from gateway.edge.text import Text
from gateway_client import GatewayClient
from gateway_process.errors import ExitCode
from scripts.tree import ROOT
from tests.gateway.edge.protocols import Colons
from tests.gateway.edge.support import bound, request
from tests.gateway.support import running, turns_until
from tests.support.certificates import certificate
from tests.support.cluster import ANY, GATEWAY_PORTS, browse, gateway, get_json, register, split
from tests.support.daemons import DEV_ON_ANY_PORT, Daemon, run
from tests.support.waiting import PATIENCE, eventually
from tests.support.workers import Journal, worker

OWN: Final = "tests.gateway.edge.protocols:Colons"
LISTEN: Final = tuple(f"--listen={scheme}://{ANY}" for scheme in ("ws", "text", "frame", OWN))
PORTS: Final = (*LISTEN, f"--app-dir={ROOT}", "--http", ANY, "--start-port", "0")


@pytest.fixture(scope="module")
def directory() -> Iterator[Daemon]:
    """Give a running register."""
    with register() as running:
        yield running


@pytest.fixture(scope="module")
def all_at_once(directory: Daemon) -> Iterator[Daemon]:
    """Give a gateway of two processes for browsers, lines, frames and somebody's own protocol."""
    with gateway(directory, "--processes=2", ports=PORTS) as daemon:
        yield daemon


@contextmanager
def device(url: str, tls: ssl.SSLContext | None = None) -> Iterator[socket.socket]:
    """Connect a device."""
    with socket.create_connection(split(url), PATIENCE) as sock:
        if tls is None:
            yield sock
        else:
            with tls.wrap_socket(sock, server_hostname="localhost") as secured:
                yield secured


class Urls(NamedTuple):
    """Where the devices' listeners are."""

    text: str
    frame: str
    own: str


def urls(daemon: Daemon) -> Urls:
    """Read the ready line."""
    return Urls(*daemon.ready.tcp.split(","))


def exactly(sock: socket.socket, expected: bytes) -> None:
    """See that these bytes come next."""
    received = b""
    while len(received) < len(expected) and (data := sock.recv(len(expected) - len(received))):
        received += data
    assert received == expected


def test_the_ready_line_has_browsers_apart_from_devices(all_at_once: Daemon) -> None:
    """With real ports, in the order of the flags."""
    assert all_at_once.ready.ws.startswith("ws://127.0.0.1:")
    assert [url.partition("://")[0] for url in urls(all_at_once)] == ["text", "frame", OWN]


def test_a_group_of_all_gets_one_message(all_at_once: Daemon, directory: Daemon) -> None:
    """Each in its own encoding; devices are not told a client_id, and have none to tell."""
    with ExitStack() as stack:
        client = stack.enter_context(GatewayClient(directory.ready.listen))
        browser = stack.enter_context(browse(all_at_once.ready.ws))
        text, frame, own = (stack.enter_context(device(url)) for url in urls(all_at_once))
        eventually(lambda: client.get_all_client_count() == 4)
        for client_id in client.get_all_client_id_list():
            assert client.join_group(client_id, "all")
        assert client.send_to_group("all", {"t": "grüße"}) == 4
        assert browser.text() == '{"t":"grüße"}'
        exactly(text, '{"t":"grüße"}\n'.encode())
        exactly(frame, Frame().encode('{"t":"grüße"}'))
        exactly(own, '{"t":"grüße"}:'.encode())
        assert client.send_to_group("all", b"\x00\xff") == 4
        assert browser.text() == b"\x00\xff"
        exactly(text, b"\x00\xff\n")
        exactly(frame, b"\x00\x00\x00\x06\x00\xff")
        exactly(own, b"\x00\xff:")
        assert client.close_group("all", "bye", 4001, "enough") == 4
        exactly(text, b"bye\n")
        exactly(own, b"bye:!4001 enough")
        assert text.recv(1) == own.recv(1) == b""


def test_administrators_see_which_listener_a_device_came_through(
    all_at_once: Daemon, directory: Daemon
) -> None:
    """In `connections`, as in `current.listener`."""
    with device(urls(all_at_once).text), GatewayClient(directory.ready.listen) as client:
        eventually(lambda: client.get_all_client_count() == 1)
        command = ("gateway", "connections", "--json", f"--run-dir={all_at_once.run_dir}")
        code, output, errors = run(*command)
        assert (code, errors) == (0, "")
        assert urls(all_at_once).text in output


def test_workers_hear_of_devices(directory: Daemon, tmp_path: Path) -> None:
    """on_connect, on_message and on_close; there was no websocket, so nothing tells of one."""
    journal = Journal(tmp_path)
    with (
        worker(directory, "async_module", environment=journal.environment),
        gateway(directory, ports=PORTS) as daemon,
        GatewayClient(directory.ready.listen) as client,
    ):
        eventually(lambda: get_json(daemon.ready.http, "/readyz")["workers"])
        with device(urls(daemon).text) as text, device(urls(daemon).frame) as frame:
            text.sendall(b"hel")
            text.sendall(b'lo\n{"do":"current","args":[]}\n')
            exactly(text, b"hello\n")
            told = text.recv(4096).decode()
            assert f'"listener": "{urls(daemon).text}"' in told
            frame.sendall(Frame().encode(b"\x00\xff"))
            exactly(frame, Frame().encode(b"\x00\xff"))
            ids = client.get_all_client_id_list()
        closed = journal.wait("on_close", 2)
        assert sorted(each["client_id"] for each in closed) == sorted(ids)
        assert [each["reason"][:2] for each in closed] == [[1005, "peer_closed"]] * 2
        assert len(journal.notes("on_connect")) == 2
        assert journal.notes("on_websocket_connect") == []


def test_tls_on_each_and_a_new_certificate_by_a_reload(directory: Daemon, tmp_path: Path) -> None:
    """Devices that are connected stay; new ones see the new certificate."""
    first = certificate(tmp_path)
    trust_first = first.trusted()
    listen = tuple(f"--listen={each}+tls://{ANY}" for each in ("text", "frame", OWN))
    ports = (*listen, f"--app-dir={ROOT}", *first.flags, *GATEWAY_PORTS[2:])
    with gateway(directory, ports=ports) as daemon, ExitStack() as stack:
        assert "ws" not in daemon.ready.addresses
        client = stack.enter_context(GatewayClient(directory.ready.listen))
        early = [stack.enter_context(device(url, trust_first)) for url in urls(daemon)]
        eventually(lambda: client.get_all_client_count() == 3)
        trust_second = certificate(tmp_path).trusted()
        daemon.send_signal(signal.SIGHUP)
        eventually(lambda: "reloaded" in daemon.stderr)
        late = stack.enter_context(device(urls(daemon).text, trust_second))
        with pytest.raises(ssl.SSLCertVerificationError), device(urls(daemon).text, trust_first):
            pass
        eventually(lambda: client.get_all_client_count() == 4)
        large = "x" * 300_000
        assert client.send_to_all(large) == 4
        line = f"{large}\n".encode()
        expected = (line, Frame().encode(large), f"{large}:".encode(), line)
        for sock, data in zip((*early, late), expected, strict=True):
            exactly(sock, data)


def test_a_device_that_does_not_read_is_cut(directory: Daemon) -> None:
    """As browsers are; one that reads gets everything."""
    flags = ("--max-message=100KB", "--send-buffer=200KB", "--log-level=info")
    with (
        gateway(directory, *flags, ports=PORTS) as daemon,
        GatewayClient(directory.ready.listen) as client,
        device(urls(daemon).text),
        device(urls(daemon).text) as reading,
    ):
        eventually(lambda: client.get_all_client_count() == 2)
        line = b"x" * 100_000 + b"\n"
        while client.send_to_all("x" * 100_000) == 2:
            exactly(reading, line)
        exactly(reading, line)
        eventually(lambda: "does not read; more waits for it" in daemon.stderr)
        assert client.send_to_all("still here") == 1
        exactly(reading, b"still here\n")


def test_what_is_too_large_or_wrong_closes_that_device(directory: Daemon) -> None:
    """The gateway goes on, and its log holds no traceback."""
    with gateway(directory, "--max-message=1000", "--log-level=debug", ports=PORTS) as daemon:
        for url, sent in (
            (urls(daemon).text, b"x" * 1001),
            (urls(daemon).text, b"\xff\n"),
            (urls(daemon).frame, struct.pack("!I", 1005)),
            (urls(daemon).frame, b"\0\0\0\3"),
            (urls(daemon).own, b"x" * 100_000),
        ):
            with device(url) as sock:
                sock.sendall(sent)
                while sock.recv(4096):
                    pass
        eventually(lambda: daemon.stderr.count("closed: 1009 message_too_big") == 3)
        eventually(lambda: "closed: 1007 invalid_text" in daemon.stderr)
        eventually(lambda: "closed: 1002 protocol_error" in daemon.stderr)
        daemon.stop()
        assert "Traceback" not in daemon.stderr


def test_stopping_tells_devices_that_can_be_told(directory: Daemon) -> None:
    """Own protocols have a farewell; all streams end, and the gateway ends cleanly."""
    with gateway(directory, ports=PORTS) as daemon, ExitStack() as stack:
        text, _, own = (stack.enter_context(device(url)) for url in urls(daemon))
        client = stack.enter_context(GatewayClient(directory.ready.listen))
        eventually(lambda: client.get_all_client_count() == 3)
        daemon.send_signal(signal.SIGTERM)
        exactly(own, b"!1012 stopping")
        assert own.recv(1) == text.recv(1) == b""
        stack.close()
        assert daemon.wait() == ExitCode.OK


@pytest.mark.parametrize(
    ("listen", "told"),
    [
        ("txt://127.0.0.1:0", "is no listener this gateway has; did you mean text://?"),
        ("nowhere:Meter://127.0.0.1:0", "cannot be imported; there is no module 'nowhere'"),
        ("json:loads://127.0.0.1:0", "is no class"),
        ("json:JSONDecoder://127.0.0.1:0", "has no feed"),
        ("text+tls://127.0.0.1:0", "--certfile: is missing for a text+tls:// listener"),
    ],
)
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_listener_that_cannot_be_spoken_is_refused(
    directory: Daemon, listen: str, told: str, processes: str
) -> None:
    """At the start, as any wrong setting; `check` says the same."""
    flags = (f"--listen={listen}", f"--register={directory.ready.listen}", *GATEWAY_PORTS[2:])
    code, _, errors = run("gateway", "start", *flags, f"--processes={processes}")
    assert (code, told in errors) == (ExitCode.USAGE, True), errors
    code, output, _ = run("gateway", "check", *flags)
    assert (code, told in output) == (ExitCode.FAILED, True), output


def test_check_looks_at_listeners_of_devices(
    all_at_once: Daemon, directory: Daemon, tmp_path: Path
) -> None:
    """Free ones, ones that a gateway has, and protocols of somebody's own."""
    made = certificate(tmp_path)
    ports = (f"--listen=text+tls://{ANY}", *made.flags, *GATEWAY_PORTS[2:])
    with gateway(directory, ports=ports) as secure:
        listening = (*urls(all_at_once), secure.ready.tcp, f"frame://{ANY}")
        listen = (f"--listen={url}" for url in listening)
        flags = (f"--register={directory.ready.listen}", f"--app-dir={ROOT}", *GATEWAY_PORTS[2:])
        _, output, _ = run("gateway", "check", *listen, *made.flags, *flags)
    assert f"ok       protocol {OWN}: can be used\n" in output
    for url in listening[:-1]:
        assert f"ok       listen {url}: accepts connections\n" in output
    assert f"ok       listen frame://{ANY}: free\n" in output


def test_dev_serves_devices(tmp_path: Path) -> None:
    """Beside the demo; protocols are looked for where the events are."""
    (tmp_path / "colons.py").write_text("from tests.gateway.edge.protocols import Colons\n")
    flags = ("--listen=colons:Colons://127.0.0.1:0", f"--app-dir={tmp_path}")
    here = {"PYTHONPATH": str(ROOT)}
    with Daemon("gateway", *DEV_ON_ANY_PORT, *flags, environment=here) as dev:
        assert dev.ready.tcp.startswith("colons:Colons://127.0.0.1:")
        with device(dev.ready.tcp), browse(dev.ready.ws):
            pass
    code, _, errors = run("gateway", "dev", f"--listen=text://{ANY}")
    assert code == ExitCode.USAGE
    assert "--listen: has no ws:// for the demo's page; add one" in errors


# Encoding, in one process


def counted(protocol: type[Any]) -> type[Any]:
    """Give a class that speaks the same and counts its encodings."""

    class Counting(protocol):  # type: ignore[misc]
        encoded = 0

        def encode(self, message: str | bytes) -> bytes:
            Counting.encoded += 1
            return bytes(super().encode(message))

    return Counting


async def test_a_broadcast_is_encoded_once_for_each_protocol() -> None:
    """However many connections speak it, and through however many listeners."""
    protocols = [counted(each) for each in (Text, Frame, Colons)]
    async with running(init_message=True) as core:
        edge = EdgeServer(core.clients, EdgeOptions())
        speeches = [Speech(str(index), each, 1000) for index, each in enumerate(protocols)]
        listeners = [
            edge.add_listener(f"{number} {speech.name}", [bound()], speaks=speaking(speech))
            for number in range(2)
            for speech in speeches
        ]
        listeners.append(edge.add_listener("ws", [bound()], speaks=Handshake))
        edge.start()
        streams = []
        for listener in listeners:
            for _ in range(2):
                reader, writer = await asyncio.open_connection(*listener.addresses[0])
                if listener is listeners[-1]:
                    writer.write(request())
                    assert b"init" in await reader.readuntil(b"}")
                streams.append((reader, writer))
        await turns_until(lambda: len(core.hub.connections) == len(streams))
        members: list[Connection] = [*core.hub.connections.values()]
        assert core.outbox.offer(members, "hello") == len(streams) == 14
        core.outbox.flush()
        assert [each.encoded for each in protocols] == [1, 1, 1]
        endings = [b"hello\n", Frame().encode("hello"), b"hello:"] * 2 + [b"\x81\x05hello"]
        for (reader, writer), expected in zip(
            streams, [each for each in endings for _ in range(2)], strict=True
        ):
            assert await reader.readexactly(len(expected)) == expected
            writer.close()
        edge.close()
