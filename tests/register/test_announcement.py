"""What may be announced, and what a refusal says."""

from dataclasses import replace

import pytest

from gateway_wire.commands import Announce, CommandError
from gateway_wire.errors import ErrorCode
from register.announcement import check_announcement

GOOD = Announce("0123456789ab", "10.0.0.1", 2900, 0, ["n:0123456789ab"], "10.0.0.1:6789")


@pytest.mark.parametrize("host", ["10.0.0.1", "fd00::1", "gateway-1.internal", "xn--bcher-kva"])
def test_what_others_can_dial_passes(host: str) -> None:
    """Addresses and names are taken as they are, at any register."""
    check_announcement(replace(GOOD, host=host), exposed=True)
    check_announcement(replace(GOOD, host=host), exposed=False)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"node_id": "0123"}, "node id"),
        ({"node_id": "0123456789AB"}, "node id"),
        ({"host": ""}, "host"),
        ({"host": "two words"}, "host"),
        ({"host": "x" * 256}, "host"),
        ({"port": 0}, "port 0"),
        ({"port": 65536}, "port 65536"),
        ({"generation": -1}, "generation -1"),
        ({"keys": ["k"] * 17}, "keys"),
        ({"keys": ["k" * 65]}, "keys"),
        ({"api_server": "x" * 256}, "api_server"),
    ],
)
def test_what_cannot_be_right_is_invalid(change: dict[str, object], named: str) -> None:
    """A field that nobody could use is refused by name."""
    with pytest.raises(CommandError, match=named) as caught:
        check_announcement(replace(GOOD, **change), exposed=False)  # type: ignore[arg-type]
    assert caught.value.code is ErrorCode.INVALID


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST."])
def test_a_loopback_address_stays_on_its_machine(host: str) -> None:
    """A register for one machine takes it; one for several refuses it and names the remedy."""
    check_announcement(replace(GOOD, host=host), exposed=False)

    with pytest.raises(CommandError, match="--advertise HOST") as caught:
        check_announcement(replace(GOOD, host=host), exposed=True)
    assert caught.value.code is ErrorCode.UNREACHABLE_ADDRESS


@pytest.mark.parametrize("exposed", [True, False])
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_every_address_is_no_address(host: str, exposed: bool) -> None:
    """What one listens on to mean all addresses cannot be dialled."""
    with pytest.raises(CommandError, match="--advertise HOST") as caught:
        check_announcement(replace(GOOD, host=host), exposed=exposed)
    assert caught.value.code is ErrorCode.UNREACHABLE_ADDRESS


def test_an_address_for_php_is_checked_too() -> None:
    """It may be another than the announced name has elsewhere, such as Debian's 127.0.1.1."""
    announce = replace(GOOD, keys=["p:7f0001010b86"])
    check_announcement(announce, exposed=False)

    with pytest.raises(CommandError, match=r"announces 127\.0\.1\.1") as caught:
        check_announcement(announce, exposed=True)
    assert caught.value.code is ErrorCode.UNREACHABLE_ADDRESS
