"""The kernel's help in finding dead peers."""

import socket
import subprocess
import sys

from gateway_wire.aio.keepalive import KEEPALIVE_IDLE, set_keepalive


def test_a_tcp_socket_is_probed_and_sends_at_once() -> None:
    """A TCP socket gets keepalive probes after the idle time, and no Nagle delay."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        set_keepalive(sock)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        if sys.platform == "linux":
            idle = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            assert idle == KEEPALIVE_IDLE


def test_what_is_no_tcp_socket_is_left_alone() -> None:
    """A transport without a socket, or a Unix socket pair, is accepted and not changed."""
    set_keepalive(None)
    left, right = socket.socketpair()
    with left, right:
        set_keepalive(left)


def test_importing_it_does_not_import_asyncio() -> None:
    """A blocking client can use it without paying for asyncio's import."""
    code = "import sys, gateway_wire.aio.keepalive; sys.exit('asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
