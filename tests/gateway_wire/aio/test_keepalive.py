"""The kernel's help in finding dead peers."""

import socket
import subprocess
import sys

import pytest

from gateway_wire.aio.keepalive import KEEPALIVE_IDLE, USER_TIMEOUT, set_keepalive


def test_a_tcp_socket_is_probed_and_sends_at_once() -> None:
    """A TCP socket gets keepalive probes after the idle time, and no Nagle delay."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        set_keepalive(sock)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        if sys.platform == "linux":
            idle = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            assert idle == KEEPALIVE_IDLE


@pytest.mark.skipif(sys.platform != "linux", reason="others have no such option")
def test_a_peer_that_may_block_for_long_gets_the_time() -> None:
    """The kernel ends a connection whose peer lives and does not read, too."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        set_keepalive(sock)
        before = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        set_keepalive(sock, 60)

        assert before == USER_TIMEOUT * 1000
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000


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
