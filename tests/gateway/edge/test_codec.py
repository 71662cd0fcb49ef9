"""Tests of the frame codec, on bytes alone."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.codec import (
    PING_FRAME,
    WEBSOCKET,
    Close,
    Event,
    MessageReader,
    Ping,
    Pong,
    Violation,
    close_frame,
    pong_frame,
    unmask,
)
from gateway_wire.close_codes import INVALID_TEXT, MESSAGE_TOO_BIG, PROTOCOL_ERROR, is_wire_code
from tests.gateway.edge.support import KEY, close, cuts, frame, text

LIMIT = 70_000


def read(*chunks: bytes, limit: int = LIMIT) -> list[Event]:
    """Feed chunks to a new reader and return all events."""
    reader = MessageReader(limit)
    return [event for chunk in chunks for event in reader.feed(chunk)]


def violation(*chunks: bytes, limit: int = LIMIT) -> tuple[int, str]:
    """Return code and text of the violation that the chunks end in."""
    last = read(*chunks, limit=limit)[-1]
    assert isinstance(last, Violation)
    return last.reason.code, last.reason.text


# The examples of RFC 6455 5.7.


def test_rfc_masked_hello() -> None:
    """The RFC's masked text message is read as `Hello`."""
    assert read(bytes.fromhex("818537fa213d7f9f4d5158")) == ["Hello"]


def test_rfc_fragmented_hello() -> None:
    """The RFC's fragmented text message, masked, is read as one message."""
    assert read(frame(0x1, b"Hel", fin=False) + frame(0x0, b"lo")) == ["Hello"]


def test_rfc_masked_pong() -> None:
    """The RFC's masked Pong is read with its payload."""
    assert read(bytes.fromhex("8a8537fa213d7f9f4d5158")) == [Pong(b"Hello")]


def test_rfc_unmasked_frames_are_what_we_send() -> None:
    """What the server sends is, byte for byte, what the RFC shows."""
    assert WEBSOCKET.encode("Hello") == bytes.fromhex("810548656c6c6f")
    assert pong_frame(b"Hello") == bytes.fromhex("8a0548656c6c6f")
    assert WEBSOCKET.encode(bytes(256))[:4] == bytes.fromhex("827e0100")
    assert WEBSOCKET.encode(bytes(65536))[:10] == bytes.fromhex("827f0000000000010000")


# What we send.


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_header_widths(size: int) -> None:
    """A message carries the shortest length field that holds its size."""
    width = 2 if size < 126 else 4 if size < 65536 else 10
    encoded = WEBSOCKET.encode(bytes(size))

    assert encoded[0] == 0x82
    assert len(encoded) == width + size


def test_control_frames_we_send() -> None:
    """Close carries code and reason, none for 1005; a Ping is empty."""
    assert close_frame(1000, "bye") == b"\x88\x05\x03\xe8bye"
    assert close_frame(1005) == b"\x88\x00"
    assert PING_FRAME == b"\x89\x00"


def test_text_that_utf_8_cannot_carry() -> None:
    """A lone surrogate is refused to whoever sends it."""
    with pytest.raises(UnicodeEncodeError):
        WEBSOCKET.encode("\ud800")


# What we read.


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70_000])
def test_sizes(size: int) -> None:
    """Messages of every length width arrive whole, text as `str` and binary as `bytes`."""
    assert read(frame(0x1, b"x" * size)) == ["x" * size]
    assert read(frame(0x2, b"\xff" * size)) == [b"\xff" * size]


STREAM = (
    text("one")
    + frame(0x9, b"a")
    + frame(0x1, "zwö".encode()[:3], fin=False)
    + frame(0x9, b"b")
    + frame(0x0, "zwö".encode()[3:], fin=False)
    + frame(0xA, b"c")
    + frame(0x0)
    + frame(0x2, bytes(130))
    + close(1001, "bye")
)
EVENTS: list[Event] = [
    "one",
    Ping(b"a"),
    Ping(b"b"),
    Pong(b"c"),
    "zwö",
    bytes(130),
    Close(1001, "bye"),
]


def test_many_frames_in_one_chunk() -> None:
    """Control frames may stand between the fragments of a message."""
    assert read(STREAM) == EVENTS


@pytest.mark.parametrize("pieces", cuts(STREAM))
def test_every_cut(pieces: list[bytes]) -> None:
    """Wherever the network cuts the stream, the same events come out."""
    assert read(*pieces) == EVENTS


def test_nothing_is_kept_between_frames() -> None:
    """A reader keeps a started frame, and owns no buffer before and after it."""
    reader = MessageReader(LIMIT)
    idle = reader.record()
    reader.feed(text("a")[:4])
    started = reader.record()
    reader.feed(text("a")[4:])

    assert idle == {"partial": None, "fragments": None, "fragments_are_text": False}
    assert started["partial"] == text("a")[:4]
    assert reader.record() == idle


def test_repr_counts_what_is_kept() -> None:
    """The reader shows how much it holds."""
    reader = MessageReader(LIMIT)
    reader.feed(frame(0x2, b"abc", fin=False) + b"\x80")

    assert repr(reader) == "<MessageReader partial=1 fragments=3 finished=False>"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (frame(0x1, b"x", key=None), "mask"),
        (frame(0x41, b"x"), "reserved bits"),
        (frame(0x3, b"x"), "opcode 3"),
        (frame(0xB, b"x"), "opcode 11"),
        (frame(0x9, b"x", fin=False), "fragmented control"),
        (frame(0x9, bytes(126)), "125 bytes"),
        (frame(0x0, b"x"), "continuation of no message"),
        (frame(0x1, b"x", fin=False) + text("y"), "inside a fragmented"),
        (b"\x82\xfe" + struct.pack("!H", 125) + KEY, "length"),
        (b"\x82\xff" + struct.pack("!Q", 65535) + KEY, "length"),
        (b"\x82\xff" + struct.pack("!Q", 2**63) + KEY, "length"),
        (frame(0x8, b"x"), "one byte"),
    ],
)
def test_broken_rules(data: bytes, text: str) -> None:
    """Each rule of framing that is broken ends in 1002 with a text that names it."""
    code, said = violation(data)

    assert code == PROTOCOL_ERROR.code
    assert text in said


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
def test_close_codes_that_may_not_be_sent(code: int) -> None:
    """A Close with a reserved or unassigned code is a protocol error."""
    assert violation(close(code)) == (1002, f"close code {code} may not be sent")


def test_close_without_code() -> None:
    """An empty Close is told as 1005."""
    assert read(frame(0x8)) == [Close(1005, "")]


@pytest.mark.parametrize(
    "payload", [b"\xff", b"abc\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"]
)
def test_text_must_be_utf_8(payload: bytes) -> None:
    """Invalid, cut, overlong and surrogate sequences end in 1007, whole or in a Close reason."""
    assert violation(frame(0x1, payload))[0] == INVALID_TEXT.code
    assert violation(frame(0x1, payload, fin=False), frame(0x0))[0] == INVALID_TEXT.code
    assert violation(frame(0x8, b"\x03\xe8" + payload))[0] == INVALID_TEXT.code


def test_too_big_is_seen_in_the_announcement() -> None:
    """A length above the limit is refused before any of its payload has arrived."""
    header = frame(0x2, bytes(101))[:2]

    assert violation(header, limit=100) == (1009, "message of 101 bytes, the limit is 100")
    assert read(frame(0x2, bytes(100)), limit=100) == [bytes(100)]


def test_fragments_together_are_limited() -> None:
    """The sum of the fragments counts, as soon as it is announced."""
    first = frame(0x2, bytes(60), fin=False)

    assert violation(first, frame(0x0, bytes(41))[:2], limit=100)[0] == MESSAGE_TOO_BIG.code
    assert read(first, frame(0x0, bytes(40)), limit=100) == [bytes(100)]


def test_messages_before_a_violation_count() -> None:
    """What was complete before the broken rule is still told, and nothing after it."""
    reader = MessageReader(LIMIT)
    events = reader.feed(text("good") + frame(0x3) + text("never"))

    assert events[0] == "good"
    assert isinstance(events[1], Violation)
    assert len(events) == 2
    assert not reader.feed(text("never"))


def test_nothing_follows_a_close() -> None:
    """Bytes after a Close are ignored, in the same chunk and later."""
    reader = MessageReader(LIMIT)

    assert reader.feed(close(1000) + text("never")) == [Close(1000, "")]
    assert not reader.feed(text("never"))


@given(st.binary(max_size=20_000), st.binary(min_size=4, max_size=4))
def test_unmasking_twice_gives_the_original(payload: bytes, key: bytes) -> None:
    """Both ways to unmask agree with the definition in RFC 6455 5.3."""
    expected = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))

    assert unmask(payload, key) == expected


FRAMES = st.builds(
    frame,
    st.integers(0, 255),
    st.binary(max_size=200),
    fin=st.booleans(),
    key=st.one_of(st.none(), st.binary(min_size=4, max_size=4)),
)


@given(st.lists(st.one_of(FRAMES, st.binary(max_size=300)), max_size=12))
def test_any_bytes_end_in_events(chunks: list[bytes]) -> None:
    """Whatever arrives, the reader returns events with documented codes and never raises."""
    for event in read(*chunks, limit=300):
        if isinstance(event, Violation):
            assert event.reason.code in {1002, 1007, 1009}
        elif isinstance(event, Close):
            assert event.code == 1005 or is_wire_code(event.code)
        else:
            assert isinstance(event, (str, bytes, Ping, Pong))


@given(st.lists(st.one_of(FRAMES, st.binary(max_size=300)), max_size=12), st.data())
def test_cuts_never_matter(chunks: list[bytes], data: st.DataObject) -> None:
    """Any bytes, cut anywhere, yield the same events as in one piece."""
    stream = b"".join(chunks)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))
    bounds = [0, *sorted(cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(bounds)]

    assert read(*pieces, limit=300) == read(stream, limit=300)


@given(st.lists(st.one_of(st.text(max_size=300), st.binary(max_size=300)), max_size=5))
def test_what_is_encoded_can_be_read(messages: list[str | bytes]) -> None:
    """A reader that gets the same frames masked reads what was encoded."""
    frames = [frame(0x1, m.encode()) if isinstance(m, str) else frame(0x2, m) for m in messages]
    unmasked = [WEBSOCKET.encode(message) for message in messages]

    assert read(b"".join(frames)) == messages
    for sent, received in zip(unmasked, frames, strict=True):
        assert sent[0] == received[0]
        assert len(sent) == len(received) - 4
