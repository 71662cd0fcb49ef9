"""What is spoken on a TCP listener: a protocol class, which may be anybody's and is not trusted to be right.

`Speech` makes the class's objects and calls them. Whatever one raises, or returns that it should not,
ends at most one connection or one message, and is told in the log with the class's name. Nothing of it
reaches the rest of the gateway. It is also the `Encoding` of all connections that speak so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway.edge.protocol import Protocol, ProtocolError
from gateway_process.importing import told
from gateway_wire.close_codes import (
    MAX_REASON_BYTES,
    MESSAGE_TOO_BIG,
    PROTOCOL_ERROR,
    CloseReason,
)

__all__ = ["FRAMING", "Heard", "Speech"]

FRAMING: Final = 64 * 1024
"""Bytes that may be kept besides a message of the largest size: what a protocol puts around it."""

_logger = logging.getLogger("gateway.edge")


@dataclass(slots=True)
class Heard:
    """What came of some bytes.

    Attributes:
        messages: The messages they completed, in order.
        failure: Why the connection must end after them; None if it goes on.
    """

    messages: list[str | bytes] = field(default_factory=list)
    failure: CloseReason | None = None


class Speech:
    """One protocol: makes and calls its objects, and encodes for all of its connections.

    Args:
        name: Name for logs, records and `Encoding.name`: `text`, or `module:Class`.
        protocol: The class. It need not derive from `Protocol`; what it leaves out is as there.
        max_message: Largest message in bytes, both ways.

    Raises:
        TypeError: The class lacks `feed` or `encode`, or cannot be made without arguments.
    """

    __slots__ = ("_encoder", "_protocol", "name")

    def __init__(self, name: str, protocol: type, max_message: int) -> None:
        bases = (protocol,) if issubclass(protocol, Protocol) else (protocol, Protocol)
        members = {"__slots__": (), "__module__": protocol.__module__, "max_message": max_message}
        self.name = name
        self._protocol: type[Protocol] = type(protocol.__name__, bases, members)
        self._encoder = self._protocol()

    def __repr__(self) -> str:
        return f"<Speech {self.name}>"

    def encode(self, message: str | bytes) -> bytes:
        """Return a message for all that speak so; `b""`, and a warning, if the protocol cannot."""
        return self._bytes(lambda: self._encoder.encode(message), "encode")

    def begin(self) -> Protocol | None:
        """Make the object of a new connection; None, and a warning, if that fails."""
        try:
            return self._protocol()
        except Exception as error:  # noqa: BLE001 - anybody's code
            self._warn("cannot be made", error)
            return None

    def hear(self, protocol: Protocol, data: bytes, unfinished: int) -> Heard:
        """Feed a connection's protocol.

        Args:
            protocol: The connection's.
            data: What came.
            unfinished: Bytes that it was fed since it gave a message.
        """
        heard = Heard()
        try:
            for message in protocol.feed(data):
                heard.messages.append(self._checked(message))
            buffered = protocol.buffered()
            if buffered is None:
                buffered = 0 if heard.messages else unfinished + len(data)
            if buffered > self._protocol.max_message + FRAMING:
                raise self._too_large(buffered)  # noqa: TRY301 - as if it had raised it itself
        except ProtocolError as error:
            heard.failure = error.reason
        except Exception as error:  # noqa: BLE001 - anybody's code
            self._warn("feed failed, which closes the connection (1002)", error)
            heard.failure = PROTOCOL_ERROR.reason(f"{self.name} failed"[:MAX_REASON_BYTES])
        return heard

    def answer(self, protocol: Protocol) -> bytes:
        """Return what a connection's protocol owes its client."""
        return self._bytes(protocol.answer, "answer")

    def question(self, protocol: Protocol) -> bytes:
        """Return what asks a client for a sign of life."""
        return self._bytes(protocol.ping, "ping")

    def farewell(self, protocol: Protocol, code: int, reason: str) -> bytes:
        """Return a client's last bytes."""
        return self._bytes(lambda: protocol.goodbye(code, reason), "goodbye")

    def _checked(self, message: object) -> str | bytes:
        if not isinstance(message, (str, bytes)):
            raise TypeError(f"feed gave {type(message).__name__}; give str for text, or bytes")
        size = len(message.encode()) if isinstance(message, str) else len(message)
        if size > self._protocol.max_message:
            raise self._too_large(size)
        return message

    def _too_large(self, size: int) -> ProtocolError:
        text = f"message of {size} bytes, the limit is {self._protocol.max_message}"
        return ProtocolError(text, MESSAGE_TOO_BIG.code)

    def _bytes(self, call: Callable[[], bytes], what: str) -> bytes:
        """Return the bytes that a method gives; none, and a warning, if it raises or gives others."""
        try:
            data = call()
            if isinstance(data, bytes):
                return data
            raise TypeError(f"{what} gave {type(data).__name__}; give bytes")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - anybody's code
            self._warn(f"{what} failed, nothing is sent", error)
            return b""

    def _warn(self, what: str, error: Exception) -> None:
        _logger.warning("protocol %s: %s: %s", self.name, what, told(error))
        _logger.debug("protocol %s", self.name, exc_info=error)
