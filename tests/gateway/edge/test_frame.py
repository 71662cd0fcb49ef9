"""Frames with their length in front, in every piece and out of garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.frame import Frame
from gateway.edge.protocol import ProtocolError

BODIES = (b"", b"\x00\xff", "Grüße".encode(), b"x" * 300)
WIRE = b"".join(Frame().encode(body) for body in BODIES)


class Small(Frame):
    """Bodies of at most eight bytes."""

    max_message = 8


def test_a_frame_is_written_as_workerman_does() -> None:
    """pack('N', 4 + length) and the body; text is its UTF-8."""
    assert Frame().encode(b"abc") == b"\x00\x00\x00\x07abc"
    assert Frame().encode("é") == b"\x00\x00\x00\x06\xc3\xa9"


def test_bodies_are_the_same_in_every_split() -> None:
    """Wherever two reads meet, also inside a length; they are bytes, whatever was sent."""
    for at in range(len(WIRE) + 1):
        frame = Frame()
        assert (*frame.feed(WIRE[:at]), *frame.feed(WIRE[at:])) == BODIES
        assert frame.buffered() == 0


def test_bodies_come_byte_by_byte() -> None:
    """Each message is given with its last byte."""
    frame = Frame()
    assert tuple(body for byte in WIRE for body in frame.feed(bytes((byte,)))) == BODIES


@pytest.mark.parametrize(("length", "code"), [(0, 1002), (3, 1002), (13, 1009), (0xFFFFFFFF, 1009)])
def test_a_length_is_judged_and_not_waited_for(length: int, code: int) -> None:
    """What was complete before is given."""
    frames = Small().feed(Frame().encode(b"12345678") + length.to_bytes(4))
    assert next(iter(frames)) == b"12345678"
    with pytest.raises(ProtocolError) as error:
        list(frames)
    assert error.value.reason.code == code


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_garbage_gives_bodies_or_breaks_the_rules(pieces: list[bytes]) -> None:
    """No other exception, and never more than a frame of the largest size is kept."""
    small = Small()
    bodies: list[bytes] = []
    code = None
    try:
        for piece in pieces:
            bodies += small.feed(piece)
            assert small.buffered() < 12
    except ProtocolError as error:
        code = error.reason.code
    assert code in {None, 1002, 1009}
    assert b"".join(pieces).startswith(b"".join(map(small.encode, bodies)))


@given(st.lists(st.binary(max_size=400)), st.integers(min_value=1, max_value=50))
def test_what_is_encoded_is_read(bodies: list[bytes], step: int) -> None:
    """In pieces of any size."""
    frame = Frame()
    wire = b"".join(map(frame.encode, bodies))
    read = [body for at in range(0, len(wire), step) for body in frame.feed(wire[at : at + step])]
    assert read == bodies
