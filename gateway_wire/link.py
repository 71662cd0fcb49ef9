"""One side of one internal link, without input or output.

A shell feeds it bytes and carries away bytes; the link finds frames, does the hello, checks who
may say what, and returns the commands that are left for the application. The same class serves
the asyncio shell, the blocking client and the tests.

Theory of operation:

- :meth:`Link.receive_data` takes bytes and returns envelopes. Hello, ping and goodbye are
  dealt with inside. When :attr:`Link.failure` is set afterwards, the link is over: the shell sends
  what :meth:`Link.data_to_send` still holds (it tells the peer why) and closes.
- :meth:`Link.send` queues a command. Nothing travels before the link is open.
- A command that is unknown, malformed or forbidden to the peer's role is answered with an error
  if it asked for a reply, and the link goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from gateway_wire.commands import (
    Challenge,
    Command,
    CommandError,
    Error,
    Goodbye,
    Hello,
    Ping,
    Pong,
    Proof,
    Role,
    Welcome,
)
from gateway_wire.errors import (
    AuthenticationFailed,
    ErrorCode,
    GatewayError,
    LinkRefused,
    LocalProtocolError,
    RemoteProtocolError,
)
from gateway_wire.frames import BadCommand, Envelope, FrameDecoder, decode_body, encode_frame
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
from gateway_wire.limits import MAX_FRAME, MAX_FRAME_BEFORE_PROOF
from gateway_wire.state import Side, State, StateMachine, may_travel

if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = ["Link"]

_PREFIX: Final = 4
_KEY_ERRORS: Final = {
    code.value: code
    for code in (ErrorCode.KEY_MISSING, ErrorCode.KEY_UNEXPECTED, ErrorCode.KEY_WRONG)
}
_INTERNAL: Final = frozenset({Ping, Pong, Goodbye})


class Link:
    """One side of one link.

    Attributes:
        party: Our side, as it introduces itself.
        peer: The other side; None until the hello is finished.
        failure: Why the link is over: `RemoteProtocolError` if the peer broke the protocol,
            `AuthenticationFailed` if the secret keys do not match, `LinkRefused` if the peer said
            goodbye; None while it is not.
    """

    __slots__ = (
        "_challenge",
        "_challenge_body",
        "_decoder",
        "_hello",
        "_hello_body",
        "_machine",
        "_out",
        "_out_size",
        "_passing",
        "_secret_key",
        "failure",
        "party",
        "peer",
    )

    def __init__(self, side: Side, party: Party, secret_key: str = "") -> None:
        """Make one side of a link.

        Args:
            side: Dialler or acceptor. A dialler's hello is queued at once.
            party: Our side, as it introduces itself.
            secret_key: The cluster's secret key, empty for none.
        """
        self.party = party
        self.peer: Party | None = None
        self.failure: GatewayError | None = None
        self._secret_key = secret_key
        self._machine = StateMachine(side)
        self._decoder = FrameDecoder(MAX_FRAME_BEFORE_PROOF)
        self._out: list[bytes] = []
        self._out_size = 0
        # Until the hello is finished: what the peer introduced itself with where proofs cover it,
        # and the two bodies that they cover.
        self._hello: Hello | None = None
        self._challenge: Challenge | None = None
        self._hello_body = b""
        self._challenge_body = b""
        # Command classes that this peer may send and the application gets, once one has come.
        self._passing: set[type] = set()
        if side is Side.DIALER:
            self._send_hello()

    def __repr__(self) -> str:
        peer = f"{self.peer.role.value} {self.peer.instance}" if self.peer else "nobody yet"
        return f"<Link {self._machine.side.value} {self._machine.state.value} with {peer}>"

    # What a shell asks.

    @property
    def is_open(self) -> bool:
        """Whether commands may be sent."""
        return self._machine.state is State.OPEN

    @property
    def is_closed(self) -> bool:
        """Whether the link is over."""
        return self._machine.state is State.CLOSED

    @property
    def unsent(self) -> int:
        """Bytes queued that the shell has not yet carried away."""
        return self._out_size

    def data_to_send(self) -> bytes:
        """Return all bytes that are queued for the network, and forget them."""
        data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        self._out_size = 0
        return data

    # Sending.

    def send(
        self, command: Command, request_id: int = 0, options: Mapping[str, Any] | None = None
    ) -> None:
        """Queue one command.

        Raises:
            LocalProtocolError: If the link is not open.
            MessageTooLarge: If it does not fit a frame; nothing is queued.
        """
        self.send_frame(encode_frame(command, request_id, options))

    def send_frame(self, frame: bytes) -> None:
        """Queue a command that is already encoded, such as one that goes to many links.

        Raises:
            LocalProtocolError: If the link is not open.
        """
        if self._machine.state is not State.OPEN:
            msg = f"cannot send on a link that is {self._machine.state.value}"
            raise LocalProtocolError(msg)
        self._out.append(frame)
        self._out_size += len(frame)

    def say_goodbye(self, code: ErrorCode, text: str) -> None:
        """Queue a goodbye and close our side; does nothing on a link that is closed."""
        if self._machine.state is not State.CLOSED:
            self._machine.sent(Goodbye)
            self._queue(encode_frame(Goodbye(code.value, text)))

    # Receiving.

    def receive_data(self, data: bytes) -> list[Envelope]:
        """Take bytes from the network.

        Never raises for what a peer sent. When the link is over afterwards, `failure` says why; the
        commands that came before are still returned.

        Returns:
            The commands for the application, in order.
        """
        envelopes: list[Envelope] = []
        if self.is_closed:
            return envelopes
        try:
            for body in self._decoder.feed(data):
                if self._machine.state is State.OPEN:
                    envelope = decode_body(body)
                    passes = type(envelope.command) in self._passing
                    if passes or self._is_for_application(envelope):
                        envelopes.append(envelope)
                else:
                    self._receive_hello(body)
        except RemoteProtocolError as error:
            self.say_goodbye(error.code, error.text)
            self.failure = error
        except (AuthenticationFailed, LinkRefused) as error:
            self.failure = error
        return envelopes

    def connection_lost(self) -> None:
        """Take note that the network is gone."""
        self._machine.closed()

    def _is_for_application(self, envelope: Envelope) -> bool:
        """Decide on a command whose class has not passed on this link before."""
        command = envelope.command
        if isinstance(command, BadCommand):
            self._answer_error(envelope.request_id, command.error)
            return False
        kind = type(command)
        if not may_travel(kind, self._peer_role(), self.party.role):
            text = f"a {self._peer_role().value} may not send {command.wire_name} here"
            self._answer_error(envelope.request_id, CommandError(ErrorCode.FORBIDDEN, text))
            return False
        if kind in _INTERNAL:
            self._receive_internal(envelope)
            return False
        self._passing.add(kind)
        return True

    def _peer_role(self) -> Role:
        if self.peer is None:
            raise AssertionError("an open link has a peer")
        return self.peer.role

    def _receive_internal(self, envelope: Envelope) -> None:
        command = envelope.command
        if isinstance(command, Goodbye):
            self._machine.received(Goodbye)
            self._refused_by(command)
        elif isinstance(command, Ping):
            self._queue(encode_frame(Pong(), envelope.request_id))

    def _answer_error(self, request_id: int, error: CommandError) -> None:
        if request_id:
            self._queue(encode_frame(Error(error.code.value, error.text), request_id))

    def _refused_by(self, goodbye: Goodbye) -> NoReturn:
        key_error = _KEY_ERRORS.get(goodbye.error)
        if key_error is not None:
            raise AuthenticationFailed(key_error, goodbye.text)
        raise LinkRefused(goodbye.error, goodbye.text)

    def _queue(self, frame: bytes) -> None:
        self._out.append(frame)
        self._out_size += len(frame)

    # The hello, as the dialler.

    def _send_hello(self) -> None:
        key_id = key_id_of(self._secret_key) if self._secret_key else None
        us = self.party
        hello = Hello(
            MIN_VERSION,
            MAX_VERSION,
            us.role.value,
            list(us.features),
            us.software,
            us.instance,
            new_nonce(),
            key_id,
        )
        frame = encode_frame(hello)
        self._hello_body = frame[_PREFIX:]
        self._machine.sent(Hello)
        self._queue(frame)

    def _receive_challenge(self, challenge: Challenge, body: bytes) -> None:
        if not self._secret_key:
            raise RemoteProtocolError("the peer sent a challenge to a side without a secret key")
        self._challenge, self._challenge_body = challenge, body
        proof = proof_of(self._secret_key, DIALER_LABEL, self._hello_body, body)
        self._machine.sent(Proof)
        self._queue(encode_frame(Proof(proof)))

    def _receive_welcome(self, welcome: Welcome) -> None:
        if self._secret_key:
            self._check_acceptor_proof(welcome.proof)
        them = self._challenge or welcome  # the proof covers the challenge, not the welcome
        if not MIN_VERSION <= them.version <= MAX_VERSION:
            text = f"the peer speaks version {them.version}, which this side does not"
            raise RemoteProtocolError(text, ErrorCode.VERSION)
        self._open(them, them.version)

    def _check_acceptor_proof(self, given: bytes | None) -> None:
        if not self._challenge_body:
            text = "this side has a secret key and the peer has none: give the peer the same one"
            self._refuse_key(ErrorCode.KEY_MISSING, text)
        expected = proof_of(
            self._secret_key, ACCEPTOR_LABEL, self._hello_body, self._challenge_body
        )
        if given is None or not same_proof(expected, given):
            self._refuse_key(ErrorCode.KEY_WRONG, "the peer could not prove the secret key")

    # The hello, as the acceptor.

    def _receive_peer_hello(self, hello: Hello, body: bytes) -> None:
        version = min(MAX_VERSION, hello.max_version)
        if version < max(MIN_VERSION, hello.min_version):
            text = (
                f"this side speaks versions {MIN_VERSION} to {MAX_VERSION}, "
                f"the peer {hello.min_version} to {hello.max_version}: update the older one"
            )
            raise RemoteProtocolError(text, ErrorCode.VERSION)
        if _role_of(hello) not in Hello.senders:
            text = f"a link cannot be dialled by the role {hello.role!r}"
            raise RemoteProtocolError(text)
        self._hello, self._hello_body = hello, body
        if self._secret_key or hello.key_id is not None:
            self._check_key_id(hello.key_id)
            self._send_challenge(version)
        else:
            self._send_welcome(version, None)

    def _check_key_id(self, key_id: str | None) -> None:
        us = self.party.role.value
        if key_id is None:
            text = f"this {us} has a secret key and the {self._dialer()} has none: give it the same"
            self._refuse_key(ErrorCode.KEY_MISSING, text)
        if not self._secret_key:
            text = f"the {self._dialer()} has a secret key and this {us} has none: give it the same"
            self._refuse_key(ErrorCode.KEY_UNEXPECTED, text)
        if key_id != key_id_of(self._secret_key):
            self._refuse_wrong_key()

    def _send_challenge(self, version: int) -> None:
        us = self.party
        challenge = Challenge(
            version, us.role.value, list(us.features), us.software, us.instance, new_nonce()
        )
        frame = encode_frame(challenge)
        self._challenge_body = frame[_PREFIX:]
        self._machine.sent(Challenge)
        self._queue(frame)

    def _receive_proof(self, proof: Proof) -> None:
        key, hello, challenge = self._secret_key, self._hello_body, self._challenge_body
        if not same_proof(proof_of(key, DIALER_LABEL, hello, challenge), proof.proof):
            self._refuse_wrong_key()
        version = min(MAX_VERSION, self._dialed().max_version)
        self._send_welcome(version, proof_of(key, ACCEPTOR_LABEL, hello, challenge))

    def _send_welcome(self, version: int, proof: bytes | None) -> None:
        us = self.party
        welcome = Welcome(
            version, us.role.value, list(us.features), us.software, us.instance, proof
        )
        self._machine.sent(Welcome)
        self._queue(encode_frame(welcome))
        self._open(self._dialed(), version)

    # The hello, on both sides.

    def _receive_hello(self, body: bytes) -> None:
        command = decode_body(body).command
        if isinstance(command, BadCommand):
            raise RemoteProtocolError(f"the hello cannot be read: {command.error}")
        self._machine.received(type(command))
        match command:
            case Hello():
                self._receive_peer_hello(command, body)
            case Challenge():
                self._receive_challenge(command, body)
            case Proof():
                self._receive_proof(command)
            case Welcome():
                self._receive_welcome(command)
            case Goodbye():
                self._refused_by(command)
            case _:
                raise AssertionError("the table lets only these pass")

    def _open(self, them: Hello | Challenge | Welcome, version: int) -> None:
        role = _role_of(them)
        if role is None:
            raise RemoteProtocolError(f"the peer has the unknown role {them.role!r}")
        self.peer = Party(role, them.instance, them.software, tuple(them.features), version)
        self._decoder.limit = MAX_FRAME
        self._hello = self._challenge = None
        self._hello_body = self._challenge_body = b""

    def _dialed(self) -> Hello:
        if self._hello is None:
            raise AssertionError("an acceptor answers only after a hello")
        return self._hello

    def _dialer(self) -> str:
        return self._dialed().role

    def _refuse_wrong_key(self) -> NoReturn:
        text = (
            f"the secret key of the {self._dialer()} is not that of this {self.party.role.value}: "
            "give both the same"
        )
        self._refuse_key(ErrorCode.KEY_WRONG, text)

    def _refuse_key(self, code: ErrorCode, text: str) -> NoReturn:
        self.say_goodbye(code, text)
        raise AuthenticationFailed(code, text)


def _role_of(them: Hello | Challenge | Welcome) -> Role | None:
    try:
        return Role(them.role)
    except ValueError:
        return None
