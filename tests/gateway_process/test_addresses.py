import pytest

from gateway_process.addresses import ListenUrl, read_address
from gateway_process.errors import BadValue
from gateway_wire.addresses import Address


@pytest.mark.parametrize("text", ["ws://0.0.0.0:7272", "wss://[::]:443", "text+tls://a:1"])
def test_listen_url_reads_and_writes_itself(text: str) -> None:
    """A listener is a scheme and an address."""
    url = ListenUrl.parse(text)
    assert (url.scheme, str(url)) == (text.partition(":")[0], text)


def test_listen_url_takes_a_slash_and_any_case() -> None:
    """A trailing slash and capitals in the scheme mean nothing."""
    assert ListenUrl.parse("WS://a:1/") == ListenUrl("ws", Address("a", 1))


def test_listen_url_keeps_the_case_of_a_class() -> None:
    """Somebody's own protocol is named as Python names it."""
    url = ListenUrl.parse("my_app.Devices:Meter+tls://[::1]:7280")
    assert (url.scheme, url.address) == ("my_app.Devices:Meter+tls", Address("::1", 7280))
    assert str(url) == "my_app.Devices:Meter+tls://[::1]:7280"


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


def test_the_remedy_for_a_listen_url_is_one() -> None:
    """What is wrong with its address is mended by a URL, not by an address alone."""
    with pytest.raises(BadValue, match="has no port; write scheme://host:port as ws://"):
        ListenUrl.parse("ws://127.0.0.1")


def test_a_wrong_address_in_a_setting_is_a_bad_value() -> None:
    """Problem and remedy are those of the address, for the setting's message."""
    assert read_address("[::1]:5") == Address("::1", 5)
    with pytest.raises(BadValue, match="has no port; write"):
        read_address("127.0.0.1")
