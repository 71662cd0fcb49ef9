"""The mutual hello: who the two sides of a link are, and the proof that both hold the secret key.

Without a secret key::

    dialler   hello(nonce_c)             ->
                                         <-  welcome          acceptor

With one::

    dialler   hello(nonce_c, key_id)     ->
                                         <-  challenge(nonce_s)
              proof                      ->
                                         <-  welcome(proof)

A proof is HMAC-SHA256(key, label + SHA-256(hello body) + SHA-256(challenge body)), where the label
says which side proves: neither side's proof can be reflected, replayed in another hello, or used
with other announced facts, and the key itself never travels. Bodies are those of the frames as
they were sent, byte for byte.

Pure functions and values only; the order of the frames is :mod:`gateway_wire.state`'s matter, what
each side says :mod:`gateway_wire.greeting`'s.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

from gateway_wire.commands import Role

__all__ = [
    "ACCEPTOR_LABEL",
    "DIALER_LABEL",
    "MAX_VERSION",
    "MIN_VERSION",
    "NONCE_BYTES",
    "SOFTWARE",
    "Party",
    "key_id_of",
    "new_instance",
    "new_nonce",
    "proof_of",
    "same_proof",
]

MIN_VERSION: Final = 1
"""The lowest protocol version that this software speaks."""
MAX_VERSION: Final = 1
"""The highest protocol version that this software speaks."""

SOFTWARE: Final = "gatewayworker/0.1.0"
NONCE_BYTES: Final = 32
DIALER_LABEL: Final = b"gatewayworker dialler proof 1\0"
ACCEPTOR_LABEL: Final = b"gatewayworker acceptor proof 1\0"

_KEY_ID_LABEL: Final = b"gatewayworker key id"
_KEY_ID_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a link, as it introduces itself.

    Attributes:
        role: What it is.
        instance: Random text, new for each process and client object (and after a fork), by which
            a peer tells a reconnect from a stranger.
        software: Name and version, for logs.
        features: Optional abilities by name.
        version: The protocol version spoken on the link (0 until the hello is finished).
    """

    role: Role
    instance: str
    software: str = SOFTWARE
    features: tuple[str, ...] = field(default=())
    version: int = 0


def new_instance() -> str:
    """Return a fresh random instance name."""
    return secrets.token_hex(8)


def new_nonce() -> bytes:
    """Return fresh random bytes for one hello."""
    return secrets.token_bytes(NONCE_BYTES)


def key_id_of(secret_key: str) -> str:
    """Return the short name of a secret key, by which two sides see that theirs differ.

    It is derived by HMAC, so that it tells no more about the key than a proof does.
    """
    digest = hmac.new(secret_key.encode(), _KEY_ID_LABEL, hashlib.sha256).hexdigest()
    return digest[:_KEY_ID_DIGITS]


def proof_of(secret_key: str, label: bytes, hello: bytes, challenge: bytes) -> bytes:
    """Return the proof that a side holds the secret key.

    Args:
        secret_key: The shared key.
        label: :data:`DIALER_LABEL` or :data:`ACCEPTOR_LABEL`.
        hello: Body of the hello frame.
        challenge: Body of the challenge frame.
    """
    transcript = hashlib.sha256(hello).digest() + hashlib.sha256(challenge).digest()
    return hmac.new(secret_key.encode(), label + transcript, hashlib.sha256).digest()


def same_proof(expected: bytes, given: bytes) -> bool:
    """Compare two proofs in constant time."""
    return hmac.compare_digest(expected, given)
