"""Addresses as text and back."""

import pytest

from gateway_wire.addresses import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:1236", Address("127.0.0.1", 1236)),
        ("[::1]:1236", Address("::1", 1236)),
        ("register.internal:0", Address("register.internal", 0)),
        ("[fd00::1]:65535", Address("fd00::1", 65535)),
    ],
)
def test_an_address_is_read_and_written(text: str, address: Address) -> None:
    """Parsing and `str` are each other's inverse."""
    assert parse_address(text) == address
    assert str(address) == text


def test_white_space_around_it_is_forgiven() -> None:
    """Lists from files and variables come with it."""
    assert parse_address(" 127.0.0.1:1 \n") == Address("127.0.0.1", 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1",
        ":1236",
        "::1:1236",
        "[::1]",
        "host:",
        "host:x",
        "host:-1",
        "h:65536",
        "h:\u0661",
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    """The error shows what was given and what an address looks like."""
    with pytest.raises(ValueError, match=r"write host:port, such as 127\.0\.0\.1:1236") as caught:
        parse_address(text)

    assert repr(text) in str(caught.value)
