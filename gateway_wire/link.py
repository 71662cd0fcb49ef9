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

from gateway_wire.commands import Command, CommandError, Error, Goodbye, Ping, Pong, Role
from gateway_wire.errors import (
    AuthenticationFailed,
    ErrorCode,
    GatewayError,
    LinkRefused,
    LocalProtocolError,
    RemoteProtocolError,
)
from gateway_wire.frames import BadCommand, Envelope, FrameDecoder, decode_body, encode_frame
from gateway_wire.greeting import AcceptorGreeting, DialerGreeting, Greeting
from gateway_wire.limits import MAX_FRAME, MAX_FRAME_BEFORE_PROOF
from gateway_wire.state import Side, State, StateMachine, may_travel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway_wire.hello import Party


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
        "_decoder",
        "_greeting",
        "_machine",
        "_out",
        "_out_size",
        "_passing",
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
        self._machine = StateMachine(side)
        self._decoder = FrameDecoder(MAX_FRAME_BEFORE_PROOF)
        self._out: list[bytes] = []
        self._out_size = 0
        # Command classes that this peer may send and the application gets, once one has come.
        self._passing: set[type] = set()
        # Our part of the hello, until it is finished; a dialler says its first word here.
        greet = DialerGreeting if side is Side.DIALER else AcceptorGreeting
        self._greeting: Greeting | None = greet(party, secret_key, self._say)

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
        passing = self._passing
        try:
            for body in self._decoder.feed(data):
                if self._greeting is None:
                    envelope = decode_body(body)
                    if type(envelope[0]) in passing or self._is_for_application(envelope):
                        envelopes.append(envelope)
                else:
                    self._receive_hello(body)
        except (RemoteProtocolError, AuthenticationFailed) as error:
            self.say_goodbye(error.code, error.text)  # nothing, if the peer has said it
            self.failure = error
        except LinkRefused as error:
            self.failure = error
        return envelopes

    def connection_lost(self) -> None:
        """Take note that the network is gone, and forget what was under way.

        Whoever remembers the link, as a gateway's connections remember that of their worker, shall not
        keep megabytes with it.
        """
        self._machine.closed()
        self.data_to_send()
        self._decoder = FrameDecoder(0)

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

    # The hello.

    def _say(self, command: Command) -> bytes:
        """Send a command of the hello; return the body of its frame."""
        self._machine.sent(type(command))
        frame = encode_frame(command)
        self._queue(frame)
        return frame[_PREFIX:]

    def _receive_hello(self, body: bytes) -> None:
        command = decode_body(body).command
        if isinstance(command, BadCommand):
            raise RemoteProtocolError(f"the hello cannot be read: {command.error}")
        self._machine.received(type(command))
        if isinstance(command, Goodbye):
            self._refused_by(command)
        if self._greeting is None:
            raise AssertionError("a link that is not open has not finished its hello")
        self.peer = self._greeting.receive(command, body)
        if self.peer is not None:
            self._greeting = None
            self._decoder.limit = MAX_FRAME
