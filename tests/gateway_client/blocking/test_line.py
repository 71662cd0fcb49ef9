"""One link of the blocking client, over a real socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from gateway_client.blocking.line import Line
from gateway_wire.addresses import Address
from gateway_wire.commands import CountClients, Reply, Role
from gateway_wire.frames import encode_frame
from gateway_wire.hello import Party, new_instance
from tests.gateway_client.peers import FakeGateway

PARTY = Party(Role.CLIENT, new_instance())
WAIT = 20_000
"""Milliseconds before a test gives up."""


@pytest.fixture
def line(gateway: FakeGateway) -> Iterator[Line]:
    """A line to a gateway, open."""
    line = Line(gateway.address, PARTY, "")
    while not line.is_open:
        assert line.wait(WAIT)
        line.progress()
    yield line
    line.close()


def test_it_opens_and_carries_a_command(line: Line) -> None:
    """Frames are queued, flushed and counted; answers come back as envelopes."""
    before = line.written
    frame = encode_frame(CountClients(), 7)
    line.queue(frame)
    assert not line.is_flushed
    line.flush()
    assert line.is_flushed
    assert line.written == before + len(frame)
    assert line.wait(WAIT)
    assert [(each.command, each.request_id) for each in line.progress()] == [(Reply(0), 7)]


def test_an_idle_line_knows_when_its_peer_is_gone(line: Line, gateway: FakeGateway) -> None:
    """It is usable until the peer closes, which is found without waiting."""
    assert line.is_usable()
    gateway.cut_links()
    assert not line.is_usable()
    assert line.is_closed
    assert "closed" in repr(line)


def test_closing_twice_is_harmless_and_nothing_arrives_after(line: Line) -> None:
    """A closed line takes no bytes and gives none."""
    line.close()
    line.close()
    line.queue(b"x")
    line.flush()
    assert line.progress() == []
    assert not line.is_usable()


def test_a_refused_connection_is_its_failure() -> None:
    """The system's words are the reason."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        line = Line(Address(*sock.getsockname()), PARTY, "")
        assert line.wait(WAIT)
        line.progress()
        assert "refused" in str(line.failure)
        assert line.is_closed


def test_a_name_with_several_addresses_is_tried_one_by_one(gateway: FakeGateway) -> None:
    """`localhost` may be IPv6 first, where nobody listens."""
    line = Line(Address("localhost", gateway.address.port), PARTY, "")
    while not line.is_open:
        assert line.wait(WAIT)
        line.progress()
        assert line.failure is None
    line.close()


def test_an_unknown_host_is_an_os_error() -> None:
    """Before anything is opened."""
    with pytest.raises(OSError, match=r".+"):
        Line(Address("host.invalid", 1), PARTY, "")


def test_a_dropped_line_closes_its_socket() -> None:
    """Without a ResourceWarning, which would be an error here; the other side sees the end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = Line(Address(*server.getsockname()), PARTY, "")
        peer, _ = server.accept()
        del line
        with peer:
            peer.settimeout(WAIT / 1000)
            assert peer.recv(1) == b""
