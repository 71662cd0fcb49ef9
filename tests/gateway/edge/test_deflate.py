"""Tests of permessage-deflate on bytes alone."""

from __future__ import annotations

import json
import random
import struct
import tracemalloc
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.codec import (
    WEBSOCKET,
    BrokenRuleError,
    Close,
    Event,
    MessageReader,
    Ping,
    Pong,
    Violation,
)
from gateway.edge.deflate import (
    COMPRESS_FROM,
    MAX_FINAL_BLOCKS,
    DeflateEncoding,
    DeflateReader,
    inflate,
    negotiate,
)
from gateway_wire.close_codes import LIMIT, MESSAGE_TOO_BIG, PROTOCOL_ERROR, is_wire_code
from tests.gateway.edge.support import close, cuts, frame, text

MESSAGE_LIMIT = 70_000
MIB = 1024 * 1024
RSV1 = 0x40
TAIL = b"\x00\x00\xff\xff"

ANSWER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def deflated(message: bytes, *, level: int = 6, final: bool = False) -> bytes:
    """Compress a message as a client does that has sent nothing before; see RFC 7692 7.2.1."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15)
    if final:
        return compressor.compress(message) + compressor.flush(zlib.Z_FINISH) + b"\x00"
    data = compressor.compress(message) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return data.removesuffix(TAIL)


def compressed_text(message: str) -> bytes:
    """Return a masked frame with a compressed text."""
    return frame(RSV1 | 0x1, deflated(message.encode()))


def read(*chunks: bytes, limit: int = MESSAGE_LIMIT) -> list[Event]:
    """Feed chunks to a new reader and return all events."""
    reader = DeflateReader(limit)
    return [event for chunk in chunks for event in reader.feed(chunk)]


def violation(*chunks: bytes, limit: int = MESSAGE_LIMIT) -> tuple[int, str]:
    """Return code and text of the violation that the chunks end in."""
    last = read(*chunks, limit=limit)[-1]
    assert isinstance(last, Violation)
    return last.reason.code, last.reason.text


def news(size: int) -> str:
    """Return about as many bytes of JSON as an application pushes."""
    words = random.Random(size)
    rows = [
        {"id": words.randrange(10**6), "price": round(words.random() * 100, 2), "state": "shipped"}
        for _ in range(size // 45 + 1)
    ]
    return json.dumps({"type": "orders", "rows": rows}, separators=(",", ":"))


# What is agreed to.


@pytest.mark.parametrize(
    "offers",
    [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=8",
        'permessage-deflate;client_max_window_bits="15"',
        'permessage-deflate; client_max_window_bits = "1\\0"',
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits",
        'other; a="x, y; z"; b, permessage-deflate',
        "permessage-deflate; server_max_window_bits=10, permessage-deflate",
        "permessage-deflate; unknown, permessage-deflate; client_max_window_bits",
        " ,\t, permessage-deflate ,,",
    ],
)
def test_offers_that_are_accepted(offers: str) -> None:
    """The first offer that can be met is, and neither side keeps a context."""
    assert negotiate(offers) == ANSWER


def test_a_client_that_names_our_window_is_told_it() -> None:
    """The largest window is the one we have, and the answer says so (7.1.2.1)."""
    told = f"{ANSWER}; server_max_window_bits=15"

    assert negotiate("permessage-deflate; server_max_window_bits=15") == told
    assert negotiate('permessage-deflate; server_max_window_bits="15"') == told


@pytest.mark.parametrize(
    "offers",
    [
        "",
        "deflate",
        "PERMESSAGE-DEFLATE2",
        "permessage-deflate; server_max_window_bits=14",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=015",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=08",
        'permessage-deflate; client_max_window_bits=""',
        "permessage-deflate; server_no_context_takeover=1",
        'permessage-deflate; client_no_context_takeover=""',
        "permessage-deflate; unknown",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    ],
)
def test_offers_that_are_declined(offers: str) -> None:
    """Smaller windows of ours, wrong values, unknown and repeated parameters decline an offer."""
    assert negotiate(offers) is None


@pytest.mark.parametrize(
    "offers",
    [
        "permessage-deflate;",
        "permessage-deflate; ,permessage-deflate",
        "permessage-deflate, x; =1",
        "permessage-deflate=1",
        'permessage-deflate, x; a="y',
        "permessage-deflate x",
        "permessage-deflate, \xe9",
    ],
)
def test_malformed_offers_are_no_offers(offers: str) -> None:
    """A header that breaks the grammar (RFC 6455 9.1) agrees to nothing."""
    assert negotiate(offers) is None


@given(st.text(st.sampled_from('permessage-deflate;,="\\ \t8'), max_size=60))
def test_any_header_is_answered(offers: str) -> None:
    """Whatever a client offers, the answer is ours or none."""
    assert negotiate(offers) in {ANSWER, None}


# What we send.


def parts(sent: bytes) -> tuple[int, bytes]:
    """Return the first byte and the payload of a frame of ours."""
    size = sent[1]
    if size < 126:
        return sent[0], sent[2:]
    start, layout = (4, "!H") if size == 126 else (10, "!Q")
    assert struct.unpack_from(layout, sent, 2) == (len(sent) - start,)
    return sent[0], sent[start:]


@pytest.mark.parametrize("size", [COMPRESS_FROM, 1024, 20_000, 200_000])
def test_each_message_stands_alone(size: int) -> None:
    """A client that forgets everything between two messages understands each, the same one, too."""
    encoding = DeflateEncoding()
    for message in (news(size), news(size), news(size)[::-1], news(size)):
        first, payload = parts(encoding.encode(message))
        decoder = zlib.decompressobj(-15)

        assert first == 0x80 | RSV1 | 0x1
        assert decoder.decompress(payload + TAIL).decode() == message
        assert not decoder.unused_data
        assert len(payload) < 0.7 * len(message)


def test_the_same_message_is_the_same_bytes() -> None:
    """Nothing of what was sent before can be seen in a frame."""
    encoding, other = DeflateEncoding(), DeflateEncoding()
    frames = [encoding.encode(news(size)) for size in (1000, 5000, 1000)]

    assert frames[0] == frames[2] == other.encode(news(1000))


def test_binary_messages_are_compressed_as_such() -> None:
    """Bytes become a compressed binary frame."""
    first, payload = parts(DeflateEncoding().encode(bytes(MIB)))

    assert first == 0x80 | RSV1 | 0x2
    assert zlib.decompressobj(-15).decompress(payload + TAIL) == bytes(MIB)


@pytest.mark.parametrize("message", ["", "x" * (COMPRESS_FROM - 1), "ö" * 127, bytes(255)])
def test_small_messages_are_plain(message: str | bytes) -> None:
    """Below 256 bytes of payload a message is an ordinary frame, and nothing is counted."""
    encoding = DeflateEncoding()

    assert encoding.encode(message) == WEBSOCKET.encode(message)
    assert encoding.counters.compressions == 0


def test_what_does_not_shrink_is_plain() -> None:
    """Bytes without pattern are sent as they are, and what follows is not disturbed."""
    encoding = DeflateEncoding()
    noise = random.Random(1).randbytes(5000)

    assert encoding.encode(noise) == WEBSOCKET.encode(noise)
    assert encoding.encode(news(1000)) == DeflateEncoding().encode(news(1000))


def test_what_is_compressed_is_counted() -> None:
    """Compressions and their bytes before and after are counted; noise counts as it is sent."""
    encoding = DeflateEncoding()
    message, noise = news(2000), random.Random(1).randbytes(500)
    sent = parts(encoding.encode(message))[1]
    encoding.encode(noise)
    counters = encoding.counters

    assert counters.compressions == 2
    assert counters.bytes_before == len(message) + len(noise)
    assert counters.bytes_after == len(sent) + len(noise)
    assert encoding.name == "websocket+deflate"
    assert "compressions=2" in repr(encoding)


def test_text_that_utf_8_cannot_carry() -> None:
    """A lone surrogate is refused to whoever sends it, and the compressor is as before."""
    encoding = DeflateEncoding()
    with pytest.raises(UnicodeEncodeError):
        encoding.encode(news(1000) + "\ud800")

    assert encoding.encode(news(1000)) == DeflateEncoding().encode(news(1000))


# What we read: the examples of RFC 7692 7.2.3.

HELLO = bytes.fromhex("f248cdc9c90700")


def test_rfc_one_block() -> None:
    """7.2.3.1: a text in one block, in one frame and in two."""
    assert read(frame(RSV1 | 0x1, HELLO)) == ["Hello"]
    assert read(frame(RSV1 | 0x1, HELLO[:3], fin=False) + frame(0x0, HELLO[3:])) == ["Hello"]


def test_rfc_shared_window_is_refused() -> None:
    """7.2.3.2: a message that refers to the one before breaks what was agreed."""
    code, said = violation(frame(RSV1 | 0x1, HELLO) + frame(RSV1 | 0x1, b"\xf2\x00\x11\x00\x00"))

    assert code == PROTOCOL_ERROR.code
    assert said.startswith("broken compression: ")


def test_rfc_block_without_compression() -> None:
    """7.2.3.3: a block that is stored as it is."""
    assert read(frame(RSV1 | 0x1, bytes.fromhex("000500faff48656c6c6f00"))) == ["Hello"]


def test_rfc_final_block() -> None:
    """7.2.3.4: a block with BFINAL, with the octet behind it that makes it end like others."""
    assert read(frame(RSV1 | 0x1, bytes.fromhex("f348cdc9c9070000"))) == ["Hello"]


def test_rfc_two_blocks() -> None:
    """7.2.3.5: two blocks in one message."""
    assert read(frame(RSV1 | 0x1, bytes.fromhex("f248050000 00ffffcac9c90700"))) == ["Hello"]


def test_rfc_empty_message() -> None:
    """7.2.3.6: nothing is one empty block."""
    assert read(frame(RSV1 | 0x1, b"\x00") + frame(RSV1 | 0x2, b"\x00")) == ["", b""]


# What we read: everything else.


@pytest.mark.parametrize("level", [0, 1, 6, 9])
@pytest.mark.parametrize("size", [0, 1, 300, 65_535, MESSAGE_LIMIT])
def test_sizes(size: int, level: int) -> None:
    """Messages of all sizes arrive whole, however well they were compressed."""
    message = (news(MESSAGE_LIMIT) * 2)[:size]

    assert read(frame(RSV1 | 0x1, deflated(message.encode(), level=level))) == [message]
    assert read(frame(RSV1 | 0x2, deflated(message.encode(), level=level))) == [message.encode()]


def test_a_client_may_send_plain_messages() -> None:
    """Compressed and plain messages may follow one another in any order."""
    stream = text("one") + compressed_text("two") + frame(0x2, b"three") + compressed_text("four")

    assert read(stream) == ["one", "two", b"three", "four"]


@pytest.mark.parametrize("octet", [b"\x00", b""])
def test_final_blocks_may_be_followed_by_more(octet: bytes) -> None:
    """Blocks after one with BFINAL begin anew; the last octet may be missing."""
    final = deflated(b"first ", final=True)[:-1]

    assert inflate(final + deflated(b"second"), 100) == b"first second"
    assert inflate(final * 3 + octet, 100) == b"first " * 3
    assert inflate(final * MAX_FINAL_BLOCKS + octet, 1000) == b"first " * MAX_FINAL_BLOCKS


def test_too_many_final_blocks() -> None:
    """A million blocks of two bytes would be a million decompressors; they are refused early."""
    with pytest.raises(BrokenRuleError) as broken:
        inflate(b"\x03\x00" * (MIB // 2), 100)

    assert broken.value.reason == LIMIT.reason("more than 64 final blocks in a compressed message")


@pytest.mark.parametrize("fragments", [1, 2, 3])
def test_a_flush_that_was_not_cut_off(fragments: int) -> None:
    """A sender whose last fragment is empty has sent the end of its last block; it is understood."""
    data = deflated(b"in fragments") + TAIL
    cut = [data[i * 5 : i * 5 + 5] for i in range(fragments - 1)] + [data[(fragments - 1) * 5 :]]
    frames = frame(RSV1 | 0x1, cut[0], fin=False)
    frames += b"".join(frame(0x0, each, fin=False) for each in cut[1:]) + frame(0x0)

    assert read(frames) == ["in fragments"]
    assert read(frame(RSV1 | 0x1)) == [""]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (frame(RSV1 | 0x0, b"x"), "reserved bits"),
        (frame(RSV1 | 0x9, b"x"), "reserved bits"),
        (frame(RSV1 | 0x8), "reserved bits"),
        (frame(0x20 | 0x1, HELLO), "reserved bits"),
        (frame(RSV1 | 0x10 | 0x1, HELLO), "reserved bits"),
        (frame(RSV1 | 0x3, HELLO), "reserved bits"),
        (frame(RSV1 | 0x1, HELLO[:3], fin=False) + frame(RSV1, HELLO[3:]), "reserved bits"),
        (frame(0x1, b"a", fin=False) + frame(RSV1 | 0x1, HELLO), "inside a fragmented"),
        (frame(RSV1 | 0x1, b"\xff\xff"), "broken compression"),
        (frame(RSV1 | 0x1, HELLO[:4]), "compress"),
        (frame(RSV1 | 0x2, deflated(bytes(9000))[:-2]), "compress"),
        (frame(RSV1 | 0x2, b"\x00\x14\x00\xeb\xffHel"), "compressed data ends early"),
        (frame(RSV1 | 0x1, deflated(b"x", final=True) + b"\xfe"), "compress"),
    ],
)
def test_broken_rules(data: bytes, said: str) -> None:
    """RSV1 where it must not be, and broken or missing data, end in 1002 with a text that tells."""
    code, text_of_it = violation(data)

    assert code == PROTOCOL_ERROR.code
    assert said in text_of_it
    assert len(text_of_it.encode()) <= 123


def test_inflated_text_must_be_utf_8() -> None:
    """Text is checked once it is inflated."""
    assert violation(frame(RSV1 | 0x1, deflated(b"\xff")))[0] == 1007


def test_rsv1_without_agreement_is_a_violation() -> None:
    """A reader for clients that agreed to nothing refuses what is compressed."""
    (event,) = MessageReader(MESSAGE_LIMIT).feed(compressed_text("x"))

    assert event == Violation(
        PROTOCOL_ERROR.reason("reserved bits without an extension"),
    )


# Bombs and limits.


def test_a_message_of_just_the_limit() -> None:
    """What inflates to the limit is a message, one byte more is 1009."""
    assert read(frame(RSV1 | 0x2, deflated(bytes(5000))), limit=5000) == [bytes(5000)]
    assert violation(frame(RSV1 | 0x2, deflated(bytes(5001))), limit=5000) == (
        MESSAGE_TOO_BIG.code,
        "message of more than 5000 bytes when inflated",
    )


def test_final_blocks_are_limited_together() -> None:
    """What all blocks of a message inflate to counts."""
    final = deflated(bytes(2500), final=True)[:-1]

    assert read(frame(RSV1 | 0x2, final * 2 + b"\x00"), limit=5000) == [bytes(5000)]
    assert violation(frame(RSV1 | 0x2, final * 3 + b"\x00"), limit=5000)[0] == 1009


def test_a_bomb_is_not_inflated() -> None:
    """A gigabyte of zeros in a megabyte ends in 1009, in memory of a few times the limit."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    megabyte = compressor.compress(bytes(MIB)) + compressor.flush(zlib.Z_FULL_FLUSH)
    bomb = frame(RSV1 | 0x2, megabyte * 1000 + b"\x00")
    reader = DeflateReader(MIB)
    tracemalloc.start()
    try:
        (event,) = reader.feed(bomb)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert event == Violation(
        MESSAGE_TOO_BIG.reason(f"message of more than {MIB} bytes when inflated")
    )
    assert peak < 8 * MIB


def test_noise_of_just_the_limit() -> None:
    """A client whose compression makes a message larger may still send one of the limit."""
    noise = random.Random(3).randbytes(MESSAGE_LIMIT)
    data = deflated(noise)

    assert len(data) > MESSAGE_LIMIT
    assert read(frame(RSV1 | 0x2, data)) == [noise]
    middle = MESSAGE_LIMIT // 2
    assert read(frame(RSV1 | 0x2, data[:middle], fin=False) + frame(0x0, data[middle:])) == [noise]


def test_too_much_is_seen_in_the_announcement() -> None:
    """A compressed length that no message of the limit has is refused before it arrives."""
    first = frame(RSV1 | 0x2, bytes(100), fin=False)

    assert violation(frame(RSV1 | 0x2, bytes(1200))[:8], limit=1000) == (
        MESSAGE_TOO_BIG.code,
        "compressed message of 1200 bytes, the limit is 1000",
    )
    assert violation(first, frame(0x0, bytes(1100))[:4], limit=1000)[0] == MESSAGE_TOO_BIG.code
    assert violation(frame(0x2, bytes(1001))[:8], limit=1000) == (
        MESSAGE_TOO_BIG.code,
        "message of 1001 bytes, the limit is 1000",
    )


# However it arrives.

MIXED = (
    text("one")
    + compressed_text("zwö" * 200)
    + frame(0x9, b"a")
    + frame(RSV1 | 0x1, HELLO[:3], fin=False)
    + frame(0x9, b"b")
    + frame(0x0, HELLO[3:], fin=False)
    + frame(0xA, b"c")
    + frame(0x0)
    + frame(0x1, b"pla", fin=False)
    + frame(0x0, b"in")
    + frame(RSV1 | 0x2, deflated(bytes(300)))
    + close(1001, "bye")
)
EVENTS: list[Event] = [
    "one",
    "zwö" * 200,
    Ping(b"a"),
    Ping(b"b"),
    Pong(b"c"),
    "Hello",
    "plain",
    bytes(300),
    Close(1001, "bye"),
]


@pytest.mark.parametrize("pieces", cuts(MIXED))
def test_every_cut(pieces: list[bytes]) -> None:
    """Wherever the network cuts the stream, the same events come out."""
    assert read(*pieces) == EVENTS


def test_what_is_kept_says_whether_it_is_compressed() -> None:
    """Fragments are kept as they came, with what is needed to understand them."""
    reader = DeflateReader(MESSAGE_LIMIT)
    reader.feed(frame(RSV1 | 0x1, HELLO[:3], fin=False))

    assert reader.record() == {
        "partial": None,
        "fragments": HELLO[:3],
        "fragments_are_text": True,
        "fragments_are_compressed": True,
    }


PAYLOADS = st.one_of(
    st.binary(max_size=200),
    st.binary(max_size=400).map(deflated),
    st.binary(max_size=400).map(lambda data: deflated(data, final=True)),
)
FRAMES = st.builds(frame, st.integers(0, 127), PAYLOADS, fin=st.booleans())
MESSAGES = st.builds(frame, st.sampled_from([RSV1 | 0x1, RSV1 | 0x2, 0x2, 0x9]), PAYLOADS)
STREAMS = st.lists(st.one_of(MESSAGES, FRAMES, st.binary(max_size=300)), max_size=12)


@given(STREAMS)
def test_any_bytes_end_in_events(chunks: list[bytes]) -> None:
    """Whatever arrives, the reader returns events with documented codes and never raises."""
    for event in read(*chunks, limit=300):
        if isinstance(event, Violation):
            assert event.reason.code in {1002, 1007, 1008, 1009}
        elif isinstance(event, Close):
            assert event.code == 1005 or is_wire_code(event.code)
        else:
            assert isinstance(event, (str, bytes, Ping, Pong))


@given(STREAMS, st.data())
def test_cuts_never_matter(chunks: list[bytes], data: st.DataObject) -> None:
    """Any bytes, cut anywhere, yield the same events as in one piece."""
    stream = b"".join(chunks)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))
    bounds = [0, *sorted(cuts), len(stream)]

    assert read(*(stream[a:b] for a, b in pairwise(bounds)), limit=300) == read(stream, limit=300)


@given(st.binary(max_size=2000), st.binary(max_size=2000), st.integers(0, 9), st.booleans())
def test_what_is_compressed_can_be_read(one: bytes, two: bytes, level: int, final: bool) -> None:
    """A message comes back, in one piece or in two that were flushed apart, whatever came before."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15)
    head = compressor.compress(one) + compressor.flush(zlib.Z_SYNC_FLUSH)
    rest = compressor.compress(two) + compressor.flush(
        zlib.Z_FINISH if final else zlib.Z_SYNC_FLUSH
    )
    rest = rest + b"\x00" if final else rest.removesuffix(TAIL)
    frames = frame(RSV1 | 0x2, head, fin=False) + frame(0x0, rest)

    assert read(frame(RSV1 | 0x2, deflated(two, level=level)) + frames) == [two, one + two]


@given(st.lists(st.one_of(st.text(max_size=900), st.binary(max_size=900)), max_size=5))
def test_what_is_encoded_can_be_read(messages: list[str | bytes]) -> None:
    """A reader that gets our frames masked reads what was encoded."""
    encoding = DeflateEncoding()
    sent = [parts(encoding.encode(message)) for message in messages]

    assert read(*(frame(first & 0x7F, payload) for first, payload in sent)) == messages
