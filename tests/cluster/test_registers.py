"""Registers that die and come back: real processes, ended with SIGKILL."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from gateway_client import GatewayClient, RegisterUnavailable
from tests.support.cluster import browse, closed_address, gateway, nodes, register
from tests.support.daemons import Daemon
from tests.support.waiting import eventually

KNOWS_AGAIN = 3.0
"""Seconds in which a restarted register knows every gateway."""


@pytest.fixture
def registers() -> Iterator[list[Daemon]]:
    """Give two registers on addresses that stay theirs."""
    with ExitStack() as stack:
        made = [register(listen=closed_address()) for _ in range(2)]
        yield [stack.enter_context(each) for each in made]


def addresses_of(registers: list[Daemon]) -> str:
    """Give the addresses of registers as a setting."""
    return ",".join(each.ready.listen for each in registers)


def test_pushes_go_on_without_any_register(registers: list[Daemon]) -> None:
    """Every register is killed: who knows the gateways goes on, who comes new gets a clear error."""
    addresses = addresses_of(registers)
    with ExitStack() as stack:
        gateways = [stack.enter_context(gateway(addresses)) for _ in range(2)]
        browsers = [stack.enter_context(browse(each.ready.ws)) for each in gateways]
        old = stack.enter_context(GatewayClient(addresses))
        assert old.send_to_all("before") == 2
        for each in registers:
            each.kill()

        for number in range(20):
            assert old.send_to_all(f"without {number}") == 2
        assert old.bind_uid(browsers[0].client_id, "ann")
        assert old.send_to_uid("ann", "to ann") == 1
        assert old.get_all_client_count() == 2
        with (
            GatewayClient(addresses) as fresh,
            pytest.raises(RegisterUnavailable, match="register start") as error,
        ):
            fresh.send_to_all("nobody knows")
        assert set(error.value.failures) == {each.ready.listen for each in registers}
        # A browser that comes now is known like any other.
        late = stack.enter_context(browse(gateways[0].ready.ws))
        assert old.send_to_client(late.client_id, "to the late one") == 1

        assert [late.text()] == ["to the late one"]
        sent = ["before", *(f"without {number}" for number in range(20))]
        assert [browsers[0].text() for _ in range(22)] == [*sent, "to ann"]
        assert [browsers[1].text() for _ in range(21)] == sent


def test_a_restarted_register_knows_everything_again(registers: list[Daemon]) -> None:
    """One of two comes back: within 3 s it lists all gateways, and a fresh client works."""
    addresses = addresses_of(registers)
    with ExitStack() as stack:
        gateways = [stack.enter_context(gateway(addresses)) for _ in range(2)]
        browsers = [stack.enter_context(browse(each.ready.ws)) for each in gateways]
        known = sorted(browser.client_id[:12] for browser in browsers)
        for each in registers:
            assert nodes(each) == known
            each.kill()

        (back, _) = registers
        back.start()
        started = time.monotonic()
        eventually(lambda: nodes(back) == known)
        assert time.monotonic() - started < KNOWS_AGAIN
        fresh = stack.enter_context(GatewayClient(addresses))
        assert fresh.send_to_all("again") == 2
        assert [browser.text() for browser in browsers] == ["again"] * 2


def test_a_fresh_client_works_while_one_register_of_two_is_gone(registers: list[Daemon]) -> None:
    """The register that is left is enough, for clients and for new gateways."""
    addresses = addresses_of(registers)
    registers[0].kill()
    with ExitStack() as stack:
        running = stack.enter_context(gateway(addresses))
        browser = stack.enter_context(browse(running.ready.ws))
        client = stack.enter_context(GatewayClient(addresses))
        assert client.send_to_client(browser.client_id, "x") == 1
        assert browser.text() == "x"


def test_a_gateway_that_starts_late_is_used_by_clients_that_are_there(
    registers: list[Daemon],
) -> None:
    """Watchers are told at once: the next call reaches the new gateway too."""
    addresses = addresses_of(registers)
    with ExitStack() as stack:
        first = stack.enter_context(gateway(addresses))
        stack.enter_context(browse(first.ready.ws))
        client = stack.enter_context(GatewayClient(addresses))
        assert client.get_all_client_count() == 1
        second = stack.enter_context(gateway(addresses))
        stack.enter_context(browse(second.ready.ws))
        eventually(lambda: client.get_all_client_count() == 2)
