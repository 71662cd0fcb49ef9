import os
import socket
import sys

import pytest

from gateway_process.holder import holder_of


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_holder_names_the_listening_process() -> None:
    """The process that listens on a port is told by name and id."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        told = holder_of(server.getsockname()[1])
    assert told is not None
    assert told.endswith(f"(pid {os.getpid()})")


def test_nobody_holds_a_free_port() -> None:
    """Where nothing listens there is no holder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert holder_of(free.getsockname()[1]) is None
