"""Own TCP protocols: what somebody writes so that their devices can speak to a gateway.

A protocol is a small class without I/O: bytes in, messages out, and the other way round. It is named as a
listener, `--listen module:Class://0.0.0.0:7280`, and one object of it is made for each connection, without
arguments. It must be quick and may not block: it runs on the gateway's loop. docs/edges.md is the guide.

`text` and `frame` are two of them. Whoever writes one imports it as `from gateway import Protocol`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from gateway_wire.close_codes import PROTOCOL_ERROR, sent_reason
from gateway_wire.limits import DEFAULT_MAX_MESSAGE

__all__ = ["Protocol", "ProtocolError"]


class ProtocolError(Exception):
    """Raised by `Protocol.feed` when the client broke a rule: its connection is closed with this.

    What `feed` gave before stays valid if it is a generator.

    Args:
        text: What was wrong, at most 123 bytes; for logs and the reason that `on_close` gets.
        code: 1002 unless told; 1007 for text that is not UTF-8, 1009 for a message that is too large,
            4000-4999 for what the protocol's author wants to tell apart.

    Raises:
        ValueError: Such a code cannot close a connection, or the text is too long.
    """

    def __init__(self, text: str, code: int = PROTOCOL_ERROR.code) -> None:
        super().__init__(text)
        self.reason = sent_reason(code, text)


class Protocol(ABC):
    """How one kind of client speaks; `feed` and `encode` are enough.

    Attributes:
        max_message: The gateway's `--max-message`, in bytes. A message beyond it closes the connection
            with 1009 when `feed` gives it; a protocol that knows a length in advance refuses it at once.
    """

    __slots__ = ()

    max_message: ClassVar[int] = DEFAULT_MAX_MESSAGE

    @abstractmethod
    def feed(self, data: bytes) -> Iterable[str | bytes]:
        """Take bytes that the client sent, and return the messages that they complete.

        They come in any pieces: half a message, three and a half. What is incomplete is the protocol's to
        keep, see `buffered`.

        Args:
            data: At most some kilobytes; a longer read is fed in pieces.

        Returns:
            Messages in order, `str` for text and `bytes` for binary: what `on_message` gets.

        Raises:
            ProtocolError: The client broke a rule; its connection is closed with the error's code. Any
                other exception closes it with 1002, with a warning in the log that names the class.
        """

    @abstractmethod
    def encode(self, message: str | bytes) -> bytes:
        """Return one message to clients as they read it.

        It is called once for a broadcast, whoever gets it, and on an object of its own: `self` is no
        client's. Results may be joined and sent together.

        Args:
            message: `str` is text, `bytes` binary; JSON comes as text.

        Returns:
            The bytes; `b""` where these clients get nothing.
        """

    def buffered(self) -> int | None:
        """Return how many bytes of an unfinished message are kept; None if that is not known.

        A connection for which more than `max_message` and 64 KiB are kept is closed with 1009. Where it is
        not known, what was fed since `feed` gave the last message counts as kept. So a protocol
        that may go without messages for long, because it takes heartbeats and answers them itself,
        overrides this.
        """
        return None

    def answer(self) -> bytes:
        """Return what the protocol itself owes the client, and owe it no more; asked after each `feed`.

        Such as the answer to its heartbeat. A client that does not read its answers is cut (3000).
        """
        return b""

    def ping(self) -> bytes:
        """Return what makes the client send something, whatever it is; `b""` if nothing does.

        Asked each `--ping-interval`. Whoever then is silent for `--ping-timeout` is given up (3001).
        Without it TCP keepalive finds clients that are gone, in the same time.
        """
        return b""

    def goodbye(self, code: int, reason: str) -> bytes:
        """Return the client's last bytes, `b""` for none; then its stream is ended.

        Args:
            code: Why, from the catalogue of close codes.
            reason: Text for the client; may be empty.
        """
        del code, reason
        return b""
