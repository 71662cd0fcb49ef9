"""`gateway start` as its users start it: real processes, real sockets."""

import random
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.error import HTTPError

import pytest

from gateway_client import GatewayClient
from gateway_process.errors import ExitCode
from gateway_wire import close_codes
from tests.support.cluster import (
    ANY,
    GATEWAY_PORTS,
    browse,
    children,
    close_code,
    closed_address,
    gateway,
    get_json,
    get_text,
    nodes,
    raw,
    register,
    split,
)
from tests.support.daemons import READY, Daemon, Ready, run
from tests.support.waiting import eventually

NO_REGISTER: Final = "127.0.0.1:1"


@pytest.fixture(scope="module")
def directory() -> Iterator[Daemon]:
    """Give a running register."""
    with register() as running:
        yield running


def refused(*flags: str, **environment: str) -> tuple[int, str]:
    """Run a gateway that must refuse to start; give exit code and stderr, which is one message."""
    command = ("gateway", "start", *GATEWAY_PORTS, *flags)
    code, output, errors = run(*command, environment=environment)
    assert output == ""
    assert "Traceback" not in errors
    return code, errors


# Start


def test_one_process_says_where_it_listens_and_stops_with_0(directory: Daemon) -> None:
    """The ready line names three real addresses; SIGTERM ends it cleanly."""
    with gateway(directory) as running:
        ready = running.ready
        assert list(ready.addresses) == ["ws", "internal", "http", "pid"]
        assert ready.pid == str(running.pid)
        with browse(ready.ws) as browser:
            assert [browser.client_id[:12]] == nodes(directory)
        assert get_json(ready.http, "/readyz")["status"] == "ready"
        running.stop()
        assert nodes(directory) == []
        assert "Traceback" not in running.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_what_is_advertised_is_dialled(directory: Daemon, host: str) -> None:
    """IPv4, IPv6 or a DNS name, also under the name that GatewayWorker's users know."""
    with gateway(directory, "--lan-ip", host), GatewayClient(directory.ready.listen) as client:
        assert client.send_to_all("m") == 0


def test_two_processes_share_the_public_port(directory: Daemon) -> None:
    """One ready line; each process is a node of its own, on the next ports, and gets browsers."""
    first = four_free_ports()
    http, start_port = f"127.0.0.1:{first}", f"{first + 2}"
    ports = ("--listen", f"ws://{ANY}", "--http", http, "--start-port", start_port)
    with gateway(directory, "--processes", "2", ports=ports) as running, ExitStack() as stack:
        ready = running.ready
        assert "," not in ready.ws
        assert ready.http == f"127.0.0.1:{first},127.0.0.1:{first + 1}"
        assert ready.internal == f"127.0.0.1:{first + 2},127.0.0.1:{first + 3}"
        known = nodes(directory)
        assert len(known) == len(children(running)) == 2
        # The kernel spreads by a hash of the ports: 30 times the same process is 1 : 500,000,000.
        browsers = [stack.enter_context(browse(ready.ws)) for _ in range(30)]
        assert {browser.client_id[:12] for browser in browsers} == set(known)
        with GatewayClient(directory.ready.listen) as client:
            assert client.send_to_all("to both") == len(browsers)
        assert {browser.text() for browser in browsers} == {"to both"}
        running.stop()
        assert {close_code(browser) for browser in browsers} == {close_codes.STOPPING.code}


def four_free_ports() -> int:
    """Give the first of four free ports in a row, below those that the kernel hands out."""
    while True:
        first = random.randrange(20_000, 30_000)
        try:
            for port in range(first, first + 4):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return first


def test_a_register_that_comes_later_is_waited_for() -> None:
    """Without its register the gateway waits and says so; ready follows the register's start."""
    address = closed_address()
    waiting = gateway(address)
    waiting.launch()
    try:
        eventually(lambda: f"register {address} cannot be reached" in waiting.stderr)
        assert "connection refused; start it with `register start`" in waiting.stderr
        with register(listen=address) as late:
            ready = Ready(waiting.line(starting_with=READY))
            with browse(ready.ws) as browser:
                assert nodes(late) == [browser.client_id[:12]]
    finally:
        waiting.kill()


def test_no_browser_is_let_in_before_a_register_knows_the_gateway() -> None:
    """While the register is missing the public port is closed, and readiness says why."""
    port, http = (closed_address() for _ in range(2))
    ports = ("--listen", f"ws://{port}", "--http", http, "--start-port", "0")
    waiting = gateway(NO_REGISTER, ports=ports)
    waiting.launch()
    try:
        eventually(lambda: f"register {NO_REGISTER} cannot be reached" in waiting.stderr)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(split(port))
        with pytest.raises(HTTPError) as answer:
            get_json(http, "/readyz")
        assert answer.value.code == 503
        assert "no register knows this gateway yet" in answer.value.read().decode()
        answer.value.close()
        waiting.stop()
    finally:
        waiting.kill()


def test_a_port_that_is_taken_while_it_waits_is_named() -> None:
    """Its public port opens last: who was faster is told as if it had been there before."""
    register_address = closed_address()
    with socket.socket() as rival:
        rival.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        rival.bind(("127.0.0.1", 0))
        port = rival.getsockname()[1]
        ports = ("--listen", f"ws://127.0.0.1:{port}", "--http", ANY, "--start-port", "0")
        waiting = gateway(register_address, ports=ports)
        waiting.launch()
        try:
            eventually(lambda: "cannot be reached" in waiting.stderr)
            rival.listen()
            with register(listen=register_address):
                assert waiting.wait() == ExitCode.STARTUP
        finally:
            waiting.kill()
    assert f"gateway: --listen: 127.0.0.1:{port} is in use by " in waiting.stderr


def test_a_process_that_is_killed_is_replaced(directory: Daemon) -> None:
    """Its browsers lose their connection, come back and are served; the others never notice."""
    with gateway(directory, "--processes", "2") as running, ExitStack() as stack:
        client = stack.enter_context(GatewayClient(directory.ready.listen))
        browsers = [stack.enter_context(browse(running.ready.ws)) for _ in range(30)]
        before = set(nodes(directory))
        victim = children(running)[0]
        victim.kill()
        eventually(lambda: len(set(nodes(directory)) - before) == 1)
        (lost,) = before - set(nodes(directory))
        stay = [browser for browser in browsers if browser.client_id[:12] != lost]
        assert {close_code(each) for each in browsers if each not in stay} == {1006}
        browsers = stay + [stack.enter_context(browse(running.ready.ws)) for _ in range(30)]
        assert {browser.client_id[:12] for browser in browsers} == set(nodes(directory))
        eventually(lambda: client.send_to_all("both") == len(browsers))
        assert {browser.text() for browser in browsers} == {"both"}
        running.stop()
        assert "was killed by signal 9; starting it again in" in running.stderr


# Stop


def test_a_stop_sends_every_browser_away_with_1012(directory: Daemon) -> None:
    """SIGINT and SIGTERM close browsers with the code that means: come back."""
    for number in (signal.SIGINT, signal.SIGTERM):
        with gateway(directory) as running, ExitStack() as stack:
            browsers = [stack.enter_context(browse(running.ready.ws)) for _ in range(3)]
            running.send_signal(number)
            assert [close_code(browser) for browser in browsers] == [1012] * 3
            assert running.wait() == ExitCode.OK


def test_a_second_signal_ends_it_at_once(directory: Daemon) -> None:
    """A browser that does not answer the close holds a stop up; the second signal does not wait."""
    with gateway(directory) as running, raw(running.ready.ws):
        running.send_signal(signal.SIGTERM)
        eventually(lambda: "stopping" in running.stderr)
        running.send_signal(signal.SIGINT)
        assert running.wait() == ExitCode.FAILED
        assert "second signal: ended at once" in running.stderr


def test_a_browser_that_does_not_leave_holds_a_stop_up_for_seconds_only(directory: Daemon) -> None:
    """One that never answers the close is cut, long before the stop's own limit."""
    with gateway(directory, "--drain", "0") as running, raw(running.ready.ws):
        running.stop()


def test_a_browser_that_does_not_leave_is_no_failed_stop(directory: Daemon) -> None:
    """Where the stop's limit leaves no time for it, it is not waited for; the exit code is 0."""
    limits = ("--drain", "0", "--stop-timeout", "2.5")
    with gateway(directory, *limits) as running, raw(running.ready.ws):
        running.stop()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_graceful_stop_waits_for_the_browsers(directory: Daemon, processes: str) -> None:
    """After SIGQUIT newcomers are refused, who is here gets messages, and the last one ends it."""
    flags = ("--processes", processes)
    with gateway(directory, *flags) as running, GatewayClient(directory.ready.listen) as client:
        with browse(running.ready.ws) as browser:
            running.send_signal(signal.SIGQUIT)
            eventually(lambda: "draining" in running.stderr)
            eventually(lambda: refuses(running.ready.ws))
            assert client.send_to_client(browser.client_id, "still here") == 1
            assert browser.text() == "still here"
        assert running.wait() == ExitCode.OK


def test_a_graceful_stop_has_a_deadline(directory: Daemon) -> None:
    """Browsers that stay are sent away when it is over."""
    with (
        gateway(directory, "--drain-deadline", "0.1") as running,
        browse(running.ready.ws) as browser,
    ):
        running.send_signal(signal.SIGQUIT)
        assert close_code(browser) == close_codes.STOPPING.code
        assert running.wait() == ExitCode.OK


def refuses(url: str) -> bool:
    """Whether nobody listens any more."""
    try:
        socket.create_connection(split(url)).close()
    except ConnectionRefusedError:
        return True
    return False


# With a secret key


def test_with_the_same_key_it_is_taken(tmp_path: Path) -> None:
    """Key files on all sides: the whole way works, and no log tells the key."""
    key = tmp_path / "key"
    key.write_text("of the cluster\n")
    flags = ("--secret-key-file", str(key), "--log-level", "debug")
    with (
        register(*flags) as directory,
        gateway(directory, *flags) as running,
        browse(running.ready.ws) as browser,
        GatewayClient(directory.ready.listen, secret_key="of the cluster") as client,
    ):
        assert client.send_to_client(browser.client_id, "x") == 1
    assert "of the cluster" not in directory.stderr + running.stderr


@pytest.mark.parametrize("key", ["wrong", ""])
def test_a_wrong_key_ends_the_start(key: str) -> None:
    """Waiting would not mend it: one message that names the side, and exit code 3."""
    with register("--secret-key", "right") as directory:
        flags = ("--secret-key", key) if key else ()
        code, errors = refused("--register", directory.ready.listen, *flags)
        assert code == ExitCode.STARTUP
        (line,) = (line for line in errors.splitlines() if line.startswith("gateway: "))
        refusal = f"gateway: register {directory.ready.listen} refuses this gateway: "
        assert line.startswith(refusal)
        assert "secret key" in line
        assert "right" not in errors
        eventually(lambda: "refused a link" in directory.stderr)


# Where what browsers send goes


def discarded(http: str) -> int:
    """Give how many messages were for nobody."""
    (line,) = (
        line
        for line in get_text(http, "/metrics").splitlines()
        if line.startswith("gatewayworker_gateway_messages_discarded_total ")
    )
    return int(float(line.split()[1]))


@pytest.mark.parametrize("how", ["flags", "environment", "file"])
def test_routes_are_given_as_any_setting(directory: Daemon, tmp_path: Path, how: str) -> None:
    """What one path sends is for nobody, what the others send waits on a queue."""
    file = tmp_path / "gateway.toml"
    file.write_text('[[route]]\npath = "/quiet"\nto = "discard"\n[[route]]\nto = "queue:chat"\n')
    flags = {
        "flags": ("--route=/quiet=discard", "--route", "queue:chat"),
        "environment": (),
        "file": ("-c", str(file)),
    }[how]
    routes = {"GATEWAYWORKER_GATEWAY__ROUTE": "/quiet=discard,queue:chat"}
    running = gateway(directory, *flags)
    if how == "environment":
        running.environment.update(routes)
    with running, GatewayClient(directory.ready.listen) as client:
        ready = running.ready
        with browse(f"{ready.ws}/quiet") as quiet, browse(f"{ready.ws}/chat") as chat:
            quiet.socket.send("for nobody")
            chat.socket.send("for a queue")
            eventually(lambda: discarded(ready.http) == 1)
            eventually(lambda: client.get_all_queues()["chat"]["waiting"] == 1)


def test_a_reload_reads_routes_anew(directory: Daemon, tmp_path: Path) -> None:
    """They hold for who connects from then on."""
    file = tmp_path / "gateway.toml"
    file.write_text('[[route]]\nto = "queue:chat"\n')
    with gateway(directory, "-c", str(file)) as running, browse(running.ready.ws) as old:
        file.write_text('[[route]]\nto = "discard"\n')
        running.send_signal(signal.SIGHUP)

        def newcomer_is_for_nobody() -> bool:
            before = discarded(running.ready.http)
            with browse(running.ready.ws) as new:
                new.socket.send("x")
            return discarded(running.ready.http) > before

        eventually(newcomer_is_for_nobody)
        with GatewayClient(directory.ready.listen) as client:

            def waiting() -> int:
                return int(client.get_all_queues().get("chat", {}).get("waiting", 0))

            before, newcomers = discarded(running.ready.http), waiting()
            old.socket.send("still for the queue")
            eventually(lambda: waiting() == newcomers + 1)
        assert discarded(running.ready.http) == before


def test_an_entry_module_that_cannot_be_used_refuses_the_start(
    directory: Daemon, tmp_path: Path
) -> None:
    """The message says what to do."""
    (tmp_path / "chat_entry.py").write_text("def on_mesage(conn, message): ...\n")
    here = ("--register", directory.ready.listen, f"--app-dir={tmp_path}")
    code, errors = refused(*here, "--entry=chat_entry")
    assert code == ExitCode.STARTUP
    assert "write on_message instead of on_mesage" in errors
    code, errors = refused(*here, "--entry=chat_entri")
    assert code == ExitCode.STARTUP
    assert "did you mean 'chat_entry'?" in errors


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--route=chat=worker",), "--route: 'chat=worker' has the path 'chat', which does not"),
        (("--entry=x", "--route=worker"), "--entry: 'x' is reached by no route: worker takes"),
        (("--entry=x.py",), "--entry: 'x.py' does not name a module; did you mean x?"),
    ],
)
def test_wrong_routes_refuse_the_start(flags: tuple[str, ...], message: str) -> None:
    """The message begins with the setting and the part of it that is wrong."""
    code, errors = refused(*flags)
    assert code == ExitCode.USAGE
    assert errors.startswith(f"gateway: {message}")
