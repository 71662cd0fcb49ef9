"""The public port of a running gateway: what its settings do, and what rough peers get."""

import contextlib
import signal
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from gateway_client import GatewayClient, MessageTooLarge
from gateway_wire import close_codes
from tests.support.certificates import certificate
from tests.support.cluster import (
    ANY,
    GATEWAY_PORTS,
    browse,
    close_code,
    gateway,
    raw,
    register,
    split,
)
from tests.support.daemons import MODULE, Daemon
from tests.support.waiting import PATIENCE, eventually

MAX_MESSAGE: Final = 1024
"""Of the gateway that most tests here share."""
FIN_TEXT: Final = 0x81
FIN_BINARY: Final = 0x82
CONTINUATION: Final = 0x00
CLOSE: Final = 0x88


@pytest.fixture(scope="module")
def directory() -> Iterator[Daemon]:
    """Give a running register."""
    with register() as running:
        yield running


@pytest.fixture(scope="module")
def running(directory: Daemon) -> Iterator[Daemon]:
    """Give a running gateway with a small limit of messages, and no init message in the way."""
    flags = ("--max-message", str(MAX_MESSAGE), "--no-init-message")
    with gateway(directory, *flags) as daemon:
        yield daemon


def frame(opcode: int, payload: bytes, *, masked: bool = True) -> bytes:
    """Write a frame whose mask changes nothing; shorter than 126 bytes."""
    mask = bytes(4) if masked else b""
    return bytes([opcode, len(payload) | 0x80 * masked]) + mask + payload


def long_frame(opcode: int, announced: int, payload: bytes = b"") -> bytes:
    """Write a frame of more than 125 bytes, whatever of it is sent."""
    short = announced < 1 << 16
    length = struct.pack("!BH" if short else "!BQ", 0xFE if short else 0xFF, announced)
    return bytes([opcode]) + length + bytes(4) + payload


def closed_with(sock: socket.socket) -> int:
    """Read all that comes; give the code of the close frame that is last."""
    data = b""
    while more := sock.recv(4096):
        data += more
    start = data.rindex(CLOSE)
    code: int = struct.unpack_from("!H", data, start + 2)[0]
    return code


# Rough peers


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(FIN_TEXT, b"x", masked=False), 1002),
        (frame(0xC1, b"x"), 1002),  # a reserved bit
        (frame(0x83, b"x"), 1002),  # a reserved opcode
        (frame(CONTINUATION, b"x"), 1002),  # of nothing
        (frame(0x09, b"x"), 1002),  # a control frame in parts
        (frame(CLOSE, b"x"), 1002),  # half a code
        (frame(FIN_TEXT, b"\xff"), 1007),
        (long_frame(FIN_BINARY, MAX_MESSAGE + 1), 1009),
        (long_frame(FIN_BINARY, 1 << 62), 1009),
        (bytes([FIN_BINARY, 0xFF]) + struct.pack("!Q", 7), 1002),  # a length longer than need be
        (long_frame(0x02, MAX_MESSAGE, bytes(MAX_MESSAGE)) + frame(0x80, b"x"), 1009),
    ],
)
def test_a_frame_against_the_rules_closes_that_connection(
    running: Daemon, sent: bytes, code: int
) -> None:
    """Each kind of malformed or oversized frame has its code; a length is judged, not waited for."""
    with raw(running.ready.ws) as sock:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        assert closed_with(sock) == code


def test_the_largest_message_is_taken(running: Daemon, directory: Daemon) -> None:
    """Exactly the limit passes both ways; one byte more is refused to its sender, and costs no one."""
    with raw(running.ready.ws) as sock, GatewayClient(directory.ready.listen) as client:
        sock.sendall(long_frame(FIN_BINARY, MAX_MESSAGE, bytes(MAX_MESSAGE)))
        assert client.send_to_all(b"x" * MAX_MESSAGE) == 1
        head = b"\x82\x7e" + struct.pack("!H", MAX_MESSAGE)
        expected = head + b"x" * MAX_MESSAGE
        assert sock.recv(len(expected), socket.MSG_WAITALL) == expected
        with pytest.raises(MessageTooLarge):
            client.send_to_all(b"x" * (MAX_MESSAGE + 1))
        assert client.send_to_all("still here") == 1


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01" * 20 + b"\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"x" * 100_000],
    ids=["tls", "plain request", "noise"],
)
def test_what_is_no_websocket_handshake_is_turned_away(running: Daemon, sent: bytes) -> None:
    """TLS, a plain request and endless noise get an HTTP error, and the port is well after it."""
    with socket.create_connection(split(running.ready.ws), PATIENCE) as sock:
        answer = b""
        try:
            sock.sendall(sent)
            while more := sock.recv(4096):
                answer += more
        except ConnectionResetError:
            pass  # it had heard enough
    assert answer[:9] in {b"HTTP/1.1 ", b""}
    with raw(running.ready.ws):
        pass


def test_a_handshake_that_takes_too_long_is_ended(directory: Daemon) -> None:
    """Who connects and says nothing is cut after --handshake-timeout."""
    with (
        gateway(directory, "--handshake-timeout", "0.1") as impatient,
        socket.create_connection(split(impatient.ready.ws), PATIENCE) as sock,
    ):
        while sock.recv(4096):
            pass


# Settings


def test_without_init_messages_the_first_message_is_the_applications(
    running: Daemon, directory: Daemon
) -> None:
    """`--no-init-message` leaves the first word to the application."""
    with raw(running.ready.ws) as sock, GatewayClient(directory.ready.listen) as client:
        assert client.send_to_all("first") == 1
        assert sock.recv(7) == b"\x81\x05first"


def test_ping_data_is_a_message_that_pages_can_see(directory: Daemon) -> None:
    """It comes each interval, besides the protocol's own ping."""
    flags = ("--ping-interval", "0.5", "--ping-timeout", "0.5", "--ping-data", '{"type":"beat"}')
    with gateway(directory, *flags) as beating, browse(beating.ready.ws) as browser:
        assert [browser.text(), browser.text()] == ['{"type":"beat"}'] * 2


def test_who_does_not_answer_pings_is_closed(directory: Daemon) -> None:
    """A browser that is silent for the ping timeout after a ping is cut; the code is in the log."""
    flags = ("--ping-interval", "0.5", "--ping-timeout", "0.5", "--log-level", "debug")
    with gateway(directory, *flags) as pinging, raw(pinging.ready.ws) as sock:
        with contextlib.suppress(ConnectionResetError):
            while sock.recv(4096):
                pass
        eventually(lambda: "closed: 3001 ping_timeout" in pinging.stderr)


def test_who_is_never_bound_is_closed(directory: Daemon) -> None:
    """`--bind-timeout` ends connections without a uid, with 3502, and leaves those with one."""
    with ExitStack() as stack:
        strict = stack.enter_context(gateway(directory, "--bind-timeout", "0.5"))
        client = stack.enter_context(GatewayClient(directory.ready.listen))
        bound = stack.enter_context(browse(strict.ready.ws))
        assert client.bind_uid(bound.client_id, "ann")
        stranger = stack.enter_context(browse(strict.ready.ws))
        assert close_code(stranger) == close_codes.NEVER_BOUND.code
        assert client.send_to_uid("ann", "still here") == 1
        assert bound.text() == "still here"


def test_a_full_house_lets_the_next_one_wait(directory: Daemon) -> None:
    """At --max-connections accepting pauses; when one leaves, who waited comes in."""
    with gateway(directory, "--max-connections", "2") as small, ExitStack() as stack:
        stack.enter_context(browse(small.ready.ws))
        with browse(small.ready.ws):
            eventually(lambda: "accepting pauses: 2 sockets are open" in small.stderr)
            waiting = socket.create_connection(split(small.ready.ws), PATIENCE)
            stack.callback(waiting.close)
            waiting.sendall(b"GET / HTTP/1.1\r\n\r\n")
            waiting.setblocking(False)
            with pytest.raises(BlockingIOError):
                waiting.recv(1)
        waiting.settimeout(PATIENCE)
        assert waiting.recv(9) == b"HTTP/1.1 "


def test_the_limit_of_open_files_pauses_accepting_too(directory: Daemon) -> None:
    """A low limit is told at the start with the remedy; nothing spins or breaks when it is met."""
    limit = 140
    low = Daemon(
        *("gateway", "start", *GATEWAY_PORTS, "--register", directory.ready.listen),
        launcher=("sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *MODULE),
    )
    with low, ExitStack() as stack:
        eventually(lambda: f"only {limit} files may be open" in low.stderr)
        assert "LimitNOFILE=" in low.stderr
        for _ in range(limit - 128):
            stack.enter_context(browse(low.ready.ws))
        eventually(lambda: "accepting pauses: 12 sockets are open" in low.stderr)
        with GatewayClient(directory.ready.listen) as client:
            assert client.send_to_all("x") == 12
        stack.close()
        with browse(low.ready.ws):
            low.stop()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--trusted-proxies", "10.0.0.0/8,127.0.0.1"), "203.0.113.7:"),
        (("--trusted-proxies", "10.0.0.0/8"), "127.0.0.1:"),
        ((), "127.0.0.1:"),
    ],
)
def test_a_proxys_word_counts_when_it_is_trusted(
    directory: Daemon, flags: tuple[str, ...], told: str
) -> None:
    """The browser's address is the forwarded one, or else that of the connection."""
    flags = ("--send-buffer", "1MiB", *flags)
    with ExitStack() as stack:
        running = stack.enter_context(gateway(directory, *flags))
        stack.enter_context(raw(running.ready.ws, "/", "X-Forwarded-For: 203.0.113.7"))
        client = stack.enter_context(GatewayClient(directory.ready.listen))
        while client.send_to_all(b"x" * 1_000_000):
            pass  # nobody reads it, and so the log tells who was cut
        eventually(lambda: "does not read" in running.stderr)
        assert f" {told}" in running.stderr.partition("does not read")[0].splitlines()[-1]


def test_ipv6(directory: Daemon) -> None:
    """A listener in brackets serves IPv6, beside one for IPv4."""
    ports = ("--listen", "ws://[::1]:0", *GATEWAY_PORTS)
    with gateway(directory, ports=ports) as both, ExitStack() as stack:
        urls = both.ready.ws.split(",")
        assert urls[0].startswith("ws://[::1]:")
        for url in urls:
            stack.enter_context(browse(url))
        with GatewayClient(directory.ready.listen) as client:
            assert client.send_to_all("x") == 2


# wss


def test_a_secure_listener_takes_a_new_certificate_on_reload(
    directory: Daemon, tmp_path: Path
) -> None:
    """After SIGHUP new connections see the new certificate; open ones go on."""
    first = certificate(tmp_path)
    trust_first, first_pem = first.trusted(), first.certfile.read_text()
    ports = ("--listen", f"wss://{ANY}", *first.flags, "--http", ANY, "--start-port", "0")
    with gateway(directory, ports=ports) as secure, ExitStack() as stack:
        url = secure.ready.ws
        early = stack.enter_context(browse(url, tls=trust_first))
        second = certificate(tmp_path)
        secure.send_signal(signal.SIGHUP)
        eventually(lambda: "reloaded" in secure.stderr)
        late = stack.enter_context(browse(url, tls=second.trusted()))
        with pytest.raises(ssl.SSLCertVerificationError), browse(url, tls=trust_first):
            pass
        assert second.certfile.read_text() != first_pem
        with GatewayClient(directory.ready.listen) as client:
            assert client.send_to_all("x" * 100_000) == 2
        assert early.text() == late.text() == "x" * 100_000


def test_a_broken_certificate_on_reload_changes_nothing(directory: Daemon, tmp_path: Path) -> None:
    """The old one stays in force, and the log says what is wrong."""
    made = certificate(tmp_path)
    trust = made.trusted()
    ports = ("--listen", f"wss://{ANY}", *made.flags, "--http", ANY, "--start-port", "0")
    with gateway(directory, ports=ports) as secure:
        made.certfile.write_text("broken")
        secure.send_signal(signal.SIGHUP)
        eventually(lambda: "reload changed nothing: --certfile" in secure.stderr)
        with browse(secure.ready.ws, tls=trust):
            secure.stop()


def test_plain_talk_on_a_secure_port_hurts_nobody(directory: Daemon, tmp_path: Path) -> None:
    """Who speaks no TLS is closed; the log holds no traceback."""
    made = certificate(tmp_path)
    ports = ("--listen", f"wss://{ANY}", *made.flags, "--http", ANY, "--start-port", "0")
    with gateway(directory, ports=ports) as secure:
        with socket.create_connection(split(secure.ready.ws), PATIENCE) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while sock.recv(4096):
                pass
        with browse(secure.ready.ws, tls=made.trusted()):
            secure.stop()
        assert "Traceback" not in secure.stderr


def test_a_browser_that_broke_a_rule_is_offline_at_once(directory: Daemon, running: Daemon) -> None:
    """No answer counts a connection that nothing reaches, though its socket is still there."""
    with GatewayClient(directory.ready.listen) as client, raw(running.ready.ws) as browser:
        eventually(lambda: client.get_all_client_count() == 1)
        browser.sendall(frame(FIN_TEXT, b"x", masked=False))

        assert browser.recv(1)[0] == CLOSE  # the gateway waits for our end now
        assert client.get_all_client_count() == 0
        assert client.send_to_all("hello") == 0
