"""Checks of `gateway dev`, with its real children."""

import json
import os
import socket
import urllib.request
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from gateway_client import AuthenticationFailed, GatewayClient
from gateway_process.errors import ExitCode
from gateway_wire import close_codes
from tests.support.cluster import (
    Browser,
    browse,
    children,
    get_json,
    get_text,
    interrupt,
    nodes,
    split,
)
from tests.support.daemons import DEV_ON_ANY_PORT, Daemon, run
from tests.support.waiting import PATIENCE, eventually


def dev(*flags: str, folder: Path | None = None) -> Daemon:
    """Give a `gateway dev` on free ports, not yet started."""
    return Daemon("gateway", *DEV_ON_ANY_PORT, *flags, folder=folder)


EVENTS = """
from pathlib import Path
from gatewayworker import Gateway

def on_message(client_id, message):
    Gateway.send_to_client(client_id, f"{{answer}} {{message}}")

def on_close(client_id, reason):
    Path("closed").touch()

answer = "{answer}"
"""


def write_events(folder: Path, answer: str) -> None:
    """Write a module that answers so; never two of one length, which Python may take for the same."""
    (folder / "events.py").write_text(EVENTS.format(answer=answer))


def ask(browser: Browser) -> str | bytes:
    """Say something, and give what the events answer: who is ready, or reloaded, listens."""
    browser.socket.send("hi")
    return browser.text()


def page_of(daemon: Daemon) -> str:
    """Read the demo's page."""
    with urllib.request.urlopen(daemon.ready.demo, timeout=PATIENCE) as answer:
        text: str = answer.read().decode()
        return text


def test_everything_runs_under_one_command() -> None:
    """Register, gateway and demo run, each in its process; the ready line says where."""
    with dev() as daemon:
        ready = daemon.ready
        assert list(ready.addresses) == [
            *("demo", "ws", "register", "http", "register_http", "internal", "pid")
        ]
        assert not [address for address in ready.addresses.values() if address.endswith(":0")]
        assert len(children(daemon)) == 3
        assert f'data-gateway="{ready.ws}"' in page_of(daemon)
        with browse(ready.ws) as browser:
            assert [browser.client_id[:12]] == nodes(daemon)


def test_it_says_where_to_point_a_browser() -> None:
    """One friendly line names the page, and how a phone gets there."""
    with dev() as daemon:
        assert daemon.line() == (
            f"Open {daemon.ready.demo} in two browser tabs. From a phone: --demo-listen"
            f" 0.0.0.0:{daemon.ready.demo.rpartition(':')[2]}. Ctrl-C stops everything."
        )


def test_a_page_for_phones_finds_the_gateway_on_its_own_host() -> None:
    """With listeners on every address the page uses the host it came from."""
    everywhere = [flag.replace("ws://127.0.0.1", "ws://0.0.0.0") for flag in DEV_ON_ANY_PORT]
    with Daemon("gateway", *everywhere, "--demo-listen", "0.0.0.0:0") as daemon:
        port = daemon.ready.ws.rpartition(":")[2]
        line = daemon.line()
        assert line.startswith("Open http://127.0.0.1:")
        assert "From a phone" not in line
        daemon.ready.addresses["demo"] = line.split()[1]
        assert f'data-gateway=":{port}"' in page_of(daemon)


def test_without_the_demo_only_the_cluster_runs() -> None:
    """`--no-demo` leaves register and gateway."""
    with dev("--no-demo") as daemon:
        assert "demo" not in daemon.ready.addresses
        assert len(children(daemon)) == 2
        assert daemon.line() == (
            f"No demo; connect a page of yours to {daemon.ready.ws}. Ctrl-C stops everything."
        )


def test_ctrl_c_stops_everything_cleanly() -> None:
    """The terminal's signal reaches all processes; all end, with exit code 0 and no traceback."""
    with dev() as daemon, browse(daemon.ready.ws) as browser:
        processes = children(daemon)
        interrupt(daemon)
        assert daemon.wait() == ExitCode.OK
        assert not [process for process in processes if process.is_running()]
        with pytest.raises(ConnectionClosed) as closed:
            browser.text()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == close_codes.STOPPING.code
        assert "Traceback" not in daemon.stderr


# With events


def test_a_change_of_the_events_reaches_the_browsers_that_are_there(tmp_path: Path) -> None:
    """The worker alone is replaced, and a connection stays open over it."""
    write_events(tmp_path, "one")
    with dev("events", "--no-demo", folder=tmp_path) as daemon, browse(daemon.ready.ws) as browser:
        daemon.line(starting_with="No demo")
        assert daemon.line() == (
            f"Your events: events, reloaded when a .py file in {tmp_path.resolve()} changes."
        )
        before = {process.pid for process in children(daemon)}
        assert ask(browser) == "one hi"
        write_events(tmp_path, "another")
        assert daemon.line() == "Reloaded: events.py changed."
        assert ask(browser) == "another hi"
        after = {process.pid for process in children(daemon)}
        assert (len(before), len(after), len(before & after)) == (3, 3, 2)
        daemon.stop()


def test_a_change_that_breaks_the_events_leaves_the_old_ones(tmp_path: Path) -> None:
    """What is wrong is told, with file and line; the next change is tried again."""
    write_events(tmp_path, "one")
    with dev("events", "--no-demo", folder=tmp_path) as daemon, browse(daemon.ready.ws) as browser:
        (tmp_path / "shop.py").write_text("x = (\n")
        daemon.line(starting_with="Reloaded: shop.py changed.")
        (tmp_path / "events.py").write_text("import shop\n")
        daemon.line(starting_with="Not reloaded, though events.py changed: see above.")
        why = f"SyntaxError: '(' was never closed ({tmp_path / 'shop.py'}, line 1)"
        eventually(lambda: why in daemon.stderr)
        assert ask(browser) == "one hi"
        write_events(tmp_path, "mended")
        daemon.line(starting_with="Reloaded: events.py changed.")
        assert ask(browser) == "mended hi"


def test_events_that_do_not_start_keep_nothing_else_from_running(tmp_path: Path) -> None:
    """The error is told, everybody else is ready, and a change tries again."""
    (tmp_path / "events.py").write_text("import nothing_like_it\n")
    with dev("events", "--no-demo", folder=tmp_path) as daemon, browse(daemon.ready.ws) as browser:
        told = "events was found, but imports 'nothing_like_it', which was not"
        eventually(lambda: told in daemon.stderr)
        eventually(lambda: "it is started again when that is mended" in daemon.stderr)
        daemon.line(starting_with="Your events: events, not running (see above), tried again when")
        write_events(tmp_path, "one")
        daemon.line(starting_with="Reloaded: events.py changed.")
        assert ask(browser) == "one hi"


def test_a_file_may_name_the_events(tmp_path: Path) -> None:
    """A [businessworker] section is run as it is, with one process."""
    write_events(tmp_path, "one")
    file = tmp_path / "c.toml"
    file.write_text('[businessworker]\nevents = "events"\nprocesses = 4\nhttp = "127.0.0.1:0"\n')
    with (
        dev("-c", str(file), "--no-demo", folder=tmp_path) as daemon,
        browse(daemon.ready.ws) as browser,
    ):
        assert len(children(daemon)) == 3
        assert "gatewayworker_businessworker_ready 1.0" in get_text(
            daemon.ready.worker_http, "/metrics"
        )
        assert ask(browser) == "one hi"


def test_ctrl_c_lets_the_events_hear_of_every_browser_that_goes(tmp_path: Path) -> None:
    """The worker stops after the gateway, although the terminal signals both."""
    write_events(tmp_path, "one")
    with dev("events", "--no-demo", folder=tmp_path) as daemon, browse(daemon.ready.ws) as browser:
        assert ask(browser) == "one hi"
        interrupt(daemon)
        assert daemon.wait() == ExitCode.OK
        assert (tmp_path / "closed").exists()
        assert "starting it again" not in daemon.stderr


@pytest.mark.parametrize(
    "flag",
    ["--listen", "--http", "--start-port", "--register-listen", "--register-http", "--demo-listen"],
)
def test_a_port_in_use_is_told_with_its_flag_and_its_holder(flag: str) -> None:
    """Whichever port is taken: the message names the flag, the address and who holds it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        value = {"--listen": f"ws://127.0.0.1:{port}", "--start-port": str(port)}
        code, _, errors = run(
            "gateway", *DEV_ON_ANY_PORT, flag, value.get(flag, f"127.0.0.1:{port}")
        )
    assert code == ExitCode.STARTUP
    told = f"gateway: {flag}: 127.0.0.1:{port} is in use by "
    assert told in errors
    assert f"(pid {os.getpid()}); stop it or choose another port\n" in errors


def test_the_file_and_shared_flags_reach_the_register_too(tmp_path: Path) -> None:
    """A [register] section holds, flags of `dev` win over it, and secrets are everybody's."""
    file = tmp_path / "c.toml"
    file.write_text('secret_key = "s"\n[register]\nlisten = "no-such-host.invalid:1"\n')
    with dev("-c", str(file), "--no-demo") as daemon, pytest.raises(AuthenticationFailed):
        assert GatewayClient(daemon.ready.register).get_all_client_count()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["events.py"], "MODULE: 'events.py' does not name a module; did you mean events?"),
        (["events", "--app-dir", "/nowhere"], "--app-dir: '/nowhere' is no folder; name the one"),
        (["events", "--threads", "0"], "--threads: '0' is below 1"),
        (["--register", "127.0.0.1:1"], "No such option"),
        (["--register-http", "x"], "--register-http: 'x' has no port"),
        (["--register-listen", "0.0.0.0:0"], "--register-listen: '0.0.0.0:0' is open to other"),
        (["--demo-listen", "x"], "--demo-listen: 'x' has no port"),
        (["--ping-interval", "x"], "--ping-interval: 'x' is not a number"),
        (["-c", "/nowhere.toml"], "--config: '/nowhere.toml' cannot be read"),
    ],
)
def test_what_is_wrong_is_told_before_anything_starts(arguments: list[str], told: str) -> None:
    """Wrong arguments are named as they were written; the exit code is 2."""
    code, output, errors = run("gateway", *DEV_ON_ANY_PORT, *arguments)
    assert (code, output) == (ExitCode.USAGE, "")
    assert told in errors
    assert "Traceback" not in errors


def test_an_unknown_key_of_the_registers_section_is_told(tmp_path: Path) -> None:
    """The file is checked for every role that runs."""
    file = tmp_path / "c.toml"
    file.write_text("[register]\nlisen = 1\n")
    code, _, errors = run("gateway", *DEV_ON_ANY_PORT, "-c", str(file))
    assert code == ExitCode.USAGE
    assert f"{file}: [register] lisen: is no setting; did you mean listen?" in errors


def test_with_connmix_its_register_is_a_centre() -> None:
    """The one flag is enough: the gateway is found where its clients look."""
    with dev("--no-demo", "--connmix") as daemon:
        assert get_json(daemon.ready.register_http, "/version")["apis"] == ["v1"]
        assert len(nodes(daemon)) == 1


def test_php_programs_find_its_gateway() -> None:
    """The one flag is enough: the register names the listener that the ready line names."""
    with (
        dev("--no-demo", "--php-start-port", "0") as daemon,
        socket.create_connection(split(daemon.ready.register), PATIENCE) as sock,
        sock.makefile("rb") as lines,
    ):
        sock.sendall(b'{"event":"worker_connect","secret_key":""}\n')
        assert json.loads(lines.readline())["addresses"] == [daemon.ready.php]


def test_the_demo_needs_an_init_message() -> None:
    """Its page would wait for its client id for ever."""
    code, _, stderr = run("gateway", *DEV_ON_ANY_PORT, "--connmix")

    assert code == ExitCode.USAGE
    assert "--connmix" in stderr
    assert "--no-demo" in stderr
