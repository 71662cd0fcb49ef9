"""What `gateway start` refuses before anything runs, and its internal port's manners."""

import asyncio
import os
import re
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.program import port_of, public_kind
from gateway_client import AsyncGatewayClient, GatewayClient
from gateway_process.errors import ExitCode
from gateway_wire.addresses import Address
from gateway_wire.commands import Error, Role
from gateway_wire.errors import ErrorCode, LinkRefused
from gateway_wire.limits import MAX_FRAME, MAX_FRAME_BEFORE_PROOF
from tests.support.certificates import certificate
from tests.support.cluster import ANY, GATEWAY_PORTS, browse, gateway, register, split
from tests.support.daemons import Daemon, run
from tests.support.links import Dialler
from tests.support.waiting import PATIENCE, eventually
from tests.support.workers import metrics

REFUSED = "gatewayworker_gateway_links_refused_total"


def refused(*flags: str, **environment: str) -> tuple[int, str]:
    """Run a gateway that must refuse to start; give exit code and its one message."""
    command = ("gateway", "start", *GATEWAY_PORTS, *flags)
    code, output, errors = run(*command, environment=environment)
    assert (output, errors.count("\n")) == ("", 1)
    return code, errors


# Settings


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--advertise", "0.0.0.0"], "--advertise: '0.0.0.0:0' is open to other machines with no"),
        (["--advertise-bind", "0.0.0.0"], "--advertise-bind: '0.0.0.0:0' is open to other"),
        (["--http", "0.0.0.0:0"], "--http: '0.0.0.0:0' is open to other machines with no api key"),
        (["--listen", "txt://0.0.0.0:0"], "--listen: 'txt://0.0.0.0:0' is no listener"),
        (["--listen", "wss://0.0.0.0:0"], "--certfile: is missing for a wss:// listener"),
        (["--send-buffer", "1KiB"], "--send-buffer: 1024 is below max_message"),
        (["--max-message", "1GiB"], "--max-message: '1GiB' is above 4032KiB; give"),
        (["--processes", "0"], "--processes: '0' is below 1; give 1 or more"),
        (["--drain", "30"], "--drain: 30.0 is not below stop_timeout (25 s)"),
        (["-c", "/nowhere.toml"], "--config: '/nowhere.toml' cannot be read"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_the_remedy(
    flags: list[str], told: str
) -> None:
    """One line, exit code 2, and nothing was started."""
    code, message = refused(*flags)
    assert code == ExitCode.USAGE
    assert message.startswith(f"gateway: {told}")
    assert "; " in message


def test_an_unknown_flag_is_told_with_the_nearest() -> None:
    """A misspelt flag suggests the one that was probably meant."""
    code, _, errors = run("gateway", "start", "--ping-intervall", "3")
    assert code == ExitCode.USAGE
    assert "--ping-interval" in errors.replace("--ping-intervall", "")


def test_an_unknown_key_is_an_error_and_an_unknown_variable_a_warning(tmp_path: Path) -> None:
    """Both suggest what was probably meant; only the file is refused."""
    file = tmp_path / "cluster.toml"
    file.write_text("[gateway]\nping_intervall = 3\n")
    code, message = refused("-c", str(file))
    assert code == ExitCode.USAGE
    assert message == (
        f"gateway: {file}: [gateway] ping_intervall: is no setting; did you mean ping_interval?\n"
    )
    with (
        register() as directory,
        Daemon(
            *("gateway", "start", *GATEWAY_PORTS, "--register", directory.ready.listen),
            environment={"GATEWAYWORKER_GATEWAY__PING_INTERVALL": "3"},
        ) as running,
    ):
        told = "unknown variable GATEWAYWORKER_GATEWAY__PING_INTERVALL; did you mean"
        eventually(lambda: told in running.stderr)


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    """Each source counts where the ones before it say nothing."""
    with register() as directory:
        file = tmp_path / "cluster.toml"
        file.write_text(
            f'register_address = "{directory.ready.listen}"\n[register]\n[gateway]\n'
            'listen = "ws://no-such-host.invalid:1"\nhttp = "no-such-host.invalid:1"\n'
            "start_port = 0\n"
        )
        with Daemon(
            *("gateway", "start", "-c", str(file), "--listen", f"ws://{ANY}"),
            environment={
                "GATEWAYWORKER_GATEWAY__HTTP": ANY,
                "GATEWAYWORKER_GATEWAY__LISTEN": "ws://no-such-host.invalid:2",
            },
        ) as running:
            running.stop()


# Ports


@pytest.mark.parametrize("flag", ["--listen", "--http", "--start-port"])
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_port_in_use_is_told_with_its_flag_and_its_holder(flag: str, processes: str) -> None:
    """One process or several: the message names flag, address and holder; exit code 3."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        value = {"--listen": f"ws://127.0.0.1:{port}", "--start-port": str(port)}
        code, message = refused(
            *("--register", "127.0.0.1:1", "--processes", processes),
            *(flag, value.get(flag, f"127.0.0.1:{port}")),
        )
    assert code == ExitCode.STARTUP
    assert message.startswith(f"gateway: {flag}: 127.0.0.1:{port} is in use by ")
    assert message.endswith(f"(pid {os.getpid()}); stop it or choose another port\n")


def test_ports_count_up_and_zero_stays() -> None:
    """Process i has the first port plus i; with 0 the kernel chooses each."""
    assert [port_of(2900, number) for number in range(3)] == [2900, 2901, 2902]
    assert [port_of(0, number) for number in range(3)] == [0, 0, 0]
    assert public_kind(1) == "listen1"


def test_a_certificate_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """The start fails with the path and the remedy."""
    made = certificate(tmp_path)
    made.keyfile.unlink()
    code, message = refused("--register", "127.0.0.1:1", "--listen", f"wss://{ANY}", *made.flags)
    assert code == ExitCode.STARTUP
    assert message.startswith(f"gateway: --keyfile: {made.keyfile} cannot be read")


def test_a_loopback_address_is_not_announced_to_an_exposed_register() -> None:
    """Others could not dial it: the register refuses, and the message says what to give."""
    with register("--insecure", listen="0.0.0.0:0") as directory:
        port = split(directory.ready.listen)[1]
        code, _, errors = run("gateway", "start", *GATEWAY_PORTS, "--register", f"127.0.0.1:{port}")
        assert code == ExitCode.STARTUP
        assert "--advertise" in errors.splitlines()[-1]


# The internal port


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Daemon, Daemon]]:
    """Give a running register and gateway."""
    with register() as directory, gateway(directory) as daemon:
        yield directory, daemon


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        struct.pack("!I", 5) + b"hello",
        struct.pack("!I", 0),
        struct.pack("!I", MAX_FRAME_BEFORE_PROOF + 1),
        struct.pack("!I", MAX_FRAME + 1),
        struct.pack("!I", 3) + b"\x93\x01\x00",
        b"\xff" * 10_000,
    ],
    ids=["http", "no list", "empty", "long before the hello", "too long", "cut short", "noise"],
)
def test_what_is_no_frame_of_ours_is_closed(running: tuple[Daemon, Daemon], sent: bytes) -> None:
    """The peer is closed at once and counted, the log says why, and everybody else goes on."""
    directory, daemon = running
    before = metrics(daemon.ready.http).get(REFUSED, 0)
    with socket.create_connection(split(daemon.ready.internal), PATIENCE) as sock:
        sock.sendall(sent)
        try:
            while sock.recv(4096):
                pass
        except ConnectionResetError:
            pass  # it had heard enough
    eventually(lambda: metrics(daemon.ready.http).get(REFUSED, 0) == before + 1)
    eventually(lambda: re.search(r"link from 127\.0\.0\.1:\d+ refused: ", daemon.stderr))
    with browse(daemon.ready.ws) as browser, GatewayClient(directory.ready.listen) as client:
        assert client.send_to_client(browser.client_id, "still here") == 1
        assert browser.text() == "still here"
    assert "Traceback" not in daemon.stderr


@pytest.mark.parametrize(
    "sent",
    [
        struct.pack("!I", MAX_FRAME + 1),
        struct.pack("!I", 5) + b"hello",
        struct.pack("!I", 3) + b"\xc1\xc1\xc1",
    ],
    ids=["too long", "no list", "no msgpack"],
)
async def test_a_peer_that_breaks_the_rules_later_loses_its_link_alone(
    running: tuple[Daemon, Daemon], sent: bytes
) -> None:
    """After its hello, too, a peer that speaks nonsense is told why and closed; others go on."""
    directory, daemon = running
    address = Address.parse(daemon.ready.internal)
    async with AsyncGatewayClient(directory.ready.listen) as client, Dialler(address) as peers:
        assert await client.get_all_client_count() == 0
        link, owner = await peers.dial(Role.CLIENT)
        assert link._transport is not None
        link._transport.write(sent)
        reason = await asyncio.wait_for(owner.reasons.get(), PATIENCE)
        assert isinstance(reason, LinkRefused)
        assert reason.code == ErrorCode.PROTOCOL.value
        assert await client.get_all_client_count() == 0
    assert "Traceback" not in daemon.stderr


async def test_an_unknown_command_is_answered_and_keeps_the_link(
    running: tuple[Daemon, Daemon],
) -> None:
    """A newer peer may ask for what this gateway does not have."""
    _, daemon = running
    async with Dialler(Address.parse(daemon.ready.internal)) as peers:
        link, owner = await peers.dial(Role.CLIENT)
        for number in (1, 2):
            link.send_frame(struct.pack("!I", 6) + bytes([0x93, 0xCD, 0x7F, 0xFF, number, 0xC0]))
            envelope = await asyncio.wait_for(owner.envelopes.get(), PATIENCE)
            assert isinstance(envelope.command, Error)
            assert (envelope.request_id, envelope.command.error) == (number, "unsupported")
