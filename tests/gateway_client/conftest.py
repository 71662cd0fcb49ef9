"""Clusters of peers that speak the protocol, and clients of them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from gateway_client import GatewayClient
from gateway_wire.addresses import Address
from tests.gateway_client.peers import FakeGateway, FakeRegister, PeerLoop


@pytest.fixture
def peers() -> Iterator[PeerLoop]:
    """The loop on which the peers of a test live."""
    loop = PeerLoop()
    yield loop
    loop.close()


MakeGateway = Callable[..., FakeGateway]


@pytest.fixture
def make_gateway(peers: PeerLoop) -> Iterator[MakeGateway]:
    """Make gateways, which are stopped after the test."""
    made: list[FakeGateway] = []

    def make(node_id: str = "aaaaaaaaaaaa", secret_key: str = "") -> FakeGateway:
        made.append(FakeGateway(peers, node_id, secret_key))
        return made[-1]

    yield make
    for gateway in made:
        gateway.stop()


@pytest.fixture
def gateway(make_gateway: MakeGateway) -> FakeGateway:
    """One gateway."""
    return make_gateway()


@pytest.fixture
def other(make_gateway: MakeGateway) -> FakeGateway:
    """Another gateway, not announced until the test says so."""
    return make_gateway("bbbbbbbbbbbb")


@pytest.fixture
def register(peers: PeerLoop, gateway: FakeGateway) -> Iterator[FakeRegister]:
    """A register that announces `gateway`."""
    register = FakeRegister(peers, gateway)
    yield register
    register.stop()


@pytest.fixture
def deaf(register: FakeRegister, gateway: FakeGateway) -> Iterator[FakeGateway]:
    """`gateway`, where the kernel takes connections and nobody answers them."""
    gateway.stop()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        gateway.address = Address(*sock.getsockname())
        register.tell(gateway)
        yield gateway


@pytest.fixture
def client(register: FakeRegister) -> Iterator[GatewayClient]:
    """A blocking client of the cluster."""
    with GatewayClient(str(register.address), secret_key="") as client:
        yield client
