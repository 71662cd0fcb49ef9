"""One side of a link against another side, or against chosen bytes; no sockets."""

from dataclasses import replace
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_wire.commands import (
    Announce,
    Challenge,
    Command,
    Error,
    Goodbye,
    Hello,
    Ping,
    Pong,
    Proof,
    Reply,
    Role,
    SendToAll,
    Watch,
    Welcome,
)
from gateway_wire.errors import (
    AuthenticationFailed,
    ErrorCode,
    LinkRefused,
    LocalProtocolError,
    RemoteProtocolError,
)
from gateway_wire.frames import BadCommand, FrameDecoder, decode_body, encode_frame
from gateway_wire.hello import DIALER_LABEL, Party, key_id_of, new_nonce, proof_of
from gateway_wire.limits import MAX_FRAME, MAX_FRAME_BEFORE_PROOF
from gateway_wire.link import Link
from gateway_wire.state import Side
from tests.gateway_wire.samples import NODE, SAMPLES

KEY = "of the cluster"
CLIENT = Party(Role.CLIENT, "c" * 16, "test/1")
GATEWAY = Party(Role.GATEWAY, "d" * 16, "test/2", ("shiny",))
REGISTER = Party(Role.REGISTER, "e" * 16)
HELLO = Hello(1, 1, "client", [], "test/1", "c" * 16, bytes(32))


def dialer(key: str = "", party: Party = CLIENT) -> Link:
    """Give a dialling side; its hello is queued."""
    return Link(Side.DIALER, party, key)


def acceptor(key: str = "", party: Party = GATEWAY) -> Link:
    """Give an accepting side."""
    return Link(Side.ACCEPTOR, party, key)


def join(one: Link, other: Link) -> None:
    """Carry bytes to and fro until neither side has anything to say."""
    while one.unsent or other.unsent:
        other.receive_data(one.data_to_send())
        one.receive_data(other.data_to_send())


def joined(key: str = "", client: Party = CLIENT, server: Party = GATEWAY) -> tuple[Link, Link]:
    """Give both sides of an open link."""
    one, other = dialer(key, client), acceptor(key, server)
    join(one, other)
    assert one.is_open
    assert other.is_open
    return one, other


def said(link: Link) -> list[tuple[Command | BadCommand, int]]:
    """Take what a side has to say, decoded."""
    bodies = FrameDecoder(MAX_FRAME).feed(link.data_to_send())
    return [decode_body(body)[:2] for body in bodies]


def goodbye_of(link: Link) -> Goodbye:
    """Take a side's last words."""
    (*_, (last, _)) = said(link)
    assert isinstance(last, Goodbye)
    return last


def failure(link: Link, kind: type[Exception], code: ErrorCode) -> Any:
    """Give why a link is over, checked for kind and code."""
    assert link.is_closed
    assert type(link.failure) is kind
    assert getattr(link.failure, "code", None) is code
    return link.failure


# The hello


@pytest.mark.parametrize("key", ["", KEY])
def test_two_sides_introduce_themselves(key: str) -> None:
    """After the hello each side knows the other's facts and the version both speak."""
    one, other = joined(key)

    assert one.peer == replace(GATEWAY, version=1)
    assert other.peer == replace(CLIENT, version=1)


@pytest.mark.parametrize("key", ["", KEY])
def test_the_hello_survives_every_cut(key: str) -> None:
    """Bytes that trickle in one by one make the same link."""
    one, other = dialer(key), acceptor(key)
    while one.unsent or other.unsent:
        for here, there in ((one, other), (other, one)):
            for byte in here.data_to_send():
                there.receive_data(bytes([byte]))

    assert one.is_open
    assert other.is_open


@pytest.mark.parametrize(
    ("dialers", "acceptors", "code", "told"),
    [
        (
            KEY,
            "",
            ErrorCode.KEY_UNEXPECTED,
            "the client has a secret key and this gateway has none",
        ),
        ("", KEY, ErrorCode.KEY_MISSING, "this gateway has a secret key and the client has none"),
        (KEY, "other", ErrorCode.KEY_WRONG, "secret key of the client is not that of this gateway"),
    ],
)
def test_keys_that_differ_end_both_sides(
    dialers: str, acceptors: str, code: ErrorCode, told: str
) -> None:
    """Both sides fail with the code that names whose key is missing or wrong, and say so."""
    one, other = dialer(dialers), acceptor(acceptors)
    join(one, other)

    assert told in str(failure(other, AuthenticationFailed, code))
    assert told in str(failure(one, AuthenticationFailed, code))


def test_the_key_never_travels() -> None:
    """Neither the key nor a plain hash of it is in what the two sides say."""
    one, other = dialer(KEY), acceptor(KEY)
    heard = b""
    while one.unsent or other.unsent:
        from_one = one.data_to_send()
        other.receive_data(from_one)
        from_other = other.data_to_send()
        one.receive_data(from_other)
        heard += from_one + from_other

    assert KEY.encode() not in heard


def test_an_acceptor_without_the_key_is_refused() -> None:
    """A dialler with a key does not speak to a side that simply says welcome."""
    one = dialer(KEY)
    one.receive_data(encode_frame(Welcome(1, "gateway", [], "evil/1", "x")))

    failure(one, AuthenticationFailed, ErrorCode.KEY_MISSING)
    assert goodbye_of(one).error == "key_missing"


def test_a_challenge_to_a_side_without_key_is_refused() -> None:
    """Nobody is asked for a proof that announced no key."""
    one = dialer()
    one.receive_data(encode_frame(Challenge(1, "gateway", [], "x", "y", new_nonce())))

    failure(one, RemoteProtocolError, ErrorCode.PROTOCOL)


@pytest.mark.parametrize("proof", [None, b"", bytes(32)])
def test_a_welcome_needs_its_proof(proof: bytes | None) -> None:
    """A dialler with a key wants the acceptor's proof too, and the right one."""
    one = dialer(KEY)
    one.receive_data(encode_frame(Challenge(1, "gateway", [], "evil/1", "x", new_nonce())))
    one.receive_data(encode_frame(Welcome(1, "gateway", [], "evil/1", "x", proof)))

    failure(one, AuthenticationFailed, ErrorCode.KEY_WRONG)
    assert goodbye_of(one).error == "key_wrong"


def test_a_reflected_proof_is_refused() -> None:
    """The dialler's own proof, sent back, does not pass for the acceptor's."""
    one = dialer(KEY)
    one.data_to_send()
    one.receive_data(encode_frame(Challenge(1, "gateway", [], "evil/1", "x", new_nonce())))
    ((proof, _),) = said(one)
    assert isinstance(proof, Proof)

    one.receive_data(encode_frame(Welcome(1, "gateway", [], "evil/1", "x", proof.proof)))

    failure(one, AuthenticationFailed, ErrorCode.KEY_WRONG)


def test_a_replayed_hello_is_refused() -> None:
    """What a dialler once said, said again to another link, proves nothing."""
    one, other = dialer(KEY), acceptor(KEY)
    hello = one.data_to_send()
    other.receive_data(hello)
    one.receive_data(other.data_to_send())
    proof = one.data_to_send()

    victim = acceptor(KEY)
    victim.receive_data(hello + proof)

    failure(victim, AuthenticationFailed, ErrorCode.KEY_WRONG)
    assert victim.peer is None


def test_a_hello_changed_on_the_way_is_refused() -> None:
    """Who changes what a dialler announced breaks its proof."""
    one, other = dialer(KEY), acceptor(KEY)
    other.receive_data(one.data_to_send().replace(b"client", b"worker"))
    one.receive_data(other.data_to_send())
    other.receive_data(one.data_to_send())

    failure(other, AuthenticationFailed, ErrorCode.KEY_WRONG)


def test_a_challenge_changed_on_the_way_is_refused() -> None:
    """Who changes what an acceptor announced breaks the proofs."""
    one, other = dialer(KEY), acceptor(KEY)
    other.receive_data(one.data_to_send())
    one.receive_data(other.data_to_send().replace(b"test/2", b"test/3"))
    other.receive_data(one.data_to_send())

    failure(other, AuthenticationFailed, ErrorCode.KEY_WRONG)


def test_a_welcome_changed_on_the_way_changes_nothing() -> None:
    """What a dialler knows of its peer comes from the challenge, which the proofs cover."""
    one, other = dialer(KEY), acceptor(KEY)
    other.receive_data(one.data_to_send())
    one.receive_data(other.data_to_send())
    other.receive_data(one.data_to_send())
    one.receive_data(other.data_to_send().replace(b"gateway", b"registe"))

    assert one.peer == replace(GATEWAY, version=1)


def test_a_role_that_does_not_dial_is_refused() -> None:
    """A register accepts links and dials none; an unknown role dials none either."""
    for role in ("register", "stranger"):
        other = acceptor()
        other.receive_data(encode_frame(replace(HELLO, role=role)))

        assert role in str(failure(other, RemoteProtocolError, ErrorCode.PROTOCOL))


def test_an_acceptor_of_an_unknown_role_is_refused() -> None:
    """A dialler must know what it speaks to."""
    one = dialer()
    one.receive_data(encode_frame(Welcome(1, "stranger", [], "x", "y")))

    failure(one, RemoteProtocolError, ErrorCode.PROTOCOL)


# Versions


def test_a_newer_dialler_is_met_at_the_version_both_speak() -> None:
    """A peer of version 2 that also speaks 1 is welcome, with all that it says besides."""
    other = acceptor()
    body = msgpack.packb(
        [Hello.code, 0, {"new": 1}, 1, 2, "client", ["new"], "next/2", "n", bytes(32), None, "more"]
    )
    other.receive_data(len(body).to_bytes(4, "big") + body)

    ((welcome, _),) = said(other)
    assert isinstance(welcome, Welcome)
    assert welcome.version == 1
    assert other.is_open


@pytest.mark.parametrize(("lowest", "highest"), [(2, 3), (0, 0)])
def test_no_version_in_common_is_said(lowest: int, highest: int) -> None:
    """The goodbye names both ranges and which side to update."""
    other = acceptor()
    other.receive_data(encode_frame(replace(HELLO, min_version=lowest, max_version=highest)))

    failure(other, RemoteProtocolError, ErrorCode.VERSION)
    assert f"the peer {lowest} to {highest}: update the older one" in goodbye_of(other).text


def test_a_welcome_in_an_unknown_version_is_refused() -> None:
    """An acceptor must not choose what the dialler did not offer."""
    one = dialer()
    one.receive_data(encode_frame(Welcome(2, "gateway", [], "x", "y")))

    failure(one, RemoteProtocolError, ErrorCode.VERSION)


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


def test_a_link_says_who_it_is() -> None:
    """The repr tells side, state and peer."""
    assert repr(dialer()) == "<Link dialler greeted with nobody yet>"
    one, other = joined()
    assert repr(one) == f"<Link dialler open with gateway {GATEWAY.instance}>"
    assert repr(other) == f"<Link acceptor open with client {CLIENT.instance}>"


# The hello in bytes, as another language would write it


def test_a_peer_that_knows_only_the_description_is_welcome() -> None:
    """A hello and a proof made from raw msgpack and HMAC open a link with a key."""
    other = acceptor(KEY)
    hello = msgpack.packb([1, 0, None, 1, 1, "client", [], "raw/1", "r", bytes(32), key_id_of(KEY)])
    other.receive_data(len(hello).to_bytes(4, "big") + hello)
    challenge = other.data_to_send()[4:]
    proof = msgpack.packb([3, 0, None, proof_of(KEY, DIALER_LABEL, hello, challenge)])
    other.receive_data(len(proof).to_bytes(4, "big") + proof)

    ((welcome, _),) = said(other)
    assert isinstance(welcome, Welcome)
    assert other.is_open
