"""The hello of two sides, honest and otherwise; no sockets."""

from dataclasses import replace

import msgpack
import pytest

from gateway_wire.commands import (
    Challenge,
    Hello,
    Proof,
    Welcome,
)
from gateway_wire.errors import (
    AuthenticationFailed,
    ErrorCode,
    RemoteProtocolError,
)
from gateway_wire.frames import encode_frame
from gateway_wire.hello import DIALER_LABEL, key_id_of, new_nonce, proof_of
from tests.gateway_wire.pairs import (
    CLIENT,
    GATEWAY,
    HELLO,
    KEY,
    acceptor,
    dialer,
    failure,
    goodbye_of,
    join,
    joined,
    said,
)

# Keys and proofs


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
