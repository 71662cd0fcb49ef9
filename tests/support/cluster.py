"""A cluster of real processes for tests: register, gateways and browsers, on ports the kernel chose.

Browsers are the `websockets` library's blocking client: another implementation than ours, driven
line by line by the test.
"""

import json
import os
import signal
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.daemons import Daemon
from tests.support.waiting import PATIENCE

ANY: Final = "127.0.0.1:0"
"""A free port of this machine."""

GATEWAY_PORTS: Final = ("--listen", f"ws://{ANY}", "--http", ANY, "--start-port", "0")
"""Flags that give `gateway start` free ports everywhere."""

_UPGRADE: Final = (
    "Host: gateway",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


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
    """Connect like a page does, and read the init message.

    Args:
        url: Where to.
        tls: For `wss://`; limited to TLS 1.2 from now on.
        more: Options of `websockets.sync.client.connect`.
    """
    if tls is not None:
        # The library reads in a thread of its own, and no SSLSocket stands a write meanwhile that
        # meets the session tickets which TLS 1.3 sends after the handshake: the request is lost, or
        # the connection (CPython issue 77271). TLS 1.2 sends none then.
        tls.maximum_version = ssl.TLSVersion.TLSv1_2
    options = {"proxy": None, "compression": None, "close_timeout": 1, **more}
    with connect(url, ssl=tls, open_timeout=PATIENCE, **options) as connection:
        init: dict[str, str] = json.loads(connection.recv(PATIENCE))
        assert init["type"] == "init"
        yield Browser(connection, init["client_id"])


def close_code(browser: Browser) -> int:
    """Read on until the gateway closes the connection; give its close code, 1006 for a cut."""
    try:
        while True:
            browser.text()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006


@contextmanager
def raw(url: str, path: str = "/", *headers: str) -> Iterator[socket.socket]:
    """Connect and upgrade, and then speak for oneself: a browser that obeys no rule.

    What the gateway has sent behind its handshake is still to be read.
    """
    with socket.create_connection(split(url), PATIENCE) as sock:
        sock.sendall(upgrade(path, *headers))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        assert head.startswith(b"HTTP/1.1 101 "), head
        yield sock


def upgrade(path: str = "/", *headers: str) -> bytes:
    """Give the request that opens a websocket."""
    return "\r\n".join((f"GET {path} HTTP/1.1", *_UPGRADE, *headers, "", "")).encode()


def split(address: str) -> tuple[str, int]:
    """Give host and port of `host:port` or a URL."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    return host.strip("[]"), int(port)


def closed_address() -> str:
    """Give an address on which nobody listens, and which is free to listen on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return f"127.0.0.1:{sock.getsockname()[1]}"


def get_text(address: str, path: str) -> str:
    """Ask an HTTP port of ours."""
    with urllib.request.urlopen(f"http://{address}{path}", timeout=PATIENCE) as answer:
        text: str = answer.read().decode()
        return text


def get_json(address: str, path: str) -> Any:
    """Ask an HTTP port of ours for JSON."""
    return json.loads(get_text(address, path))


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
