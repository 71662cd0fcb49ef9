"""Watching registers without a thread."""

from __future__ import annotations

import socket
import struct
import threading
import time

import pytest

from gateway_client import GatewayClient, RegisterUnavailable
from gateway_client.blocking.registers import LOOKUP_TIMEOUT, Registers
from gateway_client.cluster import Cluster
from gateway_client.config import Config
from gateway_wire.addresses import Address
from gateway_wire.commands import Nodes, Role
from gateway_wire.hello import Party, new_instance
from gateway_wire.link import Link
from gateway_wire.state import Side
from tests.gateway_client.blocking.beside import Beside
from tests.gateway_client.peers import PATIENCE, FakeGateway, FakeRegister, PeerLoop


def test_the_first_call_waits_for_every_register(
    peers: PeerLoop, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """The union is complete from the first call on."""
    second = FakeRegister(peers, other)
    gateway.connect(1)
    other.connect(2)
    addresses = [str(register.address), str(second.address)]
    with GatewayClient(addresses, secret_key="") as client:
        assert client.get_all_client_count() == 2
    second.stop()


def test_a_mute_register_costs_one_caller(
    peers: PeerLoop, register: FakeRegister, gateway: FakeGateway
) -> None:
    """The first call waits for its answer until the connecting time is over, later ones do not."""
    silent = FakeRegister(peers)
    silent.is_mute = True
    gateway.connect()
    addresses = [str(register.address), str(silent.address)]
    with GatewayClient(addresses, secret_key="") as client:
        assert client.get_all_client_count(timeout=0.5) == 1
        begun = time.monotonic()
        assert client.get_all_client_count(timeout=30) == 1
        assert time.monotonic() - begun < 15
    silent.stop()


def test_a_register_that_comes_back_is_watched_again(
    client: GatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """Calls dial it in passing."""
    client.get_all_client_count()
    register.stop()
    client.get_all_client_count()
    register.nodes.append(other.entry)
    other.connect()
    register.start()
    deadline = time.monotonic() + 20
    while client.get_all_client_count() != 1:
        assert time.monotonic() < deadline


def test_a_register_that_does_not_answer_a_lookup_counts_as_lost(
    client: GatewayClient, register: FakeRegister
) -> None:
    """One caller waits for it, no longer than a second."""
    client.get_all_client_count()
    register.is_mute = True
    begun = time.monotonic()
    with pytest.raises(RegisterUnavailable, match="did not answer in time"):
        client.is_online("c" * 32)
    assert time.monotonic() - begun >= LOOKUP_TIMEOUT


def test_threads_wait_for_the_same_answer(client: GatewayClient, register: FakeRegister) -> None:
    """Threads that come first together share one link to the register."""
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(client.get_all_client_count()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [0] * 8
    assert register.openings == 1


def _answer_once_and_reset(listener: socket.socket) -> None:
    """Be a register that answers, and whose machine then forgets the connection."""
    core = Link(Side.ACCEPTOR, Party(Role.REGISTER, new_instance()), "")
    connection, _ = listener.accept()
    with connection:
        while True:
            envelopes = core.receive_data(connection.recv(4096))
            for _ in envelopes:
                core.send(Nodes(settling=False, nodes=[]))
            connection.sendall(core.data_to_send())
            if envelopes:
                break
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_register_that_is_lost_when_it_is_asked_is_dialled_again() -> None:
    """Nobody has looked at its link since: what fails is the question."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Address(*listener.getsockname())
        registers = Registers(Cluster(Config((address,))), Party(Role.CLIENT, new_instance()))
        with Beside(lambda: _answer_once_and_reset(listener)):
            registers.settle(time.monotonic() + PATIENCE)
    with pytest.raises(RegisterUnavailable, match="refused"):
        registers.look_up(time.monotonic() + PATIENCE, time.monotonic())
    registers.close()


NOT_A_REGISTER = r"it is a gateway, not a register\)\. .* register_address right\?$"
"""Where something listens, nothing is to be started."""


def test_a_gateway_in_a_registers_place_is_told(gateway: FakeGateway) -> None:
    """The address of a gateway's internal port is a likely mistake; nobody waits for an answer."""
    with (
        GatewayClient(str(gateway.address), secret_key="") as client,
        pytest.raises(RegisterUnavailable, match=NOT_A_REGISTER),
    ):
        client.get_all_client_count()
