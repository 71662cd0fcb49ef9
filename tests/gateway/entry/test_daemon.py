"""Entry modules in real gateways: what browsers and other processes see of them."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from gateway_client import GatewayClient
from tests.support.cluster import browse, close_code, gateway, register
from tests.support.daemons import Daemon, DaemonFailed
from tests.support.waiting import PATIENCE, eventually
from tests.support.workers import metrics

BARRIER: Final = """
from gateway import Refused, mesh, queue

def on_handshake(request):
    if request.path == "/closed":
        raise Refused("no ticket")
    return request.query.get("key") != "wrong"

async def on_message(conn, message):
    if message == "login":
        conn.subscribe("waiting")
        conn.send({"you are": conn.client_id})
        return
    user = await conn.wait_context("user_id", timeout=WAIT)
    await mesh.publish("waiting", f"{user} says {message}")

async def on_close(conn, reason):
    await queue.push("ends", {"code": reason.code, "user": conn.context.get("user_id")})
"""

BLOCKING: Final = """
import socket
import time

def read():
    ours, theirs = socket.socketpair()
    ours.recv(1)

def spin():
    while True:
        try:
            sum(range(1000))
        except Exception:
            pass

def sleep():
    time.sleep(30)

def on_message(conn, message):
    if message in globals():
        globals()[message]()
    conn.send(f"did {message}")
"""


@pytest.fixture(scope="module")
def registered() -> Iterator[Daemon]:
    """Run a register."""
    with register() as running:
        yield running


@contextmanager
def entry(registered: Daemon, folder: Path, text: str, *flags: str) -> Iterator[Daemon]:
    """Run a gateway with an entry module of this text."""
    (folder / "app_entry.py").write_text(text)
    flags = ("--entry", "app_entry", "--app-dir", str(folder), *flags)
    with gateway(registered, *flags) as running:
        yield running


def test_messages_wait_until_another_process_sets_the_value(
    registered: Daemon, tmp_path: Path
) -> None:
    """Then they are handled in order, in one gateway or another."""
    text = BARRIER.replace("WAIT", "60")
    with (
        entry(registered, tmp_path, text) as running,
        browse(running.ready.ws) as browser,
        GatewayClient(registered.ready.listen) as client,
    ):
        for message in ("login", "one", "two", "three"):
            browser.socket.send(message)
        assert json.loads(browser.text()) == {"you are": browser.client_id}
        assert client.set_context_value(browser.client_id, "user_id", 7)
        said = [browser.text() for _ in range(3)]
        assert said == ["7 says one", "7 says two", "7 says three"]


def test_without_the_value_the_browser_is_sent_away(registered: Daemon, tmp_path: Path) -> None:
    """With 3502; its end is handled, and lies on the queue."""
    text = BARRIER.replace("WAIT", "0.1")
    with (
        entry(registered, tmp_path, text) as running,
        GatewayClient(registered.ready.listen) as client,
    ):
        with browse(running.ready.ws) as browser:
            browser.socket.send("one")
            assert close_code(browser) == 3502
        eventually(lambda: client.get_all_queues()["ends"]["waiting"] == 1)


@pytest.mark.parametrize(("path", "reason"), [("/closed", "no ticket"), ("/?key=wrong", "refused")])
def test_a_browser_is_refused(registered: Daemon, tmp_path: Path, path: str, reason: str) -> None:
    """It hears nothing but why, and is in no count."""
    with entry(registered, tmp_path, BARRIER.replace("WAIT", "5")) as running:
        with connect(running.ready.ws + path, proxy=None, close_timeout=1) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(PATIENCE)
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (3500, reason)
        seen = metrics(running.ready.http)
        assert seen['gatewayworker_gateway_connections_closed_total{reason="refused"}'] == 1


@pytest.mark.parametrize("what", ["sleep", "spin", "read"])
def test_a_handler_that_blocks_is_ended_and_others_go_on(
    registered: Daemon, tmp_path: Path, what: str
) -> None:
    """It costs its message; the connection goes on, and so do all others."""
    with (
        entry(registered, tmp_path, BLOCKING) as running,
        browse(running.ready.ws) as blocking,
        browse(running.ready.ws) as other,
    ):
        begun = time.monotonic()
        blocking.socket.send(what)
        blocking.socket.send("next")
        for number in range(20):
            other.socket.send(f"{number}")
            assert other.text() == f"did {number}"
        assert blocking.text() == "did next"
        assert time.monotonic() - begun < PATIENCE
        seen = metrics(running.ready.http)
        assert seen['gatewayworker_gateway_entry_failures_total{reason="blocked"}'] == 1
        told = "on_message of app_entry was ended since it held up every client"
        eventually(lambda: told in running.stderr and "app_entry.py, line" in running.stderr)


def test_a_reload_brings_new_code_to_connections_that_are_there(
    registered: Daemon, tmp_path: Path
) -> None:
    """A module that is broken is told with the remedy, and the old one stays."""
    file = tmp_path / "app_entry.py"
    with (
        entry(registered, tmp_path, 'def on_message(conn, message): conn.send("old")\n') as running,
        browse(running.ready.ws) as browser,
    ):

        def answer() -> object:
            browser.socket.send("who are you")
            return browser.text()

        assert answer() == "old"
        file.write_text('def on_message(conn): conn.send("broken")\n')
        running.send_signal(signal.SIGHUP)
        eventually(lambda: "write it as on_message(conn, message)" in running.stderr)
        assert answer() == "old"
        file.write_text('def on_message(conn, message): conn.send("the new one")\n')
        running.send_signal(signal.SIGHUP)
        eventually(lambda: answer() == "the new one")
        eventually(lambda: running.stderr.count("the entry module app_entry was imported") == 2)


def test_a_module_that_is_broken_refuses_the_start(registered: Daemon, tmp_path: Path) -> None:
    """With the line that is wrong."""
    for text, remedy in (
        ("import json\n\n1 / 0\n", r"app_entry\.py, line 3"),
        ("def on_mesage(conn, message): ...\n", "on_message instead of on_mesage"),
    ):
        with pytest.raises(DaemonFailed, match=remedy), entry(registered, tmp_path, text):
            raise AssertionError("it started")


def test_handlers_that_run_at_the_stop_are_waited_for(registered: Daemon, tmp_path: Path) -> None:
    """Those of the last ends, too; the rest is counted, and named in the log."""
    text = f"""
import asyncio
from pathlib import Path

async def on_close(conn, reason):
    await asyncio.sleep(0.2)
    Path({str(tmp_path)!r}, "closed").write_text(reason.name)
"""
    with entry(registered, tmp_path, text, "--drain", "0") as running, browse(running.ready.ws):
        running.stop()
    assert (tmp_path / "closed").read_text() == "stopping"
