"""`gateway start --php-start-port` as its users start it, and PHP programs that find it by the register."""

import json
import re
import socket
import struct
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.php.frames import Command, Frame
from gateway_client import GatewayClient
from gateway_process.errors import ExitCode
from tests.support.cluster import GATEWAY_PORTS, browse, gateway, get_text, register, split
from tests.support.daemons import Daemon, run
from tests.support.waiting import PATIENCE, eventually

PHP = ("--php-start-port", "0")


class PhpClient:
    """Does what GatewayClient does: asks the register, then dials a gateway for each call."""

    def __init__(self, directory: Daemon, secret_key: str = "") -> None:
        self._register = split(directory.ready.listen)
        self._secret_key = secret_key

    def addresses(self) -> list[str]:
        """Ask the register where gateways are."""
        with socket.create_connection(self._register, PATIENCE) as sock:
            told = {"event": "worker_connect", "secret_key": self._secret_key}
            sock.sendall(json.dumps(told).encode() + b"\n")
            line = sock.makefile("rb").readline()
        addresses: list[str] = json.loads(line)["addresses"]
        return addresses

    def tell_all(self, frame: Frame) -> None:
        """Send a frame to each gateway, and leave."""
        for address in self.addresses():
            with socket.create_connection(split(address), PATIENCE) as sock:
                sock.sendall(self._introduction() + frame.encode())

    def tell(self, client_id: str, command: Command, body: str) -> None:
        """Send a frame about a client to the gateway that its id names, and leave."""
        with socket.create_connection(address_in(client_id), PATIENCE) as sock:
            frame = Frame(command, int(client_id[12:], 16), body=body.encode())
            sock.sendall(self._introduction() + frame.encode())

    def ask_all(self, command: Command) -> list[bytes]:
        """Ask each gateway, and give the answers."""
        answers = []
        for address in self.addresses():
            with socket.create_connection(split(address), PATIENCE) as sock:
                sock.sendall(self._introduction() + Frame(command).encode())
                stream = sock.makefile("rb")
                answers.append(stream.read(*struct.unpack(">I", stream.read(4))))
        return answers

    def _introduction(self) -> bytes:
        if not self._secret_key:
            return b""
        body = json.dumps({"secret_key": self._secret_key}).encode()
        return Frame(Command.GATEWAY_CLIENT_CONNECT, body=body).encode()


def address_in(client_id: str) -> tuple[str, int]:
    """Give the address that a client id of PHP's form begins with."""
    host, port = struct.unpack(">4sH", bytes.fromhex(client_id[:12]))
    return socket.inet_ntoa(host), port


def test_php_finds_every_process_by_the_register(tmp_path: Path) -> None:
    """Each has a listener of its own; with a key, and beside a client of ours, all browsers are reached."""
    key = tmp_path / "key"
    key.write_text("of the cluster\n")
    flags = ("--secret-key-file", str(key))
    with (
        register(*flags) as directory,
        gateway(directory, *flags, *PHP, "--processes", "2") as running,
        ExitStack() as stack,
    ):
        php = PhpClient(directory, "of the cluster")
        assert sorted(php.addresses()) == sorted(running.ready.php.split(","))
        # The kernel spreads by a hash of the ports: 30 times the same process is 1 : 500,000,000.
        browsers = [stack.enter_context(browse(running.ready.ws)) for _ in range(30)]
        assert {address_in(each.client_id) for each in browsers} == {
            split(each) for each in php.addresses()
        }

        php.tell_all(Frame(Command.SEND_TO_ALL, body=b"from PHP"))
        assert {each.text() for each in browsers} == {"from PHP"}
        php.tell(browsers[0].client_id, Command.SEND_TO_ONE, "for one")
        assert browsers[0].text() == "for one"
        with GatewayClient(directory.ready.listen, secret_key="of the cluster") as client:
            assert client.send_to_client(browsers[1].client_id, "from ours") == 1
            assert client.get_all_client_count() == 30
        assert browsers[1].text() == "from ours"
        counts = php.ask_all(Command.GET_CLIENT_COUNT_BY_GROUP)
        assert sum(int(each[2:-1]) for each in counts) == 30

        pages = [get_text(each, "/metrics") for each in running.ready.http.split(",")]
        accepted = [re.search(r"_php_links_accepted_total (\d)", page) for page in pages]
        assert sum(int(each[1]) for each in accepted if each) == 5
        running.stop()
        assert eventually(lambda: php.addresses() == [])
        with pytest.raises(ConnectionRefusedError):
            php.tell(browsers[0].client_id, Command.SEND_TO_ONE, "nobody")


def test_a_gateway_that_starts_again_is_found_again() -> None:
    """At the same address, under the key of the one that was killed; ids of before are nobody's."""
    with register() as directory:
        with gateway(directory, *PHP) as first:
            address = first.ready.php
            with browse(first.ready.ws) as browser:
                before = browser.client_id
            first.kill()
        with gateway(directory, "--php-start-port", str(split(address)[1])) as second:
            php = PhpClient(directory)
            assert second.ready.php == address
            assert php.addresses() == [address]
            with browse(second.ready.ws) as browser:
                assert browser.client_id[:12] == before[:12]
                assert browser.client_id != before
                php.tell(before, Command.SEND_TO_ONE, "nobody")
                php.tell(browser.client_id, Command.SEND_TO_ONE, "somebody")
                assert browser.text() == "somebody"


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        ((*PHP, "--connmix"), ExitCode.USAGE, "--php-start-port: 0 and connmix each want"),
        (("--php-start-port", "70000"), ExitCode.USAGE, "--php-start-port: '70000' is above"),
        (
            (*PHP, "--advertise", "::1"),
            ExitCode.STARTUP,
            "--php-start-port: ::1 has no IPv4 address, which PHP's client ids hold",
        ),
        (
            (*PHP, "--advertise", "127.0.0.1", "--advertise-bind", "::1"),
            ExitCode.STARTUP,
            "--php-start-port: ::1 is not IPv4; PHP programs dial the IPv4 address",
        ),
        (
            (*PHP, "--advertise", "127.0.0.1", "--advertise-bind", "0.0.0.0"),
            ExitCode.USAGE,
            "--advertise-bind: '0.0.0.0:0' is open to other machines with no secret key",
        ),
    ],
)
def test_what_php_cannot_use_is_refused(flags: tuple[str, ...], code: int, told: str) -> None:
    """Before anything is started, in one line."""
    ended, _, errors = run("gateway", "start", *GATEWAY_PORTS, *flags)

    assert (ended, errors.count("\n")) == (code, 1)
    assert errors.startswith(f"gateway: {told}")


def test_two_gateways_with_one_address_are_told() -> None:
    """Behind a NAT both may say that they are it; the second does not start, and says why."""
    with register() as directory, gateway(directory, *PHP) as first:
        port = str(split(first.ready.php)[1])
        elsewhere = ("--advertise", "127.0.0.1", "--advertise-bind", "127.0.0.2")
        second = gateway(directory, "--php-start-port", port, *elsewhere)
        second.launch()
        try:
            assert second.wait() == ExitCode.STARTUP
        finally:
            second.kill()
        assert "another living gateway has the node id or key" in second.stderr
        assert f"p:7f000001{int(port):04x}" in second.stderr


def test_check_looks_at_the_ports_for_php() -> None:
    """Free ones are well, and those on which a gateway answers."""
    ports = (*GATEWAY_PORTS[:4], "--start-port", "0")
    with register() as directory, gateway(directory, *PHP) as running:
        at = ("--register", directory.ready.listen, *ports)
        _, free, _ = run("gateway", "check", *at, *PHP)
        _, used, _ = run("gateway", "check", *at, "--php-start-port", running.ready.php[10:])

    assert "ok       php-start-port 127.0.0.1:0: free" in free
    assert f"ok       php-start-port {running.ready.php}: answers PHP programs" in used
