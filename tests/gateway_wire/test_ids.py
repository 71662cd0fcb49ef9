"""Client ids: three forms, one parser."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_wire.addresses import Address
from gateway_wire.errors import InvalidClientId
from gateway_wire.ids import (
    CONNMIX_NODE_NUMBERS,
    ClientIdForm,
    ClientIds,
    ConnmixIds,
    NativeIds,
    ParsedId,
    PhpIds,
    new_connmix_number,
    new_node_id,
    node_key_of,
    parse_client_id,
    php_address_of,
)
from gateway_wire.permutation import Permutation

NODE = "0123456789ab"
COUNT_OF_0 = 3865279703
"""What `Permutation(32, b"known")` maps to 0."""


@pytest.mark.parametrize(
    ("text", "form", "key"),
    [
        (NODE + "c" * 20, ClientIdForm.NATIVE, "n:" + NODE),
        ("0" * 32, ClientIdForm.NATIVE, "n:" + "0" * 12),
        ("7f0000010b5400000001", ClientIdForm.PHP, "p:7f0000010b54"),
        (str((5 << 40) + 77), ClientIdForm.CONNMIX, "c:5"),
        (str(2**63 - 1), ClientIdForm.CONNMIX, f"c:{2**23 - 1}"),
        ("1", ClientIdForm.CONNMIX, "c:0"),
    ],
)
def test_each_form_is_told_from_the_others(text: str, form: ClientIdForm, key: str) -> None:
    """The text alone says which form it is and which node holds the connection."""
    assert parse_client_id(text) == ParsedId(text, form, key)


@pytest.mark.parametrize(
    "given_id",
    [
        "",
        "0",
        "01",
        "-1",
        "42 ",
        "x" * 32,
        NODE + "C" * 20,
        NODE + "c" * 19,
        NODE + "c" * 20 + "\n",
        "\u0661",  # a digit, but not one of ours
        str(2**63),
        None,
        7,
        True,
        b"0" * 32,
        ["0" * 32],
    ],
)
def test_anything_else_is_invalid(given_id: object) -> None:
    """The error shows what was given and what a client id looks like; it is a ValueError."""
    with pytest.raises(InvalidClientId, match="32 hex digits") as caught:
        parse_client_id(given_id)

    assert caught.value.client_id is given_id
    assert isinstance(caught.value, ValueError)


@given(st.text(max_size=40))
def test_any_text_is_an_id_or_invalid(text: str) -> None:
    """No text causes another error, and what parses is kept as it was written."""
    with contextlib.suppress(InvalidClientId):
        assert parse_client_id(text).text == text


def test_native_ids_are_of_their_node_and_never_repeat() -> None:
    """Thousands of ids, over several blocks of random bytes, differ and parse."""
    ids = NativeIds(NODE)

    handed_out = [ids.next() for _ in range(2000)]

    assert len(set(handed_out)) == 2000
    assert {parse_client_id(each).node_key for each in handed_out} == {"n:" + NODE}
    assert ids.keys == ("n:" + NODE,)
    assert repr(ids) == f"<NativeIds of node {NODE}>"


def test_two_nodes_never_hand_out_the_same() -> None:
    """Node ids are random, and two generators of one node draw other random bytes."""
    assert new_node_id() != new_node_id()
    assert NativeIds(NODE).next() != NativeIds(NODE).next()


@pytest.mark.parametrize("node_id", ["", "0123", NODE.upper(), NODE + "0", "zzzzzzzzzzzz"])
def test_a_wrong_node_id_is_refused(node_id: str) -> None:
    """A node id that could not be parsed back is refused where it would be used."""
    with pytest.raises(ValueError, match="12 lower-case hex digits"):
        NativeIds(node_id)
    with pytest.raises(ValueError, match="12 lower-case hex digits"):
        node_key_of(node_id)


def test_a_node_id_is_well_formed() -> None:
    """What is chosen at a start has a key."""
    node_id = new_node_id()

    assert node_key_of(node_id) == "n:" + node_id


def test_connmix_ids_are_of_their_node_and_never_repeat() -> None:
    """They are decimals between 2**53 and 2**63 that parse back to the key which is announced."""
    ids: ClientIds = ConnmixIds(NODE, 9000)

    handed_out = [ids.next() for _ in range(2000)]

    assert len(set(handed_out)) == 2000
    assert all(2**53 < int(each) < 2**63 for each in handed_out)
    assert {parse_client_id(each) for each in handed_out} == {
        ParsedId(each, ClientIdForm.CONNMIX, "c:9000") for each in handed_out
    }
    assert ids.node_id == NODE
    assert ids.keys == ("n:" + NODE, "c:9000")
    assert repr(ids) == f"<ConnmixIds of node {NODE}, c:9000>"


def test_connmix_ids_tell_nothing_of_each_other() -> None:
    """Two processes with one number, which only different clusters have, hand out other ids."""
    first, second = ConnmixIds(NODE, 9000), ConnmixIds(NODE, 9000)

    assert [first.next() for _ in range(5)] != [second.next() for _ in range(5)]


def test_connmix_ids_begin_anew_when_all_are_used() -> None:
    """After 2**40 connections the first id comes again, and none of another node."""
    ids = ConnmixIds(NODE, 9000)
    first = ids.next()
    ids._count = 2**40 - 1
    last = ids.next()

    assert parse_client_id(last).node_key == "c:9000"
    assert ids.next() == first


@pytest.mark.parametrize("number", [CONNMIX_NODE_NUMBERS[0], CONNMIX_NODE_NUMBERS[-1]])
def test_every_node_number_keeps_ids_in_their_range(number: int) -> None:
    """The lowest number gives ids above 2**53, the highest ones below 2**63."""
    assert 2**53 < int(ConnmixIds(NODE, number).next()) < 2**63


def test_a_node_number_is_drawn_at_random() -> None:
    """Two gateways seldom draw the same number, and never one that ids may not have."""
    drawn = {new_connmix_number() for _ in range(20)}

    assert len(drawn) > 15
    assert all(each in CONNMIX_NODE_NUMBERS for each in drawn)


@pytest.mark.parametrize("number", [0, 2**13 - 1, 2**23])
def test_other_node_numbers_are_refused(number: int) -> None:
    """The error names the range."""
    with pytest.raises(ValueError, match=f"from 8192 to 8388607, not {number}"):
        ConnmixIds(NODE, number)


PHP = Address("10.1.2.3", 2950)


def test_php_ids_are_of_their_listener_and_never_repeat() -> None:
    """They are 20 hex digits that parse back to the key which is announced, and none names connection 0."""
    ids: ClientIds = PhpIds(NODE, PHP)

    handed_out = [ids.next() for _ in range(2000)]

    assert len(set(handed_out)) == 2000
    assert {parse_client_id(each) for each in handed_out} == {
        ParsedId(each, ClientIdForm.PHP, "p:0a0102030b86") for each in handed_out
    }
    assert not any(each.endswith("00000000") for each in handed_out)
    assert ids.node_id == NODE
    assert ids.keys == ("n:" + NODE, "p:0a0102030b86")
    assert repr(ids) == f"<PhpIds of node {NODE}, p:0a0102030b86>"


def test_php_ids_tell_nothing_of_each_other() -> None:
    """A gateway that starts again at the same address hands out other ids."""
    first, second = PhpIds(NODE, PHP), PhpIds(NODE, PHP)

    assert [first.next() for _ in range(5)] != [second.next() for _ in range(5)]


def test_php_ids_leave_out_connection_0() -> None:
    """To PHP's protocol it is nobody."""
    ids = PhpIds(NODE, PHP, Permutation(32, b"known"))
    ids._count = COUNT_OF_0 - 1

    before, after = ids.next(), ids.next()

    assert Permutation(32, b"known")(COUNT_OF_0) == 0
    assert not before.endswith("00000000")
    assert after.endswith(f"{Permutation(32, b'known')(COUNT_OF_0 + 1):08x}")


def test_php_ids_begin_anew_when_all_are_used() -> None:
    """After 2**32 - 1 connections the first id comes again."""
    ids = PhpIds(NODE, PHP)
    first = ids.next()
    ids._count = 2**32 - 1
    last = ids.next()

    assert parse_client_id(last).node_key == "p:0a0102030b86"
    assert first == ids.next()


@pytest.mark.parametrize(
    "address",
    [Address("::1", 2950), Address("localhost", 2950), Address("10.1.2.3", 0)],
)
def test_php_ids_need_an_ipv4_address_and_a_port(address: Address) -> None:
    """Nothing else fits into one."""
    with pytest.raises(ValueError, match=r"IPv4|Expected 4 octets|from 1 to 65535"):
        PhpIds(NODE, address)


def test_a_php_key_names_its_listener() -> None:
    """That is how a register knows it; keys of other forms name none."""
    assert php_address_of(PhpIds(NODE, PHP).keys[1]) == PHP
    assert php_address_of("p:ffffffffffff") == Address("255.255.255.255", 65535)
    assert [php_address_of(each) for each in ("n:" + NODE, "c:9000", "p:0a01", "")] == [None] * 4
