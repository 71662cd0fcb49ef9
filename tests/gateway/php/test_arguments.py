"""What frames of PHP say: names, connection ids, JSON and messages, and what they may not say."""

import pytest

from gateway.outbox import Encoded
from gateway.php.arguments import (
    ArgumentError,
    array_keys,
    array_values,
    connection_id_of,
    is_empty,
    json_of,
    key_of,
    last_message_of,
    message_of,
    name_of,
    names_of,
    numbers_of,
)
from gateway.php.frames import RAW, SCALAR, Command, Frame


def bringing(body: bytes, flags: int = SCALAR) -> Frame:
    """Give a frame with a body."""
    return Frame(Command.SEND_TO_ALL, body=body, flags=flags)


# Names


def test_a_connection_id_is_the_end_of_a_client_id() -> None:
    """Its last 32 bits."""
    assert connection_id_of("7f0000010b54fffffff0") == 4294967280


@pytest.mark.parametrize(("ext", "name"), [(b"", ""), (b"0", ""), (b"00", "00"), (b" ", " ")])
def test_a_name_may_be_empty_as_php_sees_it(ext: bytes, name: str) -> None:
    """The text `0` is empty, and nothing else that has characters."""
    assert name_of(ext) == name
    assert is_empty(name) is (name == "")


def test_nobody_is_empty_too() -> None:
    """A client without a uid has an empty one."""
    assert is_empty(None)
    assert is_empty("0")


def test_names_are_text() -> None:
    """A name in another encoding is refused, with the byte and what to do."""
    assert name_of("推送".encode()) == "推送"
    with pytest.raises(ArgumentError, match=r"the name b'\\xcd\\xc6' is not UTF-8 at byte 0: enc"):
        name_of(b"\xcd\xc6")


def test_values_become_keys_as_in_arrays_of_php() -> None:
    """Digits are an int, a float loses what is behind the point, null is the empty text."""
    values = ["alice", "1001", 1001, "007", "-0", 1.9, True, False, None, "9" * 30]

    assert [key_of(each) for each in values] == [
        "alice", 1001, 1001, "007", "-0", 1, 1, 0, "", "9" * 30
    ]  # fmt: skip
    assert names_of(["a", 0, "0", "", None, False, 77, "77"]) == ["a", "77", "77"]
    assert numbers_of([2, "3", "x", "-", None, True, 10**30]) == [2, 3, 1, 10**30]


@pytest.mark.parametrize("value", [[], {}, ["a"]])
def test_a_container_is_no_name(value: object) -> None:
    """PHP's own gateway dies of it."""
    with pytest.raises(ArgumentError, match="is no uid or group: give an int or a string"):
        key_of(value)


def test_a_lone_surrogate_is_no_name() -> None:
    """PHP refuses the JSON that holds it."""
    with pytest.raises(ArgumentError, match="lone surrogate"):
        names_of(json_of(b'["\\ud800"]'))
    assert names_of(json_of(b'["\\ud83d\\ude80"]')) == ["🚀"]


@pytest.mark.parametrize("ext", [b"[1e400]", b"[-1e400]", b"[1e40]", b"[9223372036854775808]"])
def test_a_number_of_more_than_64_bits_is_no_name(ext: bytes) -> None:
    """JSON can spell it, and PHP's arrays have no such key."""
    with pytest.raises(ArgumentError, match="is no uid or group"):
        names_of(json_of(ext))


# JSON


def test_arrays_of_php_are_objects_or_lists() -> None:
    """PHP writes an array with the keys 0 to n-1 as a list, so a list has such keys."""
    assert list(array_values(json_of(b'{"5":5,"x":6}'))) == [5, 6]
    assert list(array_values(json_of(b"[5,6]"))) == [5, 6]
    assert list(array_keys(json_of(b'{"5":5,"7":null,"x":6}'))) == ["5", "x"]
    assert list(array_keys(json_of(b"[0,1,null]"))) == [0, 1]
    assert json_of(b"") is None


@pytest.mark.parametrize("value", [None, 5, "text", True])
def test_a_scalar_is_no_array(value: object) -> None:
    """It is refused by what it is."""
    for take in (array_values, array_keys):
        with pytest.raises(ArgumentError, match="stands where an array is wanted"):
            take(value)


@pytest.mark.parametrize(
    "ext",
    [b"{", b"[1,]", b"\xff", b"[NaN]", b"[-Infinity]", b"[" * 100_000, b"[" + b"9" * 5_000 + b"]"],
)
def test_what_is_not_json_is_refused(ext: bytes) -> None:
    """However deep or long it is, the error is short."""
    with pytest.raises(ArgumentError, match="is not JSON") as caught:
        json_of(ext)
    assert len(str(caught.value)) < 500


# Messages


def test_a_message_is_text_where_it_can_be() -> None:
    """Other bytes are a binary message, for as text they would end a browser's connection."""
    assert message_of(bringing("utf8: 推送".encode())) == "utf8: 推送"
    assert message_of(bringing(b"")) == ""
    assert message_of(bringing(b"\xff\x00")) == b"\xff\x00"
    assert type(message_of(bringing(b"\xff\x00"))) is bytes


def test_raw_bytes_are_not_looked_at() -> None:
    """They are for the wire."""
    raw = message_of(bringing(b"\x81\x02ok", SCALAR | RAW))

    assert (type(raw), raw) == (Encoded, b"\x81\x02ok")


@pytest.mark.parametrize("flags", [0, RAW])
def test_a_serialized_body_is_no_message(flags: int) -> None:
    """Strings and numbers are never serialized; of the rest PHP's own gateway dies."""
    with pytest.raises(ArgumentError, match="null, an array or an object: give a string"):
        message_of(bringing(b"a:0:{}", flags))


def test_a_client_may_be_closed_without_a_word() -> None:
    """That is a serialized null; an empty message is one."""
    assert last_message_of(bringing(b"N;", 0)) is None
    assert last_message_of(bringing(b"")) == ""
    assert last_message_of(bringing(b"bye")) == "bye"


@pytest.mark.parametrize("body", [b"a:0:{}", b'O:8:"stdClass":0:{}', b"", b"N", b"b:0;"])
def test_nothing_else_that_is_serialized_is_a_last_message(body: bytes) -> None:
    """An object is refused before it is made, as everywhere."""
    with pytest.raises(ArgumentError, match="the message"):
        last_message_of(bringing(body, 0))
