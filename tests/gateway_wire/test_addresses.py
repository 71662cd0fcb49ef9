"""Addresses as text and back."""

import pytest

from gateway_wire.addresses import Address, BadAddress


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:1236", "127.0.0.1", 1236),
        ("[::1]:1236", "::1", 1236),
        ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
        ("register.internal:0", "register.internal", 0),
    ],
)
def test_address_reads_and_writes_itself(text: str, host: str, port: int) -> None:
    """IPv4, IPv6 in brackets and names are read, and written the same way."""
    assert Address.parse(text) == Address(host, port)
    assert str(Address(host, port)) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("127.0.0.1", "has no port"),
        ("[::1]", "has no port"),
        ("127.0.0.1:", "has no port"),
        ("127.0.0.1:65536", "has no valid port"),
        ("127.0.0.1:http", "has no valid port"),
        ("127.0.0.1:\u0663", "has no valid port"),
        (":1236", "has no host"),
        ("::1:1236", "looks like IPv6 without brackets"),
        ("[nonsense]:1", "has no IPv6 address between its brackets"),
        ("[127.0.0.1]:1", "has no IPv6 address between its brackets"),
        ("ws://127.0.0.1:1", "is a URL"),
        ("a b:1", "is not host:port"),
    ],
)
def test_address_says_what_is_wrong(text: str, problem: str) -> None:
    """Anything else is refused with an error that shows it and says what it lacks."""
    with pytest.raises(BadAddress, match=problem) as caught:
        Address.parse(text)

    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST.", "::ffff:127.0.0.1"]
)
def test_loopback_addresses_are_known(host: str) -> None:
    """Addresses only this machine can reach are loopback."""
    assert Address(host, 1).is_loopback


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "localhost.example", "::ffff:10.0.0.1"]
)
def test_other_addresses_are_not_loopback(host: str) -> None:
    """Addresses others can reach are not, nor is a name that only looks like one."""
    assert not Address(host, 1).is_loopback


@pytest.mark.parametrize(
    ("listens", "dialled"),
    [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:1", "[::1]:1"), ("10.0.0.1:1", "10.0.0.1:1")],
)
def test_what_listens_everywhere_is_dialled_on_loopback(listens: str, dialled: str) -> None:
    """Every address of this machine includes loopback; any other address is dialled as it is."""
    assert str(Address.parse(listens).dialled) == dialled


def test_white_space_around_it_is_forgiven() -> None:
    """Lists from files and variables come with it."""
    assert Address.parse(" 127.0.0.1:1 \n") == Address("127.0.0.1", 1)
