"""Clients on plain TCP or TLS: one edge for every protocol that is no websocket.

There is no handshake: a socket that is accepted is a connection, and a device that says nothing is
one, too. There is no farewell that the client must answer either: when it has been given everything, its
stream is ended, and it has `close_timeout` to end its own. A client that ends its stream has closed
properly (1005); one that is reset, or found gone, is lost (1006).

What the bytes mean is `speech`'s. What one read completes may be more than the core wants; then the rest
waits as in `connected`.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import Final, cast

from gateway.edge.connected import ConnectedEdge, State, is_secure, prepare
from gateway.edge.context import AcceptedProtocol, EdgeContext, Origin
from gateway.edge.interface import ConnectRequest, EdgeRecord, Encoding
from gateway.edge.listener import Speaks
from gateway.edge.protocol import Protocol
from gateway.edge.proxies import Address
from gateway.edge.secure import SecureEdge
from gateway.edge.speech import Speech
from gateway_wire.close_codes import NO_STATUS, SLOW, peer_closed

__all__ = ["MOST_ANSWERS", "SecureStreamEdge", "StreamEdge", "keep_alive", "speaking"]

MOST_ANSWERS: Final = 64 * 1024
"""Bytes of a protocol's own answers that may wait for a client that does not read."""

_PROBES: Final = 3
"""TCP keepalive probes in the time in which a client must answer."""


class StreamEdge(ConnectedEdge):
    """The `Edge` of a client that speaks a TCP protocol.

    Args:
        context: What all connections share.
        transport: The transport, whose protocol this is from now on.
        speech: What is spoken.
        protocol: The connection's own object of it.
    """

    __slots__ = ("_answers", "_protocol", "_speech", "_unfinished")

    def __init__(
        self, context: EdgeContext, transport: asyncio.Transport, speech: Speech, protocol: Protocol
    ) -> None:
        super().__init__(context, transport)
        self._speech = speech
        self._protocol = protocol
        # Bytes that were fed since the last message.
        self._unfinished = 0
        # What the protocol owes a client that has not taken what it was sent before.
        self._answers = b""

    @property
    def encoding(self) -> Encoding:
        """The speech; it encodes for all of its connections."""
        return self._speech

    def finish(self) -> None:
        """End the stream, in a turn of its own; see `Edge.finish`."""
        asyncio.get_running_loop().call_soon(self._end_stream)

    def record(self) -> EdgeRecord:
        """Return the protocol state as plain values; what the protocol keeps is not among them."""
        return {**super().record(), "unfinished": self._unfinished, "answers": self._answers}

    def eof_received(self) -> None:
        """End the connection: the client said its last."""
        if self._state is State.OPEN:
            self._begin_end(
                State.ENDING, peer_closed(NO_STATUS.code, "the client ended its stream")
            )

    # What ConnectedEdge asks for.

    def _pass_on(self, data: bytes) -> None:
        if self._state is not State.OPEN:
            return
        heard = self._speech.hear(self._protocol, data, self._unfinished)
        self._unfinished = 0 if heard.messages else self._unfinished + len(data)
        self._owe(self._speech.answer(self._protocol))
        for message in heard.messages:
            if self._state is State.OPEN:
                self._context.events.received(self, message)
        if heard.failure is not None and self._state is State.OPEN:
            self._fail(heard.failure)

    def _farewell(self, code: int, reason: str) -> bytes:
        return self._speech.farewell(self._protocol, code, reason)

    def _question(self) -> bytes:
        return self._speech.question(self._protocol)

    def _answer(self) -> None:
        answers, self._answers = self._answers, b""
        if answers and self._state is State.OPEN:
            self._transport.write(answers)

    # Private.

    def _owe(self, answer: bytes) -> None:
        """Write an answer, or keep it while the client has not taken what it was sent before."""
        if not answer:
            return
        self._answers += answer
        if not self._write_paused:
            self._answer()
        elif len(self._answers) > MOST_ANSWERS:
            self.abort(SLOW.reason("the client does not read the protocol's answers"))

    def _end_stream(self) -> None:
        if self._state is State.CLOSING:
            self._state = State.ENDING
            self._end_output()

    def _end_output(self) -> None:
        """Half of TLS cannot be ended, and no farewell makes the client end it: end it all."""
        if self._transport.can_write_eof():
            super()._end_output()
        else:
            self._transport.close()


class SecureStreamEdge(SecureEdge, StreamEdge):
    """The same over TLS; arguments as for `StreamEdge`."""

    __slots__ = ("_rest",)


class Stream(AcceptedProtocol):
    """Turns an accepted socket into a connection at once.

    Args:
        speech: What is spoken.
        context: What all connections share.
        origin: Where it was accepted.
        peer: The TCP peer.
    """

    __slots__ = ("_speech",)

    def __init__(self, speech: Speech, context: EdgeContext, origin: Origin, peer: Address) -> None:
        super().__init__(context, origin, peer)
        self._speech = speech

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand over; TLS, if there is any, stands."""
        stream = cast("asyncio.Transport", transport)  # uvloop's are not subclasses of it
        protocol = self._speech.begin()
        if protocol is None:
            stream.abort()
            return
        prepare(stream)
        made = SecureStreamEdge if is_secure(stream) else StreamEdge
        edge = made(self._context, stream, self._speech, protocol)
        host, port = self._peer
        request = ConnectRequest("", "", {}, host, port, self._origin.listener, websocket=False)
        self.hand_over(stream, edge, request)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  nothing to tell apart
        """Count a socket for which no protocol could be made."""
        self.failed("lost")


def speaking(speech: Speech) -> Speaks:
    """Return what a listener needs to let its clients speak so."""
    return partial(Stream, speech)


def keep_alive(listening: socket.socket, interval: float, timeout: float) -> None:
    """Let the kernel find clients that are gone without a word; what is accepted inherits it.

    Args:
        listening: The listening socket.
        interval: Seconds of silence after which it asks; 0 never asks.
        timeout: Seconds in which an answer must come; 0 leaves it to the kernel.
    """
    if not interval:
        return
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wanted = {"TCP_KEEPIDLE": interval}
    if timeout:
        wanted |= {
            "TCP_KEEPINTVL": timeout / _PROBES,
            "TCP_KEEPCNT": _PROBES,
            # The kernel asks nobody who has not taken what was sent; this counts for those.
            "TCP_USER_TIMEOUT": 1000 * (interval + timeout),
        }
    for name, value in wanted.items():
        option = getattr(socket, name, None)  # not every platform has all of them
        if option is not None:
            listening.setsockopt(socket.IPPROTO_TCP, option, max(1, round(value)))
