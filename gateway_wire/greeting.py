"""The hello of one side of one link: what it says, what it checks, whom it meets.

One class per side. Each is given the peer's commands in an order that the state machine has checked,
says its own through a function that it is given, and returns the peer once that is known. What is
wrong with the peer is raised; the link tells it and ends. Dropped when the link is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway_wire.commands import Challenge, Command, Hello, Proof, Role, Welcome
from gateway_wire.errors import AuthenticationFailed, ErrorCode, RemoteProtocolError
from gateway_wire.hello import (
    ACCEPTOR_LABEL,
    DIALER_LABEL,
    MAX_VERSION,
    MIN_VERSION,
    Party,
    key_id_of,
    new_nonce,
    proof_of,
    same_proof,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AcceptorGreeting", "DialerGreeting", "Greeting"]


class Greeting(Protocol):
    """One side's part of the hello."""

    def receive(self, command: Command, body: bytes) -> Party | None:
        """Take the peer's next command of the hello.

        Args:
            command: What it said; the state machine lets it pass here.
            body: The frame's body, byte for byte, for the proofs.

        Returns:
            The peer, when the link is open with this.

        Raises:
            AuthenticationFailed: If the secret keys do not match.
            RemoteProtocolError: If the two sides cannot speak to each other.
        """
        ...


class DialerGreeting:
    """The side that dialled; its hello is said at once."""

    __slots__ = ("_challenge", "_challenge_body", "_hello_body", "_say", "_secret_key")

    def __init__(self, party: Party, secret_key: str, say: Callable[[Command], bytes]) -> None:
        """Say hello.

        Args:
            party: Our side.
            secret_key: The cluster's secret key, empty for none.
            say: Sends a command to the peer and returns the body of its frame.
        """
        self._secret_key = secret_key
        self._say = say
        self._challenge: Challenge | None = None
        self._challenge_body = b""
        self._hello_body = say(
            Hello(
                MIN_VERSION,
                MAX_VERSION,
                party.role.value,
                list(party.features),
                party.software,
                party.instance,
                new_nonce(),
                key_id_of(secret_key) if secret_key else None,
            )
        )

    def receive(self, command: Command, body: bytes) -> Party | None:
        """Answer a challenge, or take the welcome."""
        match command:
            case Challenge():
                self._prove(command, body)
                return None
            case Welcome():
                return self._meet(command)
            case _:
                raise AssertionError("the state machine lets only these pass")

    def _prove(self, challenge: Challenge, body: bytes) -> None:
        if not self._secret_key:
            raise RemoteProtocolError("the peer sent a challenge to a side without a secret key")
        self._challenge, self._challenge_body = challenge, body
        self._say(Proof(proof_of(self._secret_key, DIALER_LABEL, self._hello_body, body)))

    def _meet(self, welcome: Welcome) -> Party:
        if self._secret_key:
            self._check_proof(welcome.proof)
        them = self._challenge or welcome  # the proof covers the challenge, not the welcome
        if not MIN_VERSION <= them.version <= MAX_VERSION:
            text = f"the peer speaks version {them.version}, which this side does not"
            raise RemoteProtocolError(text, ErrorCode.VERSION)
        return _party(them, them.version)

    def _check_proof(self, given: bytes | None) -> None:
        if self._challenge is None:
            text = "this side has a secret key and the peer has none: give the peer the same one"
            raise AuthenticationFailed(ErrorCode.KEY_MISSING, text)
        key, hello, challenge = self._secret_key, self._hello_body, self._challenge_body
        expected = proof_of(key, ACCEPTOR_LABEL, hello, challenge)
        if given is None or not same_proof(expected, given):
            text = "the peer could not prove the secret key"
            raise AuthenticationFailed(ErrorCode.KEY_WRONG, text)


class AcceptorGreeting:
    """The side that was dialled."""

    __slots__ = ("_challenge_body", "_hello", "_hello_body", "_party", "_say", "_secret_key")

    def __init__(self, party: Party, secret_key: str, say: Callable[[Command], bytes]) -> None:
        """Wait for a hello.

        Args:
            party: Our side.
            secret_key: The cluster's secret key, empty for none.
            say: Sends a command to the peer and returns the body of its frame.
        """
        self._party = party
        self._secret_key = secret_key
        self._say = say
        # The peer's hello while it waits for its proof, and the two bodies that proofs cover.
        self._hello: Hello | None = None
        self._hello_body = b""
        self._challenge_body = b""

    def receive(self, command: Command, body: bytes) -> Party | None:
        """Answer a hello, or check the proof."""
        match command:
            case Hello():
                return self._greet(command, body)
            case Proof() if self._hello is not None:
                return self._check_proof(command.proof, self._hello)
            case _:
                raise AssertionError("the state machine lets only these pass")

    def _greet(self, hello: Hello, body: bytes) -> Party | None:
        version = _common_version(hello)
        peer = _party(hello, version)
        if peer.role not in Hello.senders:
            raise RemoteProtocolError(f"a link cannot be dialled by the role {hello.role!r}")
        if not self._secret_key and hello.key_id is None:
            return self._welcome(peer, None)
        self._check_key_id(hello)
        self._hello, self._hello_body = hello, body
        us = self._party
        self._challenge_body = self._say(
            Challenge(
                version, us.role.value, list(us.features), us.software, us.instance, new_nonce()
            )
        )
        return None

    def _check_key_id(self, hello: Hello) -> None:
        us, them = self._party.role.value, hello.role
        if hello.key_id is None:
            text = f"this {us} has a secret key and the {them} has none: give it the same"
            raise AuthenticationFailed(ErrorCode.KEY_MISSING, text)
        if not self._secret_key:
            text = f"the {them} has a secret key and this {us} has none: give it the same"
            raise AuthenticationFailed(ErrorCode.KEY_UNEXPECTED, text)
        if hello.key_id != key_id_of(self._secret_key):
            raise self._wrong_key(hello)

    def _check_proof(self, given: bytes, hello: Hello) -> Party:
        key, bodies = self._secret_key, (self._hello_body, self._challenge_body)
        if not same_proof(proof_of(key, DIALER_LABEL, *bodies), given):
            raise self._wrong_key(hello)
        peer = _party(hello, _common_version(hello))
        return self._welcome(peer, proof_of(key, ACCEPTOR_LABEL, *bodies))

    def _welcome(self, peer: Party, proof: bytes | None) -> Party:
        us = self._party
        role, features = us.role.value, list(us.features)
        self._say(Welcome(peer.version, role, features, us.software, us.instance, proof))
        return peer

    def _wrong_key(self, hello: Hello) -> AuthenticationFailed:
        us, them = self._party.role.value, hello.role
        text = f"the secret key of the {them} is not that of this {us}: give both the same"
        return AuthenticationFailed(ErrorCode.KEY_WRONG, text)


def _common_version(hello: Hello) -> int:
    """Return the highest version that both sides speak."""
    version = min(MAX_VERSION, hello.max_version)
    if version < max(MIN_VERSION, hello.min_version):
        text = (
            f"this side speaks versions {MIN_VERSION} to {MAX_VERSION}, "
            f"the peer {hello.min_version} to {hello.max_version}: update the older one"
        )
        raise RemoteProtocolError(text, ErrorCode.VERSION)
    return version


def _party(them: Hello | Challenge | Welcome, version: int) -> Party:
    try:
        role = Role(them.role)
    except ValueError as error:
        text = f"the peer has the unknown role {them.role!r}; is it newer than this side?"
        raise RemoteProtocolError(text) from error
    return Party(role, them.instance, them.software, tuple(them.features), version)
