"""Lines of UTF-8, in every piece and out of garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.protocol import ProtocolError
from gateway.edge.text import Text

LINES = ("", "hello", "Grüße, 世界 🎉", "x" * 300)
WIRE = "".join(f"{line}\n" for line in LINES).encode()


class Small(Text):
    """Lines of at most eight bytes."""

    max_message = 8


def test_lines_are_the_same_in_every_split() -> None:
    """Wherever two reads meet, also inside a character."""
    for at in range(len(WIRE) + 1):
        text = Text()
        assert (*text.feed(WIRE[:at]), *text.feed(WIRE[at:])) == LINES
        assert text.buffered() == 0


def test_lines_come_byte_by_byte() -> None:
    """Each message is given with its last byte."""
    text = Text()
    assert tuple(line for byte in WIRE for line in text.feed(bytes((byte,)))) == LINES


def test_a_carriage_return_before_the_line_feed_is_left_out() -> None:
    """As telnet sends it, and as Workerman reads it; one inside a line stays."""
    assert list(Text().feed(b"a\rb\r\n\r\n")) == ["a\rb", ""]


def test_messages_are_encoded_as_lines() -> None:
    """Text and binary alike; line feeds inside are sent as they are."""
    text = Text()
    assert text.encode("é\nx") + text.encode(b"\xff") + text.encode("") == b"\xc3\xa9\nx\n\xff\n\n"


def test_a_line_that_is_not_utf8_breaks_the_rules() -> None:
    """Those before it were given."""
    lines = Text().feed(b"good\n\xff\n")
    assert next(iter(lines)) == "good"
    with pytest.raises(ProtocolError) as error:
        list(lines)
    assert (error.value.reason.code, error.value.reason.name) == (1007, "invalid_text")


@pytest.mark.parametrize("data", [b"123456789", b"123456789\n", b"1\n123456789"])
def test_a_line_that_is_too_long_is_refused_before_it_ends(data: bytes) -> None:
    """Not more than the limit is ever kept; in one read or byte by byte."""
    assert list(Small().feed(b"12345678\n")) == ["12345678"]
    with pytest.raises(ProtocolError) as error:
        list(Small().feed(data))
    assert error.value.reason.code == 1009
    small = Small()
    with pytest.raises(ProtocolError):
        [line for byte in data for line in small.feed(bytes((byte,)))]
    assert small.buffered() <= 8


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_garbage_gives_lines_or_breaks_the_rules(pieces: list[bytes]) -> None:
    """No other exception, and never more than the limit is kept."""
    small = Small()
    given_lines: list[str] = []
    code = None
    try:
        for piece in pieces:
            given_lines += small.feed(piece)
            assert small.buffered() <= 8
    except ProtocolError as error:
        code = error.reason.code
    assert code in {None, 1007, 1009}
    if code is None:
        expected = b"".join(pieces).split(b"\n")[:-1]
        assert given_lines == [line.rstrip(b"\r").decode() for line in expected]
