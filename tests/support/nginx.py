"""Debian's nginx with the server block that the project ships, on ports of the kernel's choice.

nginx itself knows no port 0. It is handed sockets that listen already, as it hands them to its own
successor on an upgrade: their numbers stand in the variable NGINX. So nothing is to be waited for
either: whoever connects while it starts stands in the queue.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from scripts.tree import ROOT
from tests.support.certificates import Certificate
from tests.support.waiting import PATIENCE

BLOCK: Final = ROOT / "deploy/nginx.conf"

MAIN: Final = """
daemon off;
user root;  # run by root, its workers must still reach this folder; others are told that it says nothing
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/server.conf;
}}
"""


class Nginx(NamedTuple):
    """A running nginx; both are `host:port`."""

    secure: str
    plain: str


@contextmanager
def nginx(
    folder: Path,
    certificate: Certificate,
    *,
    gateway: str,
    application: str = "127.0.0.1:1",
    changes: Mapping[str, str] | None = None,
) -> Iterator[Nginx]:
    """Run nginx with the shipped server block.

    Args:
        folder: An empty one, for its files.
        certificate: What it shows to browsers.
        gateway: `host:port` of the gateway's public listener.
        application: `host:port` of the web application; by default, nobody's.
        changes: Further texts of the block, and what stands in their place.
    """
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        plain, secure = (f"127.0.0.1:{sock.getsockname()[1]}" for sock in sockets)
        replaced = {
            "listen 80;": f"listen {plain};",
            "listen 443 ssl;": f"listen {secure} ssl;",
            "/etc/ssl/push.example.com/fullchain.pem": str(certificate.certfile),
            "/etc/ssl/push.example.com/privkey.pem": str(certificate.keyfile),
            "127.0.0.1:7272;": f"{gateway};",
            "127.0.0.1:8000;": f"{application};",
            **(changes or {}),
        }
        (folder / "server.conf").write_text(_block(replaced))
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
        stack.enter_context(_running(folder, [sock.fileno() for sock in sockets]))
        yield Nginx(secure, plain)


def _block(replaced: Mapping[str, str]) -> str:
    """Give the shipped block with other values; each must stand in it."""
    text = BLOCK.read_text()
    for old, new in replaced.items():
        assert old in text, f"{BLOCK.name} has no {old!r}"
        text = text.replace(old, new)
    return text


@contextmanager
def _running(folder: Path, listening: list[int]) -> Iterator[None]:
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program, "no nginx: `make test` installs it where it can"
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    inherited = "".join(f"{number};" for number in listening)
    process = subprocess.Popen(
        [*command, "-e", str(folder / "error.log")],
        env={**os.environ, "NGINX": inherited},
        pass_fds=listening,
    )
    try:
        yield
        ended = process.poll()
        assert ended is None, f"nginx ended with {ended}:\n{(folder / 'error.log').read_text()}"
    finally:
        process.terminate()
        process.wait(PATIENCE)
