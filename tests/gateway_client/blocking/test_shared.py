"""The class-level `Gateway`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway_client import Gateway, GatewayUnavailable, RegisterUnavailable
from gateway_client.config import forget_defaults, set_defaults
from tests.gateway_client.peers import FakeGateway, FakeRegister, PeerLoop


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """The shared client's settings are put back after each test."""
    before = Gateway.register_address, Gateway.secret_key
    yield
    Gateway.register_address, Gateway.secret_key = before
    Gateway.close()


def test_it_is_configured_by_assignment(register: FakeRegister) -> None:
    """Assigned attributes take effect with the next call; a change replaces the client."""
    Gateway.register_address, Gateway.secret_key = str(register.address), ""
    assert Gateway.get_all_client_count() == 0
    Gateway.secret_key = "another"
    with pytest.raises(Exception, match="secret key"):
        Gateway.get_all_client_count()
    Gateway.secret_key = ""
    assert Gateway.get_all_client_count() == 0
    assert register.openings == 2


def test_a_list_of_registers_may_be_changed_in_place(
    peers: PeerLoop, register: FakeRegister
) -> None:
    """The addresses are compared by what they hold, not by which list it is."""
    gone = FakeRegister(peers)
    gone.stop()
    addresses = [str(gone.address)]
    Gateway.register_address, Gateway.secret_key = addresses, ""
    with pytest.raises(RegisterUnavailable):
        Gateway.get_all_client_count()
    addresses[0] = str(register.address)
    assert Gateway.get_all_client_count() == 0


def test_a_worker_that_is_told_replaces_an_earlier_client(
    register: FakeRegister, gateway: FakeGateway
) -> None:
    """A client that the environment made while modules were imported is not used after it."""
    gateway.connect()

    class Mine(Gateway):
        """A client of its own, as a forked child of a worker has one."""

    Mine.close()
    set_defaults([register.address], "")
    try:
        assert Mine.get_all_client_count() == 1
    finally:
        forget_defaults()
        Mine.close()


def test_the_environment_is_read_when_first_used(
    register: FakeRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without attributes the environment says where the register is."""
    monkeypatch.setenv("GATEWAYWORKER_REGISTER", str(register.address))
    monkeypatch.delenv("GATEWAYWORKER_SECRET_KEY", raising=False)

    class Mine(Gateway):
        """A client of its own, which nothing else has configured."""

    assert Mine.get_all_client_count() == 0
    with Mine.pipeline() as p:
        p.get_all_client_count()
    assert p.results == [0]
    Mine.close()


def test_a_subclass_is_a_client_of_its_own(
    peers: PeerLoop, register: FakeRegister, other: FakeGateway
) -> None:
    """Two clusters in one program."""
    elsewhere = FakeRegister(peers, other)
    other.connect()

    class Second(Gateway):
        """Another cluster."""

        register_address = str(elsewhere.address)
        secret_key = ""

    Gateway.register_address, Gateway.secret_key = str(register.address), ""
    assert (Gateway.get_all_client_count(), Second.get_all_client_count()) == (0, 1)
    assert (Gateway.get_all_client_count(), Second.get_all_client_count()) == (0, 1)
    Second.close()
    elsewhere.stop()


def test_what_is_lost_unconfirmed_is_counted_on_the_class(
    peers: PeerLoop, register: FakeRegister, gateway: FakeGateway
) -> None:
    """Nothing before it is used; the count outlives the links, and each class has its own."""

    class Mine(Gateway):
        """A client of its own."""

        register_address = str(register.address)
        secret_key = ""

    assert Mine.lost == 0
    gateway.stop()
    with pytest.raises(GatewayUnavailable):
        Mine.send_to_all("m", confirm=False)
    assert Mine.lost == 1
    Mine.close()
    assert (Mine.lost, Gateway.lost) == (1, 0)
