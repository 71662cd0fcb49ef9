"""The lines that PHP programs and a register say to each other, without a network."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_wire.addresses import Address
from gateway_wire.commands import Announce
from gateway_wire.errors import AuthenticationFailed, ErrorCode, RemoteProtocolError
from gateway_wire.ids import PhpIds
from register.php import MAX_LINE, Conversation, addresses_line, addresses_of

NODE = "0123456789ab"
ASK = b'{"event":"worker_connect","secret_key":"%s"}\n'


def announced(*addresses: tuple[str, int]) -> list[Announce]:
    """Give what gateways announced that serve PHP programs at these addresses."""
    ids = [PhpIds(f"{at:012x}", Address(*each)) for at, each in enumerate(addresses)]
    return [Announce(each.node_id, "gateway", 2900, 0, [*each.keys]) for each in ids]


def test_the_answer_is_what_the_original_writes() -> None:
    """Byte for byte, and the line's end is part of it: clients read until there."""
    line = addresses_line(["127.0.0.1:2900"])

    assert line == b'{"event":"broadcast_addresses","addresses":["127.0.0.1:2900"]}\n'
    assert addresses_line([]) == b'{"event":"broadcast_addresses","addresses":[]}\n'


def test_an_address_is_that_of_the_listener_for_php() -> None:
    """Gateways without one are left out; one that is named twice is there once."""
    native = Announce(NODE, "10.0.0.9", 2900, 0, [f"n:{NODE}"])
    php = announced(("10.0.0.1", 2950), ("10.0.0.2", 2951), ("10.0.0.1", 2950))

    assert addresses_of([native, *php]) == ["10.0.0.1:2950", "10.0.0.2:2951"]
    assert addresses_of([]) == []


@given(st.data())
def test_a_line_is_understood_however_it_is_cut(data: st.DataObject) -> None:
    """Pings before and behind it ask for nothing."""
    told = b'{"event":"ping"}\n' + ASK % b"key" + b'{"event":"ping"}\n'
    cuts = sorted(data.draw(st.sets(st.integers(0, len(told)))))
    conversation = Conversation("key")

    pieces = [told[first:last] for first, last in zip([0, *cuts], [*cuts, len(told)], strict=True)]

    assert sum(map(conversation.receive, pieces)) == 1
    assert repr(conversation) == "<Conversation holding 0 bytes>"


@pytest.mark.parametrize(
    ("ours", "line", "code"),
    [
        ("key", ASK % b"", ErrorCode.KEY_MISSING),
        ("key", b'{"event":"worker_connect"}\n', ErrorCode.KEY_MISSING),
        ("", ASK % b"key", ErrorCode.KEY_UNEXPECTED),
        ("key", ASK % b"other", ErrorCode.KEY_WRONG),
    ],
)
def test_a_key_that_differs_is_refused(ours: str, line: bytes, code: ErrorCode) -> None:
    """The error says which side lacks what."""
    with pytest.raises(AuthenticationFailed) as caught:
        Conversation(ours).receive(line)

    assert caught.value.code is code


def test_a_gateway_of_php_is_refused() -> None:
    """It cannot be one of this cluster; the error names what to start instead."""
    line = b'{"event":"gateway_connect","address":"10.0.0.1:2900","secret_key":""}\n'

    with pytest.raises(RemoteProtocolError, match="--php-start-port"):
        Conversation("").receive(line)


@pytest.mark.parametrize(
    "line",
    [
        b"{\n",
        b"\n",
        b"[]\n",
        b"{}\n",
        b'{"event":["worker_connect"]}\n',
        b'{"event":"broadcast_addresses"}\n',
        b'{"event":"worker_connect","secret_key":null}\n',
        b'{"event":"\xff"}\n',
        b"[" * (MAX_LINE - 1) + b"\n",
        b"{" + b" " * MAX_LINE,
        b"{" + b" " * MAX_LINE + b"}\n",
    ],
)
def test_anything_else_is_refused(line: bytes) -> None:
    """Also what is nested deeply, or never ends."""
    with pytest.raises(RemoteProtocolError):
        Conversation("").receive(line)


@given(st.binary(max_size=200))
def test_no_bytes_do_harm(data: bytes) -> None:
    """Whatever comes is refused, or asks for nothing."""
    try:
        asks = Conversation("").receive(data)
    except (RemoteProtocolError, AuthenticationFailed):
        return
    assert not asks or json.loads(data.split(b"\n")[0])
