"""One link to a PHP program, without a network."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.php.frames import MAX_FRAME, MAX_FRAME_BEFORE_PROOF, Command, Frame
from gateway.php.link import PhpLink, WorkerHello
from gateway_wire.commands import Error, Pong, Reply, ReplyPart, Role
from gateway_wire.errors import (
    AuthenticationFailed,
    ErrorCode,
    LocalProtocolError,
    RemoteProtocolError,
)

KEY = "of the cluster"
QUESTION = Frame(Command.GET_CLIENT_COUNT_BY_GROUP)


def introduction(command: Command = Command.GATEWAY_CLIENT_CONNECT, **told: object) -> bytes:
    """Give the frame of one that introduces itself."""
    return Frame(command, body=json.dumps(told).encode()).encode()


def received(link: PhpLink, data: bytes) -> list[object]:
    """Feed a link; give what is for the application."""
    return [each.command for each in link.receive_data(data)]


def test_without_a_key_the_first_frame_opens_it() -> None:
    """It asks for an answer like every frame."""
    link = PhpLink("")
    assert (link.is_open, link.peer, repr(link)) == (False, None, "<PhpLink new>")

    told: list[tuple[object, int, object]] = [*link.receive_data(QUESTION.encode())]

    ((command, request_id, _),) = told
    assert command == QUESTION
    assert request_id
    assert link.is_open
    assert link.peer is not None
    assert link.peer.role is Role.CLIENT
    assert repr(link) == "<PhpLink open>"


def test_with_a_key_it_is_shown_first() -> None:
    """And may be shown before every frame, as clients do that keep their connection."""
    link = PhpLink(KEY)
    shown = introduction(secret_key=KEY)

    assert received(link, shown + QUESTION.encode()) == [QUESTION]
    assert received(link, shown) == []
    assert received(link, QUESTION.encode()) == [QUESTION]
    assert link.failure is None


@pytest.mark.parametrize(
    ("key", "data", "code"),
    [
        (KEY, QUESTION.encode(), ErrorCode.KEY_MISSING),
        (KEY, Frame(Command.PING).encode(), ErrorCode.KEY_MISSING),
        (KEY, introduction(), ErrorCode.KEY_MISSING),
        (KEY, introduction(secret_key="other"), ErrorCode.KEY_WRONG),
        ("", introduction(secret_key=KEY), ErrorCode.KEY_UNEXPECTED),
        (
            KEY,
            introduction(Command.WORKER_CONNECT, worker_key="w:0", secret_key="other"),
            ErrorCode.KEY_WRONG,
        ),
    ],
)
def test_keys_that_differ_end_it(key: str, data: bytes, code: ErrorCode) -> None:
    """What comes behind is not looked at."""
    link = PhpLink(key)

    assert received(link, data + QUESTION.encode()) == []
    assert isinstance(link.failure, AuthenticationFailed)
    assert link.failure.code is code
    assert not link.is_open
    assert received(link, QUESTION.encode()) == []
    assert repr(link) == "<PhpLink closed>"


@pytest.mark.parametrize("key", ["", KEY])
def test_a_worker_says_who_it_is(key: str) -> None:
    """That is a command of its own, in its order among the frames."""
    link = PhpLink(key)
    hello = introduction(Command.WORKER_CONNECT, worker_key="chat:3", secret_key=key)

    assert received(link, hello + QUESTION.encode()) == [WorkerHello("chat:3"), QUESTION]
    assert link.peer is not None
    assert link.peer.role is Role.WORKER


def test_pings_are_for_nobody() -> None:
    """They only show that the peer lives."""
    link = PhpLink("")

    assert received(link, Frame(Command.PING).encode() * 3) == []
    assert link.is_open


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b"[" * 2000, b'{"secret_key": 1}', b'{"secret_key": null}']
)
def test_an_introduction_that_cannot_be_read_ends_it(body: bytes) -> None:
    """Whatever stands there."""
    link = PhpLink("")
    link.receive_data(Frame(Command.GATEWAY_CLIENT_CONNECT, body=body).encode())

    assert isinstance(link.failure, RemoteProtocolError)


def test_a_worker_without_a_name_ends_it() -> None:
    """It could not be told from another."""
    link = PhpLink("")
    link.receive_data(introduction(Command.WORKER_CONNECT))

    assert "worker_key" in str(link.failure)


def test_a_stranger_may_send_little() -> None:
    """Frames are small until the key was shown, and then as large as those of the original."""
    large = Frame(Command.SEND_TO_ALL, body=bytes(MAX_FRAME_BEFORE_PROOF))
    stranger, known, nobody = PhpLink(KEY), PhpLink(KEY), PhpLink("")
    stranger.receive_data(large.encode())
    too_large = (MAX_FRAME + 1).to_bytes(4, "big") + bytes(24)

    assert "the limit is 4,096" in str(stranger.failure)
    assert received(known, introduction(secret_key=KEY) + large.encode()) == [large]
    assert received(nobody, large.encode()) == [large]
    for link in (known, nobody):
        link.receive_data(too_large)
        assert "the limit is 10,485,760" in str(link.failure)


def test_answers_are_bytes_in_their_order() -> None:
    """Parts of one stand together; nothing is no answer, and a pong is not said here."""
    link = PhpLink("")
    link.receive_data(QUESTION.encode())

    link.send(Reply(b"one"), 1)
    link.send(ReplyPart(b""), 1)
    link.send(ReplyPart(b"two"), 1)
    link.send(Reply(None), 1)
    link.send(Pong())
    link.send_frame(b"three")

    assert link.unsent == 11
    assert link.data_to_send() == b"onetwothree"
    assert (link.unsent, link.data_to_send()) == (0, b"")


def test_an_error_ends_it_behind_what_was_said() -> None:
    """The protocol has no words for it; nothing more is said."""
    link = PhpLink("")
    link.receive_data(QUESTION.encode())
    link.send_frame(b"one")

    link.send(Error("protocol", "no such group"), 1)

    assert str(link.failure) == "no such group"
    assert link.data_to_send() == b"one"
    with pytest.raises(LocalProtocolError):
        link.send_frame(b"two")


def test_a_goodbye_has_no_words() -> None:
    """It is closed, and nothing is wrong with it."""
    link = PhpLink("")
    link.receive_data(QUESTION.encode())
    link.say_goodbye(ErrorCode.STOPPING, "stopping")

    assert (link.is_open, link.failure, link.data_to_send()) == (False, None, b"")


def test_a_lost_connection_leaves_nothing() -> None:
    """Neither what was to be sent, nor half a frame."""
    link = PhpLink("")
    link.receive_data(QUESTION.encode() + QUESTION.encode()[:20])
    link.send_frame(b"answer")
    link.connection_lost()

    assert (link.unsent, link.is_open) == (0, False)
    assert received(link, QUESTION.encode()[20:]) == []


@given(st.lists(st.binary(max_size=64), max_size=8), st.sampled_from(["", KEY]))
def test_no_bytes_do_harm(pieces: list[bytes], key: str) -> None:
    """Whatever comes is refused or handed on; with a key, nothing is handed on."""
    link = PhpLink(key)
    commands = [command for piece in pieces for command in received(link, piece)]

    assert not (key and commands)
