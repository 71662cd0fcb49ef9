"""Which host is announced, and which is listened on."""

import pytest

from gateway.addressing import Hosts, choose_hosts, ipv4_of, refuse_foreign
from gateway_process.errors import StartupError
from gateway_wire.addresses import Address

REGISTER = Address("127.0.0.1", 1236)
NOWHERE = Address("255.255.255.255", 1236)
"""An address to which no socket may send without asking for broadcast."""


@pytest.mark.parametrize(
    ("register", "host"), [(REGISTER, "127.0.0.1"), (Address("::1", 1236), "::1")]
)
async def test_auto_is_the_local_address_of_the_way_to_the_register(
    register: Address, host: str
) -> None:
    """What the kernel would send from is what others dial and what is listened on."""
    assert await choose_hosts("auto", "", [register]) == Hosts(host, host)


async def test_auto_takes_the_first_register_that_can_be_reached() -> None:
    """A register to which there is no way leaves the choice to the next one."""
    assert (await choose_hosts("auto", "", [NOWHERE, REGISTER])).advertised == "127.0.0.1"


async def test_auto_without_a_way_names_the_remedy() -> None:
    """The error names each register and the setting that answers the question instead."""
    with pytest.raises(StartupError, match=r"255\.255\.255\.255:1236.*--advertise HOST"):
        await choose_hosts("auto", "", [NOWHERE])


@pytest.mark.parametrize("host", ["10.0.0.1", "fd00::1", "gateway-1.internal"])
async def test_what_is_given_is_announced_and_bound(host: str) -> None:
    """Without another wish a gateway listens where it says it does."""
    assert await choose_hosts(host, "", []) == Hosts(host, host)


async def test_a_bind_address_may_differ() -> None:
    """In a container the others dial one address and the gateway listens on another."""
    assert await choose_hosts("gw.example", "0.0.0.0", []) == Hosts("gw.example", "0.0.0.0")
    assert (await choose_hosts("auto", "10.0.0.1", [REGISTER])).bound == "10.0.0.1"


async def test_a_name_has_the_ipv4_address_that_client_ids_of_php_hold() -> None:
    """An address is its own; what has none is refused with the remedy."""
    assert await ipv4_of("10.1.2.3") == "10.1.2.3"
    assert await ipv4_of("localhost") == "127.0.0.1"
    for host in ("::1", "nowhere.invalid"):
        message = rf"^--php-start-port: {host} has no IPv4 address.*--advertise HOST$"
        with pytest.raises(StartupError, match=message):
            await ipv4_of(host)


async def test_brackets_are_taken_off() -> None:
    """IPv6 may be written as in a URL."""
    assert await choose_hosts("[fd00::1]", "[::]", []) == Hosts("fd00::1", "::")


async def test_a_register_whose_name_does_not_resolve_is_what_is_wrong() -> None:
    """The remedy is to mend the name, not to say how this machine is reached."""
    with pytest.raises(StartupError, match=r"^--register: .*nowhere\.invalid:1236.*check the name"):
        await choose_hosts("auto", "", [Address("nowhere.invalid", 1236)])


@pytest.mark.parametrize("host", ["198.51.100.7", "nowhere.invalid"])
def test_a_host_of_another_machine_is_told_under_its_own_flag(host: str) -> None:
    """Behind a NAT what others dial cannot be listened on; the error names the second setting."""
    with pytest.raises(StartupError, match=rf"^--advertise: {host} is no .*--advertise-bind HOST$"):
        refuse_foreign(Hosts(host, host))
    with pytest.raises(StartupError, match=rf"^--advertise-bind: {host} is no .*; give one it has"):
        refuse_foreign(Hosts("gateway.example", host))


def test_a_host_of_this_machine_may_be_listened_on() -> None:
    """Whatever others dial, where it listens decides."""
    refuse_foreign(Hosts("198.51.100.7", "0.0.0.0"))
