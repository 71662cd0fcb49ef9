"""RFC 6455 frames, server side, without I/O: bytes in, events out; messages in, bytes out.

`MessageReader.feed` takes whatever the network brought and returns what it
completed: whole messages as plain `str` and `bytes`, control frames as small
values, and a `Violation` where the stream broke a rule. After a `Violation` or
a `Close` the reader is finished and ignores everything. It never raises.

Nothing is kept between two calls unless a frame or a fragmented message is
under way, so an idle connection owns no buffer. What may be kept is bounded:
lengths are announced before payloads, and a message whose frames announce more
than `max_message` is refused before its bytes are stored.

Sections of RFC 6455 are named where a rule comes from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING, Final, TypeAlias

from gateway_wire.close_codes import (
    INVALID_TEXT,
    MESSAGE_TOO_BIG,
    NO_STATUS,
    PROTOCOL_ERROR,
    CloseReason,
    is_wire_code,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BINARY",
    "CONTROL",
    "OPCODE",
    "PING_FRAME",
    "TEXT",
    "WEBSOCKET",
    "BrokenRuleError",
    "Close",
    "Event",
    "MessageReader",
    "Ping",
    "Pong",
    "Violation",
    "WebSocketEncoding",
    "close_frame",
    "header",
    "pong_frame",
    "unmask",
]

_CONTINUATION: Final = 0x0
TEXT: Final = 0x1
"""Opcode of a text message's first frame."""
BINARY: Final = 0x2
"""Opcode of a binary message's first frame."""
_CLOSE: Final = 0x8
_PING: Final = 0x9
_PONG: Final = 0xA
_OPCODES: Final = frozenset({_CONTINUATION, TEXT, BINARY, _CLOSE, _PING, _PONG})

_FIN: Final = 0x80
_RSV: Final = 0x70
OPCODE: Final = 0x0F
"""Where the opcode stands in a frame's first byte."""
_MASKED: Final = 0x80
_LENGTH: Final = 0x7F
CONTROL: Final = 0x08
"""Opcodes with this bit are control frames (5.5)."""
_WHOLE_TEXT: Final = _FIN | TEXT
"""First byte of nearly every frame that browsers send: a text in one frame. It takes the short way."""

_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_MAX_CONTROL: Final = 125
"""Longest payload of a control frame (5.5)."""

_SHORT_HEADER: Final = 2
_MASK: Final = 4
_MAX_LENGTH: Final = 2**63
"""The most significant bit of a 64-bit length must be 0 (5.2)."""

_TRANSLATE_FROM: Final = 8192
"""Above this many bytes four table look-ups unmask faster than one long integer: 1.9 ms instead
of 4.4 for 1 MiB, and the other way round 0.8 µs instead of 1.7 for 128 bytes."""

_from_bytes: Final = int.from_bytes
_U16: Final = Struct("!H")
_U64: Final = Struct("!Q")
_XOR_TABLES: Final = tuple(bytes(byte ^ key for byte in range(256)) for key in range(256))
_NOTHING: Final[tuple[Event, ...]] = ()


@dataclass(frozen=True, slots=True)
class Ping:
    """A Ping arrived; a Pong with the same payload is due (5.5.2)."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """A Pong arrived, asked for or not (5.5.3)."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """A Close arrived; `code` is 1005 if it carried none (5.5.1)."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Violation:
    """The peer broke a rule; the connection must fail with this reason (7.1.7)."""

    reason: CloseReason


Event: TypeAlias = str | bytes | Ping | Pong | Close | Violation
"""What `MessageReader.feed` returns; a `str` or `bytes` is a whole message."""


class BrokenRuleError(Exception):
    """Ends the parsing inside a reader; never leaves one."""

    def __init__(self, reason: CloseReason) -> None:
        super().__init__(reason)
        self.reason = reason


class MessageReader:
    """Turns the bytes that one client sends into messages and control frames.

    Args:
        max_message: Largest message accepted, in bytes of payload before decoding.
    """

    __slots__ = ("_finished", "_fragments", "_is_text", "_max_message", "_needed", "_partial")

    def __init__(self, max_message: int) -> None:
        self._max_message = max_message
        # The incomplete frame at the end of what was read, None between frames.
        self._partial: bytearray | None = None
        # How long `_partial` must become before parsing makes sense again.
        self._needed = 0
        # Payload of the fragmented message under way, None between messages.
        self._fragments: bytearray | None = None
        self._is_text = False
        self._finished = False

    def __repr__(self) -> str:
        partial, fragments = len(self._partial or b""), len(self._fragments or b"")
        return f"<MessageReader partial={partial} fragments={fragments} finished={self._finished}>"

    def record(self) -> dict[str, bytes | bool | None]:
        """Return what is kept between two calls as plain values."""
        return {
            "partial": None if self._partial is None else bytes(self._partial),
            "fragments": None if self._fragments is None else bytes(self._fragments),
            "fragments_are_text": self._is_text,
        }

    def feed(self, data: bytes) -> Sequence[Event]:
        """Take bytes from the network and return what they completed, in order.

        A `Violation` or `Close` is always the last event; afterwards nothing is returned.
        """
        if self._finished:
            return _NOTHING
        if self._partial is not None:
            self._partial += data
            if len(self._partial) < self._needed:
                return _NOTHING
            data = bytes(self._partial)
            self._partial = None
        events: list[Event] = []
        try:
            self._parse(data, events)
        except BrokenRuleError as broken:
            self._finish()
            events.append(Violation(broken.reason))
        return events

    def _parse(self, data: bytes, events: list[Event]) -> None:
        """Append the events of every whole frame in `data` and keep the rest."""
        start, size = 0, len(data)
        while start < size and not self._finished:
            payload, end = self._frame_bounds(data, start)
            if end > size:
                self._partial = bytearray(data[start:]) if start else bytearray(data)
                self._needed = end - start
                return
            first, clear = data[start], unmask(data[payload:end], data[payload - _MASK : payload])
            if first == _WHOLE_TEXT:
                events.append(_text(clear))
            elif (event := self._frame(first, clear)) is not None:
                events.append(event)
            start = end

    def _frame_bounds(self, data: bytes, start: int) -> tuple[int, int]:
        """Return where the payload of the frame at `start` begins and ends.

        While the header is not there yet, the end is as far as must be read to know more.
        """
        available = len(data) - start
        if available < _SHORT_HEADER:
            return start, start + _SHORT_HEADER
        first, second = data[start], data[start + 1]
        if first != _WHOLE_TEXT or self._fragments is not None:
            self._check_first_byte(first)
        if not second & _MASKED:
            raise BrokenRuleError(PROTOCOL_ERROR.reason("a client must mask its frames"))
        length = second & _LENGTH
        if length > _MAX_CONTROL:
            return self._long_frame_bounds(data, start, length)
        if not first & CONTROL:
            self._check_size(length)
        payload = start + _SHORT_HEADER + _MASK
        return payload, payload + length

    def _long_frame_bounds(self, data: bytes, start: int, marker: int) -> tuple[int, int]:
        """Return the same for a frame whose length stands behind its first two bytes."""
        if data[start] & CONTROL:
            raise BrokenRuleError(PROTOCOL_ERROR.reason("control frame above 125 bytes"))
        header = _SHORT_HEADER + (_U16.size if marker == _LENGTH_16 else _U64.size)
        payload = start + header + _MASK
        if len(data) - start < header:
            return payload, start + header
        length = self._extended_length(data, start + _SHORT_HEADER, header - _SHORT_HEADER)
        self._check_size(length)
        return payload, payload + length

    def _check_first_byte(self, first: int) -> None:
        opcode = first & OPCODE
        if first & _RSV:
            raise BrokenRuleError(PROTOCOL_ERROR.reason("reserved bits without an extension"))
        if opcode not in _OPCODES:
            raise BrokenRuleError(PROTOCOL_ERROR.reason(f"unknown opcode {opcode}"))
        if opcode & CONTROL:
            if not first & _FIN:
                raise BrokenRuleError(PROTOCOL_ERROR.reason("fragmented control frame"))
        elif opcode == _CONTINUATION:
            if self._fragments is None:
                raise BrokenRuleError(PROTOCOL_ERROR.reason("continuation of no message"))
        elif self._fragments is not None:
            raise BrokenRuleError(PROTOCOL_ERROR.reason("new message inside a fragmented one"))

    @staticmethod
    def _extended_length(data: bytes, at: int, width: int) -> int:
        length: int = (_U16 if width == _U16.size else _U64).unpack_from(data, at)[0]
        shortest = _LENGTH_16 if width == _U16.size else 1 << 16
        if length < shortest or length >= _MAX_LENGTH:
            raise BrokenRuleError(PROTOCOL_ERROR.reason("malformed frame length"))
        return length

    def _check_size(self, length: int) -> None:
        total = length + (len(self._fragments) if self._fragments is not None else 0)
        if total > self._max_message:
            text = f"message of {total} bytes, the limit is {self._max_message}"
            raise BrokenRuleError(MESSAGE_TOO_BIG.reason(text))

    def _frame(self, first: int, payload: bytes) -> Event | None:
        """Return what one whole frame completes; its header was checked."""
        opcode = first & OPCODE
        if opcode & CONTROL:
            return self._control(opcode, payload)
        if opcode != _CONTINUATION:
            if first & _FIN:
                return self._message(payload, is_text=opcode == TEXT)
            self._is_text = opcode == TEXT
            self._fragments = bytearray(payload)
            return None
        return self._continuation(payload, last=bool(first & _FIN))

    def _continuation(self, payload: bytes, *, last: bool) -> str | bytes | None:
        fragments = self._fragments
        if fragments is None:
            raise AssertionError("the header check lets no continuation through without a message")
        fragments += payload
        if not last:
            return None
        self._fragments = None
        return self._message(fragments, is_text=self._is_text)

    def _message(self, payload: bytes | bytearray, *, is_text: bool) -> str | bytes:
        """Return the message whose payload this is; nearly every one takes the short way instead."""
        return _text(payload) if is_text else bytes(payload)

    def _control(self, opcode: int, payload: bytes) -> Event:
        if opcode == _PING:
            return Ping(payload)
        if opcode == _PONG:
            return Pong(payload)
        self._finish()
        return _close(payload)

    def _finish(self) -> None:
        """Forget everything; what still arrives means nothing any more."""
        self._finished = True
        self._partial = self._fragments = None


def _text(payload: bytes | bytearray) -> str:
    try:
        return str(payload, "utf-8")
    except UnicodeDecodeError as error:
        text = f"text is not UTF-8 at byte {error.start}"
        raise BrokenRuleError(INVALID_TEXT.reason(text)) from error


def _close(payload: bytes) -> Close:
    """Parse a Close frame's payload (5.5.1, 7.4)."""
    if not payload:
        return Close(NO_STATUS.code, "")
    if len(payload) < _U16.size:
        raise BrokenRuleError(PROTOCOL_ERROR.reason("close code of one byte"))
    code: int = _U16.unpack_from(payload)[0]
    if not is_wire_code(code):
        raise BrokenRuleError(PROTOCOL_ERROR.reason(f"close code {code} may not be sent"))
    return Close(code, _text(payload[_U16.size :]))


def unmask(payload: bytes, key: bytes) -> bytes:
    """Return `payload` XORed with the repeated four bytes of `key` (5.3)."""
    size = len(payload)
    if size > _TRANSLATE_FROM:
        return _unmask_long(payload, key)
    repeated = (key * ((size + 3) >> 2))[:size]
    number = _from_bytes(payload, "little") ^ _from_bytes(repeated, "little")
    return number.to_bytes(size, "little")


def _unmask_long(payload: bytes, key: bytes) -> bytes:
    clear = bytearray(len(payload))
    for offset, byte in enumerate(key):
        clear[offset::_MASK] = payload[offset::_MASK].translate(_XOR_TABLES[byte])
    return bytes(clear)


def header(opcode: int, size: int) -> bytes:
    """Return the header of an unmasked, unfragmented frame of `size` bytes.

    Args:
        opcode: The opcode, with the reserved bits that an extension sets.
        size: Bytes of payload.
    """
    first = _FIN | opcode
    if size < _LENGTH_16:
        return bytes((first, size))
    if size < 1 << 16:
        return bytes((first, _LENGTH_16)) + _U16.pack(size)
    return bytes((first, _LENGTH_64)) + _U64.pack(size)


class WebSocketEncoding:
    """Messages as unfragmented, uncompressed websocket frames."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Name for logs, metrics and records."""
        return "websocket"

    def __repr__(self) -> str:
        return "<WebSocketEncoding>"

    def encode(self, message: str | bytes) -> bytes:
        """Return one whole message as a frame: text for `str`, binary for `bytes`.

        Raises:
            UnicodeEncodeError: The text holds a lone surrogate, which UTF-8 cannot carry.
        """
        if isinstance(message, str):
            payload = message.encode()
            return header(TEXT, len(payload)) + payload
        return header(BINARY, len(message)) + message


WEBSOCKET: Final = WebSocketEncoding()
"""The encoding of every plain websocket connection."""

PING_FRAME: Final = header(_PING, 0)
"""An empty Ping."""


def close_frame(code: int, reason: str = "") -> bytes:
    """Return a Close frame; 1005 becomes a frame without a code."""
    payload = b"" if code == NO_STATUS.code else _U16.pack(code) + reason.encode()
    return header(_CLOSE, len(payload)) + payload


def pong_frame(payload: bytes) -> bytes:
    """Return the Pong that answers a Ping with `payload`."""
    return header(_PONG, len(payload)) + payload
