"""Forking servers, and other ways to run Python that a web application meets."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from gateway_client.forks import renew_after_fork
from tests.gateway_client.peers import FakeGateway, FakeRegister
from tests.support.waiting import eventually

APPLICATION = """
import json, os
from gateway_client import Gateway
Gateway.register_address, Gateway.secret_key = os.environ["REGISTER"], ""
Gateway.get_all_client_count()  # before the fork, as a preloaded application may

def application(environ, start_response):
    reached = Gateway.send_to_all("m")
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"pid": os.getpid(), "reached": reached}).encode()]
"""

GEVENT = """
from gevent import monkey
monkey.patch_all()
import sys, gevent
from gateway_client import Gateway, ReplyTimeout
Gateway.register_address, Gateway.secret_key = sys.argv[1], ""
Gateway.get_all_client_count()

with gevent.Timeout(0.1, False):
    Gateway.get_all_client_id_list()
    raise AssertionError("it was not interrupted")
assert Gateway.get_all_client_count() == 0  # on a new link

turns = []
def others():
    while True:
        turns.append(1)
        gevent.sleep(0.01)
ticker = gevent.spawn(others)
try:  # the gateway keeps this answer back
    Gateway.get_all_client_id_list(timeout=0.3)
except ReplyTimeout:
    pass
assert len(turns) > 5, len(turns)  # the other greenlet ran while this one waited
ticker.kill()
print("done")
"""


class _Told:
    """Counts how often it was told of a fork."""

    forks = 0

    def after_fork(self) -> None:
        self.forks += 1


def _exit_code_of_child(told: _Told) -> int:
    child = os.fork()
    if child == 0:
        os._exit(told.forks)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_child_is_told_and_its_parent_is_not() -> None:
    """Whoever asked is told once, in the child."""
    told = _Told()
    renew_after_fork(told)
    assert _exit_code_of_child(told) == 1
    assert told.forks == 0


def test_gunicorn_workers_have_links_of_their_own(
    register: FakeRegister, gateway: FakeGateway, tmp_path: Path
) -> None:
    """A preloaded application in several workers pushes from each of them."""
    gateway.connect()
    (tmp_path / "wsgi_application.py").write_text(APPLICATION)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "3"]
    server = subprocess.Popen(
        [*command, "--bind", f"127.0.0.1:{port}", "wsgi_application:application"],
        cwd=tmp_path,
        env=os.environ
        | {"REGISTER": str(register.address), "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        pids: set[int] = set()

        def all_answered() -> bool:
            answer = _get(port)
            assert answer["reached"] == 1
            pids.add(answer["pid"])
            return len(pids) == 3

        eventually(all_answered)
        assert server.pid not in pids
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)


def _get(port: int) -> dict[str, int]:
    with socket.create_connection(("127.0.0.1", port), 5) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with sock.makefile("rb") as stream:
            body: dict[str, int] = json.loads(stream.read().partition(b"\r\n\r\n")[2])
            return body


def test_greenlets_run_while_one_of_them_waits(
    register: FakeRegister, gateway: FakeGateway
) -> None:
    """Under gevent a call yields to other greenlets, and a gevent.Timeout ends it."""

    def keep_back(link: object, command: object, request_id: int) -> None:
        if type(command).__name__ == "CountClients":
            gateway.fault = None
            gateway.execute(link, command, request_id)  # type: ignore[arg-type]
            gateway.fault = keep_back

    gateway.fault = keep_back
    done = subprocess.run(
        [sys.executable, "-c", GEVENT, str(register.address)],
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
