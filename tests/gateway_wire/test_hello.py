"""The proofs of the hello, as values."""

import hashlib
import hmac

from gateway_wire.commands import Role
from gateway_wire.hello import (
    ACCEPTOR_LABEL,
    DIALER_LABEL,
    NONCE_BYTES,
    Party,
    key_id_of,
    new_instance,
    new_nonce,
    proof_of,
    same_proof,
)

HELLO, CHALLENGE = b"body of the hello", b"body of the challenge"


def test_a_proof_is_what_the_description_says() -> None:
    """HMAC-SHA256 over label, SHA-256 of the hello and SHA-256 of the challenge."""
    message = DIALER_LABEL + hashlib.sha256(HELLO).digest() + hashlib.sha256(CHALLENGE).digest()

    assert proof_of("key", DIALER_LABEL, HELLO, CHALLENGE) == hmac.digest(b"key", message, "sha256")
    assert DIALER_LABEL == b"gatewayworker dialler proof 1\0"
    assert ACCEPTOR_LABEL == b"gatewayworker acceptor proof 1\0"


def test_whatever_differs_makes_another_proof() -> None:
    """Key, direction, hello and challenge are all covered, each at its place."""
    proofs = [
        proof_of("key", DIALER_LABEL, HELLO, CHALLENGE),
        proof_of("other", DIALER_LABEL, HELLO, CHALLENGE),
        proof_of("key", ACCEPTOR_LABEL, HELLO, CHALLENGE),
        proof_of("key", DIALER_LABEL, HELLO + b"!", CHALLENGE),
        proof_of("key", DIALER_LABEL, HELLO, CHALLENGE + b"!"),
        proof_of("key", DIALER_LABEL, CHALLENGE, HELLO),
        proof_of("key", DIALER_LABEL, HELLO + CHALLENGE, b""),
    ]

    assert len(set(proofs)) == len(proofs)
    assert all(not same_proof(proofs[0], other) for other in proofs[1:])
    assert same_proof(proofs[0], proof_of("key", DIALER_LABEL, HELLO, CHALLENGE))


def test_a_key_id_names_a_key_without_telling_it() -> None:
    """Eight hex digits of an HMAC: fixed for a key, different for another, never the key."""
    expected = hmac.new(b"key", b"gatewayworker key id", hashlib.sha256).hexdigest()[:8]

    assert key_id_of("key") == expected
    assert key_id_of("kez") != expected


def test_keys_are_utf8() -> None:
    """A key of any text gives a proof."""
    assert len(proof_of("schlüssel 🔑", DIALER_LABEL, HELLO, CHALLENGE)) == 32


def test_randomness_is_fresh() -> None:
    """Nonces and instances never repeat."""
    assert len({new_nonce() for _ in range(100)}) == 100
    assert len({new_instance() for _ in range(100)}) == 100
    assert len(new_nonce()) == NONCE_BYTES


def test_a_party_introduces_itself() -> None:
    """Software has a name and a version, and nothing is promised by default."""
    party = Party(Role.CLIENT, "0011")

    assert party.software.startswith("gatewayworker/")
    assert (party.features, party.version) == ((), 0)
