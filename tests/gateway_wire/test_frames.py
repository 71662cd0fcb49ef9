"""Frames: in every split, at every limit, and whatever else may come."""

import itertools
import struct
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_wire.commands import (
    Announce,
    BindUid,
    Command,
    CountClientsByGroups,
    Ping,
    Reply,
    SendToUids,
    SetSession,
)
from gateway_wire.errors import ErrorCode, MessageTooLarge, RemoteProtocolError
from gateway_wire.frames import (
    BadCommand,
    FrameDecoder,
    decode_body,
    encode_frame,
    encode_packed,
    pack_field,
    pack_fields,
)
from gateway_wire.limits import MAX_FRAME, MAX_FRAME_BEFORE_PROOF
from tests.gateway_wire.samples import CLIENT_ID, SAMPLES

STREAM = b"".join(encode_frame(each, number) for number, each in enumerate(SAMPLES))


def bodies_of(stream: bytes, cuts: list[int]) -> list[bytes]:
    """Feed a stream cut at these places; give the bodies found."""
    decoder = FrameDecoder(MAX_FRAME)
    edges = [0, *sorted(cuts), len(stream)]
    pieces = [stream[start:end] for start, end in itertools.pairwise(edges)]
    return [body for piece in pieces for body in decoder.feed(piece)]


def body_of(*elements: object) -> bytes:
    """Give the body of a frame with these elements, legal or not."""
    packed: bytes = msgpack.packb(list(elements))
    return packed


def bad(body: bytes) -> BadCommand:
    """Decode a body whose command cannot be built."""
    command = decode_body(body).command
    assert isinstance(command, BadCommand)
    return command


# Finding frames


@given(st.lists(st.integers(0, len(STREAM)), max_size=40))
def test_frames_are_found_however_the_stream_is_cut(cuts: list[int]) -> None:
    """Every command comes out, in order, whatever pieces the network made."""
    envelopes = [decode_body(body) for body in bodies_of(STREAM, cuts)]

    assert envelopes == [(each, number, None) for number, each in enumerate(SAMPLES)]


def test_frames_are_found_byte_by_byte() -> None:
    """The slowest peer is understood too."""
    assert bodies_of(STREAM, list(range(len(STREAM)))) == bodies_of(STREAM, [])


def test_two_frames_cut_anywhere() -> None:
    """One cut at each place of two frames, in their heads and on their edge."""
    stream = encode_frame(Ping(), 1) + encode_frame(BindUid(CLIENT_ID, "42"), 2)
    whole = bodies_of(stream, [])

    for cut in range(len(stream) + 1):
        assert bodies_of(stream, [cut]) == whole


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_are_frames_or_a_protocol_error(data: bytes, cut: int) -> None:
    """No stream of bytes causes another exception than the documented one."""
    decoder = FrameDecoder(MAX_FRAME_BEFORE_PROOF)
    try:
        for piece in (data[:cut], data[cut:]):
            for body in decoder.feed(piece):
                decode_body(body)
    except RemoteProtocolError:
        pass


def test_a_frame_of_the_limit_passes_and_one_byte_more_does_not() -> None:
    """The limit is of the body, and known from the head alone."""
    decoder = FrameDecoder(100)
    assert list(decoder.feed(struct.pack(">I", 100) + b"x" * 100)) == [b"x" * 100]

    with pytest.raises(RemoteProtocolError, match="101 bytes was announced, the limit is 100"):
        list(decoder.feed(struct.pack(">I", 101)))


def test_the_limit_may_rise_between_two_frames_of_one_piece() -> None:
    """What follows the last frame of a hello may be as large as an open link allows."""
    decoder = FrameDecoder(1)
    small, large = struct.pack(">I", 1) + b"x", struct.pack(">I", 5) + b"large"
    found = []
    for body in decoder.feed(small + large):
        found.append(body)
        decoder.limit = 5

    assert found == [b"x", b"large"]


def test_an_empty_frame_is_a_frame() -> None:
    """A length of nothing is followed by nothing; that its body is no command is another matter."""
    assert list(FrameDecoder(10).feed(bytes(4))) == [b""]
    with pytest.raises(RemoteProtocolError):
        decode_body(b"")


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b'{"event":"gateway_connect"}\n'])
def test_another_protocol_is_recognised(data: bytes) -> None:
    """Text in place of a length is called by its name."""
    with pytest.raises(RemoteProtocolError, match="look like another protocol"):
        list(FrameDecoder(MAX_FRAME).feed(data))


def test_a_decoder_says_what_it_holds() -> None:
    """The repr tells how many bytes wait for the rest of their frame."""
    decoder = FrameDecoder(MAX_FRAME)
    list(decoder.feed(b"\0\0\0\5abc"))

    assert repr(decoder) == "<FrameDecoder holding 7 bytes>"


# Reading commands


@pytest.mark.parametrize(
    "body",
    [
        b"\xc1",  # never used by msgpack
        body_of(1)[:-1] + b"\x92",  # cut off
        body_of(6, 1, None) + b"\x00",  # more behind it
        msgpack.packb({6: 1, 0: 2, None: 3}),
        msgpack.packb("abc"),
        msgpack.packb(6),
        body_of(6, 1),
        body_of("6", 1, None),
        body_of(True, 1, None),
        body_of(6, None, None),
        body_of(6, -1, None),
        body_of(6, 1.0, None),
        body_of(6, 1, []),
        body_of(8, 1, None, msgpack.ExtType(5, b"x")),
        b"\x94\x08\x01\xc0\xa1\xff",  # a text that is not UTF-8
        b"\x94\x08\x01\xc0\x81\x90\x01",  # a map with a list for a key
        b"\x94\x08\x01\xc0" + b"\x91" * 5000,  # lists in lists without end
        b"\xdd\xff\xff\xff\xff",  # an array of four thousand million
    ],
)
def test_what_is_no_frame_ends_the_link(body: bytes) -> None:
    """Bytes that are not `[code, request_id, options, ...]` are a protocol error."""
    with pytest.raises(RemoteProtocolError):
        decode_body(body)


def test_an_unknown_command_costs_that_command() -> None:
    """A newer peer's command is kept apart, with its code and request id."""
    envelope = decode_body(body_of(250, 9, None, "whatever"))

    assert envelope.request_id == 9
    assert isinstance(envelope.command, BadCommand)
    assert envelope.command.code == 250
    assert envelope.command.error.code is ErrorCode.UNSUPPORTED
    assert "250" in str(envelope.command.error)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ([], "send_to_uids: field 'uids' is missing"),
        ([["42"]], "send_to_uids: field 'message' is missing"),
        (["42", "hi"], "send_to_uids: field 'uids' must be list of text"),
        ([[42], "hi"], "send_to_uids: field 'uids' must be list of text"),
        ([["42", None], "hi"], "send_to_uids: field 'uids' must be list of text"),
        ([["42"], None], "send_to_uids: field 'message' must be text or binary"),
        ([["42"], 1], "send_to_uids: field 'message' must be text or binary"),
    ],
)
def test_wrong_fields_are_named(fields: list[object], told: str) -> None:
    """A field that is missing or of the wrong type costs the command, and the error names it."""
    error = bad(body_of(SendToUids.code, 1, None, *fields)).error

    assert error.code is ErrorCode.MALFORMED
    assert str(error) == told


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        (Announce, [1, "h", 1, 0, []]),
        (Announce, ["n", "h", True, 0, []]),
        (Announce, ["n", "h", 1.0, 0, []]),
        (SetSession, [CLIENT_ID, []]),
        (SetSession, [CLIENT_ID, None]),
        (CountClientsByGroups, ["news"]),
    ],
)
def test_types_are_exact(command: type[Command], fields: list[object]) -> None:
    """A boolean is no integer, a list is no map, a text is no list."""
    assert bad(body_of(command.code, 1, None, *fields)).error.code is ErrorCode.MALFORMED


@pytest.mark.parametrize("groups", [None, [], ["news"]])
def test_optional_lists_may_be_nil(groups: list[str] | None) -> None:
    """Where a field may be nil, nil passes, and so do the empty and the full list."""
    command = decode_body(body_of(CountClientsByGroups.code, 1, None, groups)).command

    assert command == CountClientsByGroups(groups)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.wire_name)
def test_a_newer_peer_is_understood(sample: Command) -> None:
    """Fields behind the last one and options that are unknown change nothing."""
    body = body_of(sample.code, 3, {"x": 1, "trace": "t"}, *sample.to_fields(), "new", {"f": 1})

    assert decode_body(body) == (sample, 3, {"x": 1, "trace": "t"})


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.wire_name)
def test_an_older_peer_is_understood(sample: Command) -> None:
    """Fields with a default may be left out from the last one on."""
    values = sample.to_fields()[: sample.field_required]

    assert decode_body(body_of(sample.code, 3, None, *values)).command == type(sample)(*values)


# Writing commands


def test_options_travel() -> None:
    """The map of options arrives as it was sent."""
    body = encode_frame(Ping(), 1, {"trace": "abc"})[4:]

    assert decode_body(body) == (Ping(), 1, {"trace": "abc"})


def test_a_frame_that_is_too_large_is_not_written() -> None:
    """The error tells size and limit before anything is sent."""
    with pytest.raises(MessageTooLarge, match="send_to_uids command has") as caught:
        encode_frame(SendToUids(["42"], "x" * MAX_FRAME), 1)

    assert caught.value.limit == MAX_FRAME
    assert caught.value.size > MAX_FRAME


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (2**64, ValueError),
        ("\udcff", ValueError),
        (object(), TypeError),
        ({"a": {1, 2}}, TypeError),
    ],
)
def test_what_msgpack_cannot_carry_is_not_written(value: Any, error: type[Exception]) -> None:
    """The caller gets the error, and the next command is not spoilt by it."""
    with pytest.raises(error):
        encode_frame(Reply(value), 1)

    assert decode_body(encode_frame(Reply(1), 1)[4:]).command == Reply(1)


# Fields that are packed already


@pytest.mark.parametrize("command", SAMPLES, ids=lambda each: each.wire_name)
def test_packed_fields_make_the_same_frame(command: Command) -> None:
    """Whoever keeps fields packed sends what everybody sends."""
    fields = [pack_field(value) for value in command.to_fields()]

    assert encode_packed(type(command), fields) == encode_frame(command)


def test_fields_packed_together_are_the_same_as_one_by_one() -> None:
    """They follow each other without anything between, up to as many as are promised."""
    values = [None, "a", 7, {"b": [b"c"]}, "d" * 40, *range(10)]

    assert len(values) == 15
    assert pack_fields(*values) == b"".join(map(pack_field, values))


def test_packed_fields_that_fit_no_frame_are_refused() -> None:
    """As those are that are not packed."""
    fields = [pack_field(["42"]), pack_field("x" * MAX_FRAME), pack_field(None)]
    with pytest.raises(MessageTooLarge):
        encode_packed(SendToUids, fields)


@pytest.mark.parametrize("value", [2**64, [-(2**64)], "\ud800"])
def test_what_cannot_be_packed_is_a_value_error(value: object) -> None:
    """Whoever packs it hears of it, not whoever sends it."""
    with pytest.raises(ValueError):
        pack_field(value)
    with pytest.raises(TypeError):
        pack_field([object()])
