"""One side of an open link against another side, or against chosen bytes; no sockets."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_wire.commands import (
    Announce,
    Command,
    Error,
    Goodbye,
    Hello,
    Ping,
    Pong,
    Reply,
    SendToAll,
    Watch,
)
from gateway_wire.errors import (
    ErrorCode,
    LinkRefused,
    LocalProtocolError,
    RemoteProtocolError,
)
from gateway_wire.frames import encode_frame
from gateway_wire.limits import MAX_FRAME, MAX_FRAME_BEFORE_PROOF
from tests.gateway_wire.pairs import (
    CLIENT,
    GATEWAY,
    HELLO,
    KEY,
    REGISTER,
    acceptor,
    dialer,
    failure,
    goodbye_of,
    joined,
    said,
)
from tests.gateway_wire.samples import NODE, SAMPLES

# Before the link is open


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.wire_name)
def test_nothing_but_the_hello_opens_a_link(sample: Command) -> None:
    """Whatever else a stranger says first ends the link, with a goodbye unless it said one."""
    if isinstance(sample, Hello):
        return
    other = acceptor(KEY)

    assert other.receive_data(encode_frame(sample, 1)) == []
    assert other.is_closed
    assert other.failure is not None
    assert other.peer is None


def test_a_hello_that_cannot_be_read_ends_the_link() -> None:
    """A malformed hello is named in the goodbye."""
    other = acceptor()
    body = msgpack.packb([Hello.code, 0, None, "1"])
    other.receive_data(len(body).to_bytes(4, "big") + body)

    assert "field 'max_version' is missing" in goodbye_of(other).text


def test_a_stranger_may_not_send_large_frames() -> None:
    """Before the proof a frame of more than a page is refused by its head."""
    other = acceptor(KEY)
    other.receive_data((MAX_FRAME_BEFORE_PROOF + 1).to_bytes(4, "big"))

    failure(other, RemoteProtocolError, ErrorCode.PROTOCOL)


def test_a_frame_behind_the_proof_may_be_large() -> None:
    """Once proven, the very same piece of bytes may hold a large command."""
    one, other = dialer(KEY), acceptor(KEY)
    other.receive_data(one.data_to_send())
    one.receive_data(other.data_to_send())
    large = SendToAll("x" * 100_000)

    (envelope,) = other.receive_data(one.data_to_send() + encode_frame(large, 5))

    assert (envelope.command, envelope.request_id) == (large, 5)


def test_nothing_is_sent_before_the_link_is_open() -> None:
    """Sending early is our own mistake and raises; nothing is queued by it."""
    for link in (dialer(), acceptor()):
        queued = link.unsent
        with pytest.raises(LocalProtocolError, match="cannot send"):
            link.send(Ping())
        with pytest.raises(LocalProtocolError, match="cannot send"):
            link.send_frame(encode_frame(Ping()))
        assert link.unsent == queued


@given(st.binary(max_size=300))
def test_no_bytes_make_a_stranger_welcome(data: bytes) -> None:
    """Whatever comes, a side with a key neither opens nor raises."""
    for link in (acceptor(KEY), dialer(KEY)):
        assert link.receive_data(data) == []
        assert not link.is_open


# On an open link


def test_commands_arrive_in_order() -> None:
    """What one side sends, with ids and options, the other side's application gets."""
    one, other = joined(KEY)
    one.send(SendToAll("a"), 1)
    one.send(SendToAll("b"), 0, {"trace": "t"})

    envelopes = other.receive_data(one.data_to_send())

    assert envelopes == [(SendToAll("a"), 1, None), (SendToAll("b"), 0, {"trace": "t"})]
    assert one.unsent == 0


def test_a_frame_encoded_once_serves_many_links() -> None:
    """Bytes made by `encode_frame` travel like a command."""
    one, other = joined()
    one.send_frame(encode_frame(SendToAll("a"), 1))

    assert other.receive_data(one.data_to_send()) == [(SendToAll("a"), 1, None)]


def test_a_ping_is_answered_inside() -> None:
    """The application sees neither ping nor pong."""
    one, other = joined()
    one.send(Ping(), 9)

    assert other.receive_data(one.data_to_send()) == []
    assert said(other) == [(Pong(), 9)]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (msgpack.packb([250, 4, None]), "unsupported"),
        (msgpack.packb([SendToAll.code, 4, None]), "malformed"),
        (msgpack.packb([Watch.code, 4, None]), "forbidden"),
        (msgpack.packb([Hello.code, 4, None, *HELLO.to_fields()]), "forbidden"),
        (msgpack.packb([Reply.code, 4, None, 1]), "forbidden"),
    ],
)
def test_a_bad_command_costs_that_command(frame: bytes, code: str) -> None:
    """Unknown, malformed and forbidden commands are answered, and the next one is executed."""
    one, other = joined()
    data = len(frame).to_bytes(4, "big") + frame

    assert other.receive_data(data + encode_frame(SendToAll("a"), 5)) == [(SendToAll("a"), 5, None)]

    ((error, request_id),) = said(other)
    assert isinstance(error, Error)
    assert (error.error, request_id) == (code, 4)
    assert other.is_open
    assert one.is_open


@pytest.mark.parametrize("command", [250, SendToAll.code, Watch.code])
def test_request_id_zero_asks_for_no_answer(command: int) -> None:
    """Even an error is not told to who did not ask for a reply."""
    _, other = joined()
    frame = msgpack.packb([command, 0, None])

    assert other.receive_data(len(frame).to_bytes(4, "big") + frame) == []
    assert other.unsent == 0
    assert other.is_open


def test_a_forbidden_command_stays_forbidden_beside_allowed_ones() -> None:
    """What passes once does not open the way for others; what is refused is refused again."""
    _, other = joined(server=REGISTER)
    for request_id in (1, 2):
        data = encode_frame(Watch()) + encode_frame(
            Announce(NODE, "10.0.0.1", 2900, 0, []), request_id
        )
        assert other.receive_data(data) == [(Watch(), 0, None)]
        ((error, answered),) = said(other)
        assert isinstance(error, Error)
        assert (error.error, answered) == ("forbidden", request_id)
        assert "a client may not send announce here" in error.text


def test_broken_bytes_end_an_open_link() -> None:
    """What came before is returned; the goodbye says why; what comes after is not read."""
    one, other = joined()

    envelopes = other.receive_data(encode_frame(SendToAll("a"), 1) + b"\0\0\0\1\xc1")

    assert [each.command for each in envelopes] == [SendToAll("a")]
    failure(other, RemoteProtocolError, ErrorCode.PROTOCOL)
    last = other.data_to_send()
    assert other.receive_data(encode_frame(SendToAll("b"), 2)) == []
    one.receive_data(last)
    assert isinstance(one.failure, LinkRefused)
    assert one.failure.code == "protocol"


def test_a_frame_over_the_limit_ends_an_open_link() -> None:
    """Even a proven peer cannot make a process hold more than a frame."""
    _, other = joined()
    other.receive_data((MAX_FRAME + 1).to_bytes(4, "big"))

    failure(other, RemoteProtocolError, ErrorCode.PROTOCOL)


# The end


def test_a_goodbye_ends_both_sides() -> None:
    """Commands before it arrive; the peer learns code and sentence; nothing can be sent any more."""
    one, other = joined()
    one.send(SendToAll("last"), 1)
    one.say_goodbye(ErrorCode.STOPPING, "the client is done")
    one.say_goodbye(ErrorCode.STOPPING, "once is enough")

    assert other.receive_data(one.data_to_send()) == [(SendToAll("last"), 1, None)]
    assert isinstance(other.failure, LinkRefused)
    assert str(other.failure) == "the client is done (stopping)"
    for link in (one, other):
        assert link.is_closed
        with pytest.raises(LocalProtocolError):
            link.send(Ping())


def test_a_goodbye_in_words_of_a_newer_version_is_kept() -> None:
    """An error code that is unknown here is text all the same."""
    one, _ = joined()
    one.receive_data(encode_frame(Goodbye("novel", "for a reason of tomorrow")))

    assert isinstance(one.failure, LinkRefused)
    assert one.failure.code == "novel"


def test_a_lost_network_closes_the_link() -> None:
    """Without a goodbye nothing has failed, but it is over."""
    one, _ = joined()
    one.connection_lost()

    assert one.is_closed
    assert one.failure is None


def test_a_lost_link_keeps_nothing_of_what_was_under_way() -> None:
    """Neither what was not sent nor the beginning of a frame: somebody may remember it for long."""
    one, _ = joined()
    one.send(SendToAll(b"x" * 1000), 1)
    one.receive_data(MAX_FRAME.to_bytes(4, "big") + b"x" * 1000)
    one.connection_lost()

    assert one.unsent == 0
    assert repr(one._decoder) == "<FrameDecoder holding 0 bytes>"


def test_a_link_says_who_it_is() -> None:
    """The repr tells side, state and peer."""
    assert repr(dialer()) == "<Link dialler greeted with nobody yet>"
    one, other = joined()
    assert repr(one) == f"<Link dialler open with gateway {GATEWAY.instance}>"
    assert repr(other) == f"<Link acceptor open with client {CLIENT.instance}>"
