import pytest

from gateway_process.addresses import Address, ListenUrl
from gateway_process.errors import BadValue


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
    """Anything else is a bad value that says what it lacks."""
    with pytest.raises(BadValue, match=f"^{problem}"):
        Address.parse(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST"])
def test_loopback_addresses_are_known(host: str) -> None:
    """Addresses only this machine can reach are loopback."""
    assert Address(host, 1).is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "localhost.example"])
def test_other_addresses_are_not_loopback(host: str) -> None:
    """Addresses others can reach are not, nor is a name that only looks like one."""
    assert not Address(host, 1).is_loopback


@pytest.mark.parametrize("text", ["ws://0.0.0.0:7272", "wss://[::]:443"])
def test_listen_url_reads_and_writes_itself(text: str) -> None:
    """A listener is a scheme and an address."""
    url = ListenUrl.parse(text)
    assert (url.scheme, str(url)) == (text.partition(":")[0], text)


def test_listen_url_takes_a_slash_and_any_case() -> None:
    """A trailing slash and capitals in the scheme mean nothing."""
    assert ListenUrl.parse("WS://a:1/") == ListenUrl("ws", Address("a", 1))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0.0.0.0:7272", "is not a listen URL"),
        ("ws://0.0.0.0", "has no port"),
        ("ws://0.0.0.0:7272/chat", "has something behind the port"),
    ],
)
def test_listen_url_says_what_is_wrong(text: str, problem: str) -> None:
    """A missing scheme, a missing port and a path are told apart."""
    with pytest.raises(BadValue, match=problem):
        ListenUrl.parse(text)
