"""The messages that conversations consist of keep every byte."""

import io

import pytest

from tests.connmix.wire import Frame, HttpMessage, Names

REQUEST = b"GET /version HTTP/1.1\r\nHost: a:1\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na:1"


@pytest.mark.parametrize(
    "raw",
    [
        bytes.fromhex("8180a1b2c3d4"),
        bytes.fromhex("818400010203") + b"hdlo",
        b"\x81\x7e\x01\x00" + bytes(256),
        b"\x01\x7e\xff\xff" + bytes(65535),
        b"\x80\x7f" + (1 << 16).to_bytes(8) + bytes(1 << 16),
        b"\x88\x02\x03\xe8",
        b"\x82\x03\xff\xfe\xfd",
    ],
    ids=["empty", "masked", "16 bits", "a fragment", "64 bits", "close", "binary"],
)
def test_a_frame_keeps_its_bytes(raw: bytes) -> None:
    """A frame that was read is written with the same bytes, whatever its length, mask or payload."""
    frame = Frame.read(io.BytesIO(raw + b"\0"))

    assert frame is not None
    assert raw == frame.encode()


def test_a_mask_is_taken_off() -> None:
    """A masked payload stands readable in the frame, beside its mask."""
    frame = Frame.read(io.BytesIO(bytes.fromhex("818401020304") + b"ngou"))

    assert Frame(1, True, "oelq", "01020304") == frame


@pytest.mark.parametrize("raw", [b"", b"\x81", b"\x81\x05abc"])
def test_a_stream_that_ends_holds_no_frame(raw: bytes) -> None:
    """The end of the stream is no frame, even in the midst of one."""
    assert Frame.read(io.BytesIO(raw)) is None


def test_http_messages_follow_each_other() -> None:
    """A request ends with its head, an answer with its body; then comes the next, or nothing."""
    stream = io.BytesIO(ANSWER + REQUEST)

    read = [HttpMessage.read(stream) for _ in range(3)]

    assert [each and each.encode() for each in read] == [ANSWER, REQUEST, None]


def test_names_are_exchanged_everywhere() -> None:
    """A translated message names today's values, the longest match first, and tells its new length."""
    names = Names()
    names.bind("a", "nobody")
    names.bind("a:1", "127.0.0.1:80")

    answer = HttpMessage(ANSWER.decode()).translated(names)

    assert answer.text == "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n127.0.0.1:80"
    assert Frame(1, True, "127.0.0.1:80") == Frame(1, True, "a:1").translated(names)
