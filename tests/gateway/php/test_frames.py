"""Frames of GatewayWorker's protocol: in every split, at every limit, and whatever else may come."""

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.php.frames import (
    HEAD_LENGTH,
    MAX_FRAME,
    MAX_FRAME_BEFORE_PROOF,
    RAW,
    SCALAR,
    Command,
    Frame,
    FrameDecoder,
    answer_head,
)
from gateway_wire.errors import RemoteProtocolError

FRAMES = [
    Frame(Command.IS_ONLINE, 7),
    Frame(Command.BIND_UID, 2**32 - 1, ext=b"alice"),
    Frame(Command.SEND_TO_ALL, ext=b'{"exclude":{"2":2}}', body=b"\x81\x02ok", flags=SCALAR | RAW),
    Frame(Command.KICK, 3, body=b"N;", flags=0),
    Frame(
        Command.ON_MESSAGE,
        5,
        b"a:0:{}",
        b"hello",
        SCALAR,
        local_ip=0x7F000001,
        local_port=2900,
        client_ip=0xCB007107,
        client_port=65535,
        gateway_port=7272,
    ),
]
STREAM = b"".join(each.encode() for each in FRAMES)


def frames_of(stream: bytes, cuts: list[int]) -> list[Frame]:
    """Feed a stream cut at these places; give the frames found."""
    decoder = FrameDecoder()
    found = []
    for start, end in itertools.pairwise([0, *sorted(cuts), len(stream)]):
        decoder.feed(stream[start:end])
        while (frame := decoder.take()) is not None:
            found.append(frame)
    assert decoder.buffered == 0
    return found


def head(length: int, ext_length: int = 0) -> bytes:
    """Give a head that announces such lengths."""
    return struct.pack(">IBIHIHIBHI", length, 5, 0, 0, 0, 0, 0, 1, 0, ext_length)


def test_the_bytes_of_a_frame() -> None:
    """Each number has its place in the head, as the protocol's description says."""
    frame = FRAMES[-1].encode()

    assert frame.hex(" ", -4) == (
        "00000027 037f0000 010b54cb 007107ff ff000000 05011c68 00000006"
        " 613a303a 7b7d6865 6c6c6f"
    )  # fmt: skip
    assert len(frame) == HEAD_LENGTH + 6 + 5


@given(st.lists(st.integers(0, len(STREAM)), max_size=40))
def test_frames_are_found_however_the_stream_is_cut(cuts: list[int]) -> None:
    """Every frame comes out, in order and with all its parts, whatever pieces the network made."""
    assert frames_of(STREAM, cuts) == FRAMES


def test_frames_are_found_byte_by_byte() -> None:
    """The slowest peer is understood too."""
    assert frames_of(STREAM, list(range(len(STREAM)))) == FRAMES


def test_frames_wait_to_be_taken() -> None:
    """Bytes that come while frames wait to be taken follow them."""
    decoder = FrameDecoder()
    decoder.feed(STREAM)
    first = decoder.take()
    decoder.feed(STREAM[:40])
    second = decoder.take()
    decoder.feed(STREAM[40:])
    rest = [decoder.take() for _ in range(2 * len(FRAMES) - 2)]

    assert [first, second, *rest] == FRAMES * 2
    assert decoder.take() is None
    assert repr(decoder) == "<FrameDecoder holding 0 bytes>"


def test_the_parts_of_a_frame_are_bytes() -> None:
    """Whether a frame came whole or in pieces, what is in it may be kept and is hashable."""
    for cuts in ([], [len(STREAM) // 2]):
        for frame in frames_of(STREAM, cuts):
            assert type(frame.ext) is type(frame.body) is bytes


def test_the_largest_frame_trickles_in() -> None:
    """Ten mebibytes may come, in pieces of a few kilobytes."""
    largest = Frame(Command.SEND_TO_ALL, body=bytes(MAX_FRAME - HEAD_LENGTH))

    assert frames_of(largest.encode(), list(range(0, MAX_FRAME, 4096))) == [largest]


@pytest.mark.parametrize(
    ("start", "text"),
    [
        (head(MAX_FRAME + 1), "10,485,761 bytes was announced, the limit is 10,485,760"),
        (head(HEAD_LENGTH - 1), "a frame of 27 bytes was announced; its head alone has 28"),
        (head(0), "a frame of 0 bytes"),
        (head(100, 73), "a frame of 100 bytes was announced, 73 of them ext"),
        (head(100, 2**32 - 1), "4,294,967,295 of them ext"),
        (b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n", "look like another protocol on this port"),
    ],
)
def test_what_is_no_frame_is_refused_as_soon_as_its_head_is_there(start: bytes, text: str) -> None:
    """The error tells what was wrong, and the body is not waited for."""
    decoder = FrameDecoder()
    decoder.feed(STREAM + start)
    for _ in FRAMES:
        assert decoder.take() is not None

    with pytest.raises(RemoteProtocolError, match=text):
        decoder.take()


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_are_frames_or_refused(stream: bytes, cut: int) -> None:
    """Nothing else comes of them, and what is a frame is written as the bytes that it was."""
    decoder, taken = FrameDecoder(limit=100), b""
    try:
        for piece in (stream[:cut], stream[cut:]):
            decoder.feed(piece)
            while (frame := decoder.take()) is not None:
                taken += frame.encode()
    except RemoteProtocolError:
        pass

    assert stream.startswith(taken)


def test_the_limit_is_looked_at_for_each_frame() -> None:
    """Behind a frame that proves the secret key, one may follow that only those may send who did."""
    proof = Frame(Command.GATEWAY_CLIENT_CONNECT, body=bytes(100))
    large = Frame(Command.SEND_TO_ALL, body=bytes(MAX_FRAME_BEFORE_PROOF))
    decoder = FrameDecoder(MAX_FRAME_BEFORE_PROOF)
    decoder.feed(proof.encode() + large.encode())

    assert decoder.take() == proof
    with pytest.raises(RemoteProtocolError, match="the limit is 4,096"):
        decoder.take()
    decoder.limit = MAX_FRAME
    assert decoder.take() == large


def test_frames_are_named_for_logs() -> None:
    """A number that is no command is shown as it is."""
    assert Frame(25).name == "SELECT"
    assert Frame(99).name == "command 99"


def test_an_answer_has_its_length_in_front() -> None:
    """The length does not count itself."""
    assert answer_head(4) + b"i:1;" == b"\x00\x00\x00\x04i:1;"
