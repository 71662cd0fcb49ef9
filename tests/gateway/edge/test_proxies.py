"""Tests of the real client's address."""

from __future__ import annotations

import pytest

from gateway.edge.proxies import TrustedProxies

PEER = ("10.0.0.1", 4711)
PROXIES = TrustedProxies(["10.0.0.0/8", "fd00::/8", "192.0.2.1"])


def forwarded_for(value: str) -> tuple[str, int]:
    """Return the client's address behind the trusted peer."""
    return PROXIES.client_address(PEER, {"x-forwarded-for": value})


def forwarded(value: str) -> tuple[str, int]:
    """The same with RFC 7239's header."""
    return PROXIES.client_address(PEER, {"forwarded": value})


def test_nobody_is_trusted_by_default() -> None:
    """Without trusted networks the header means nothing."""
    headers = {"x-forwarded-for": "203.0.113.7"}

    assert TrustedProxies().client_address(PEER, headers) == PEER


def test_an_untrusted_peer_is_not_believed() -> None:
    """A client that connects directly cannot choose its address."""
    peer = ("203.0.113.99", 1)

    assert PROXIES.client_address(peer, {"x-forwarded-for": "203.0.113.7"}) == peer


def test_a_unix_socket_is_not_trusted() -> None:
    """A peer without an address has none that could be trusted."""
    assert PROXIES.client_address(("", 0), {"x-forwarded-for": "203.0.113.7"}) == ("", 0)


def test_without_a_header_the_peer_stands() -> None:
    """A trusted peer that says nothing is the client."""
    assert PROXIES.client_address(PEER, {}) == PEER


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("203.0.113.7", ("203.0.113.7", 0)),
        ("203.0.113.7:443", ("203.0.113.7", 443)),
        ("2001:db8::7", ("2001:db8::7", 0)),
        ("[2001:db8::7]:443", ("2001:db8::7", 443)),
        ("::ffff:203.0.113.7", ("203.0.113.7", 0)),
        ("198.51.100.1, 203.0.113.7", ("203.0.113.7", 0)),
        ("203.0.113.7, 10.1.1.1, fd00::1,192.0.2.1", ("203.0.113.7", 0)),
        ("nonsense, 203.0.113.7, 10.1.1.1", ("203.0.113.7", 0)),
    ],
)
def test_rightmost_untrusted_address_is_the_client(value: str, expected: tuple[str, int]) -> None:
    """Trusted addresses are proxies; what stands left of the client was written by itself."""
    assert forwarded_for(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nonsense",
        "203.0.113.7, nonsense",
        "203.0.113.7:70000",
        "300.1.1.1",
        "10.0.0.2, fd00::1",
    ],
)
def test_malformed_values_leave_the_peer(value: str) -> None:
    """If the header cannot be read down to the client, the TCP peer stands."""
    assert forwarded_for(value) == PEER


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("for=203.0.113.7", ("203.0.113.7", 0)),
        ('For="203.0.113.7:443";proto=https', ("203.0.113.7", 443)),
        ('proto=https; for="[2001:db8::7]:443" ;by=10.0.0.1', ("2001:db8::7", 443)),
        ("for=198.51.100.1, for=203.0.113.7, for=10.1.1.1", ("203.0.113.7", 0)),
        ("for=unknown", PEER),
        ("for=_hidden", PEER),
        ("proto=https", PEER),
        ("xfor=203.0.113.7", PEER),
        ('for="203.0.113.7', PEER),
    ],
)
def test_rfc_7239(value: str, expected: tuple[str, int]) -> None:
    """`Forwarded` is read the same way; hidden and malformed nodes leave the peer."""
    assert forwarded(value) == expected


def test_forwarded_goes_before_x_forwarded_for() -> None:
    """If both headers are there the standard one counts."""
    headers = {"forwarded": "for=203.0.113.7", "x-forwarded-for": "198.51.100.1"}

    assert PROXIES.client_address(PEER, headers) == ("203.0.113.7", 0)


def test_mapped_peers_are_ipv4() -> None:
    """A peer on a dual-stack socket matches IPv4 networks."""
    peer = ("::ffff:10.0.0.1", 1)

    assert PROXIES.client_address(peer, {"x-forwarded-for": "203.0.113.7"})[0] == "203.0.113.7"


def test_a_wrong_network_is_named() -> None:
    """The setting's error shows the value and what would be right."""
    with pytest.raises(ValueError, match=r"trusted proxy 'proxy\.local' is not an address or CIDR"):
        TrustedProxies(["10.0.0.0/8", "proxy.local"])


def test_repr_lists_the_networks() -> None:
    """What is trusted can be seen."""
    assert repr(TrustedProxies(["10.1.2.3/8"])) == "<TrustedProxies 10.0.0.0/8>"
    assert repr(TrustedProxies()) == "<TrustedProxies none>"
