"""A cluster of real processes for tests: register, gateways and browsers, on ports the kernel chose.

Browsers are the `websockets` library's blocking client: another implementation than ours, driven
line by line by the test.
"""

import json
import os
import signal
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import psutil
from websockets.sync.client import ClientConnection, connect

from tests.support.daemons import Daemon
from tests.support.waiting import PATIENCE

ANY: Final = "127.0.0.1:0"
"""A free port of this machine."""

GATEWAY_PORTS: Final = ("--listen", f"ws://{ANY}", "--http", ANY, "--start-port", "0")
"""Flags that give `gateway start` free ports everywhere."""


def register(*flags: str, listen: str = ANY) -> Daemon:
    """Give a register, not yet started; its address is `ready.listen`."""
    return Daemon("register", "start", "--listen", listen, "--http", ANY, *flags)


def gateway(registers: Daemon | str, *flags: str, ports: tuple[str, ...] = GATEWAY_PORTS) -> Daemon:
    """Give a gateway, not yet started; its addresses are `ready.ws`, `.internal` and `.http`."""
    address = registers if isinstance(registers, str) else registers.ready.listen
    return Daemon("gateway", "start", *ports, "--register", address, *flags)


class Browser(NamedTuple):
    """A connection to a gateway's public port that has read its init message."""

    socket: ClientConnection
    client_id: str

    def text(self, timeout: float = PATIENCE) -> str | bytes:
        """Wait for the next message."""
        return self.socket.recv(timeout)


@contextmanager
def browse(url: str, *, tls: ssl.SSLContext | None = None, **more: Any) -> Iterator[Browser]:
    """Connect like a page does, and read the init message."""
    options = {"proxy": None, "compression": None, "close_timeout": 1, **more}
    with connect(url, ssl=tls, open_timeout=PATIENCE, **options) as socket:
        init: dict[str, str] = json.loads(socket.recv(PATIENCE))
        assert init["type"] == "init"
        yield Browser(socket, init["client_id"])


def get_json(address: str, path: str) -> Any:
    """Ask an HTTP port of ours."""
    with urllib.request.urlopen(f"http://{address}{path}", timeout=PATIENCE) as answer:
        return json.load(answer)


def nodes(register: Daemon) -> list[str]:
    """Give the node ids that a register lists."""
    address = getattr(register.ready, "register_http", None) or register.ready.http
    return sorted(node["id"] for node in get_json(address, "/v1/nodes")["nodes"])


def children(daemon: Daemon) -> list[psutil.Process]:
    """Give the processes that run under a supervisor."""
    return psutil.Process(daemon.pid).children(recursive=True)


def interrupt(daemon: Daemon) -> None:
    """Press Ctrl-C: the terminal signals the whole group."""
    os.killpg(daemon.pid, signal.SIGINT)
