"""One link to a PHP program, without input or output: who it is, what it asks, what waits for it.

It stands where :class:`gateway_wire.link.Link` stands for our own protocol
(:class:`gateway_wire.aio.link.LinkCore`), so that both are carried by the same shell and served by the same
executor, in the same turns and with the same bounds. Its commands are frames; what they mean is not known here.

A peer that has a key shows it first, in the frame of a client (202) or of a worker (200). Whatever breaks a
rule, here or where a frame is executed, ends the link: the protocol has no words for an error, and its clients
would wait five seconds for the answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from gateway.php.frames import MAX_FRAME, MAX_FRAME_BEFORE_PROOF, Command, Frame, FrameDecoder
from gateway_wire.commands import Error, Reply, ReplyPart, Role
from gateway_wire.errors import (
    AuthenticationFailed,
    ErrorCode,
    GatewayError,
    LocalProtocolError,
    RemoteProtocolError,
)
from gateway_wire.frames import Envelope
from gateway_wire.hello import Party
from gateway_wire.plain_key import check_plain_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    import gateway_wire.commands as ours

__all__ = ["PhpLink", "WorkerHello"]

ASKED: Final = 1
"""The request that every frame is: an answer is the one to the frame whose turn it is."""


@dataclass(slots=True)
class WorkerHello:
    """What a worker begins its link with: it takes events from here on.

    Attributes:
        key: Its name and number, `name:number`, which are its machine's own.
    """

    key: str


class PhpLink:
    """One side of one link to a PHP program (:class:`gateway_wire.aio.link.LinkCore`).

    Attributes:
        peer: The other side; None until it has shown the secret key, or said anything where there is none.
        failure: Why the link is over; None while it is not.
    """

    __slots__ = ("_closed", "_decoder", "_out", "_out_size", "_secret_key", "failure", "peer")

    def __init__(self, secret_key: str) -> None:
        """Make a link.

        Args:
            secret_key: The cluster's secret key, empty for none.
        """
        self.peer: Party | None = None
        self.failure: GatewayError | None = None
        self._secret_key = secret_key
        self._closed = False
        self._decoder = FrameDecoder(MAX_FRAME_BEFORE_PROOF) if secret_key else FrameDecoder()
        self._out: list[bytes] = []
        self._out_size = 0

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open" if self.peer else "new"
        return f"<PhpLink {state}>"

    @property
    def is_open(self) -> bool:
        """Whether commands may be sent."""
        return self.peer is not None and not self._closed

    @property
    def unsent(self) -> int:
        """Bytes queued that the shell has not yet carried away."""
        return self._out_size

    def receive_data(self, data: bytes) -> list[Envelope]:
        """Take bytes from the network; return the frames that ask or tell something.

        Never raises for what a peer sent: when the link is over afterwards, `failure` says why.
        """
        envelopes: list[Envelope] = []
        if self._closed:
            return envelopes
        decoder = self._decoder
        try:
            decoder.feed(data)
            while (frame := decoder.take()) is not None:
                command = self._received(frame)
                if command is not None:
                    envelopes.append(Envelope(cast("Any", command), ASKED, None))
        except (RemoteProtocolError, AuthenticationFailed) as error:
            self._fail(error)
        return envelopes

    def send(
        self,
        command: ours.Command,
        _request_id: int = 0,
        _options: Mapping[str, Any] | None = None,
    ) -> None:
        """Queue an answer, or end the link where one cannot be given.

        Args:
            command: A reply with the bytes of the answer, a part of them, or None where none is due; or
                an error.

        Raises:
            LocalProtocolError: If the link is not open.
        """
        if isinstance(command, Error):
            self._fail(RemoteProtocolError(command.text))
        elif isinstance(command, Reply | ReplyPart):
            self.send_frame(command.value or b"")

    def send_frame(self, frame: bytes) -> None:
        """Queue bytes that are encoded already.

        Raises:
            LocalProtocolError: If the link is not open.
        """
        if not self.is_open:
            raise LocalProtocolError("cannot send on a link that is not open")
        if frame:
            self._out.append(frame)
            self._out_size += len(frame)

    def data_to_send(self) -> bytes:
        """Return all bytes that are queued for the network, and forget them."""
        data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        self._out_size = 0
        return data

    def say_goodbye(self, _code: ErrorCode, _text: str) -> None:
        """Close our side; the protocol has no word for it."""
        self._closed = True

    def connection_lost(self) -> None:
        """Take note that the network is gone, and forget what was under way."""
        self._closed = True
        self.data_to_send()
        self._decoder = FrameDecoder()

    def _fail(self, error: GatewayError) -> None:
        self.failure = self.failure or error
        self._closed = True

    def _received(self, frame: Frame) -> Frame | WorkerHello | None:
        """Return what a frame is for the application, None for nothing."""
        command = frame.command
        if command in _INTRODUCTIONS:
            return self._introduced(frame)
        if self.peer is None:
            if self._secret_key:
                text = (
                    f"{frame.name} came before a secret key, which this gateway has: set $secretKey"
                )
                raise AuthenticationFailed(ErrorCode.KEY_MISSING, text)
            self.peer = _CLIENT
        return None if command == Command.PING else frame

    def _introduced(self, frame: Frame) -> WorkerHello | None:
        told = _json_object(frame)
        check_plain_key(self._secret_key, told.get("secret_key", ""), "gateway")
        self._decoder.limit = MAX_FRAME
        if frame.command != Command.WORKER_CONNECT:
            self.peer = self.peer or _CLIENT
            return None
        key = told.get("worker_key")
        if not isinstance(key, str):
            raise RemoteProtocolError(f"{frame.name} tells no worker_key")
        self.peer = _WORKER
        return WorkerHello(key)


_CLIENT: Final = Party(Role.CLIENT, "", "PHP")
_WORKER: Final = Party(Role.WORKER, "", "PHP")
_INTRODUCTIONS: Final = frozenset({Command.GATEWAY_CLIENT_CONNECT, Command.WORKER_CONNECT})


def _json_object(frame: Frame) -> dict[str, Any]:
    try:
        told = json.loads(frame.body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise RemoteProtocolError(f"the body of {frame.name} is no JSON object")
    return told
