"""Messages compressed one by one: permessage-deflate (RFC 7692), without I/O.

`negotiate` answers what a client offers. `DeflateEncoding` compresses what is sent, `DeflateReader` and
`inflate` undo what clients compressed.

Both sides go without context takeover: no message refers to one before it. So a connection owns no
compressor (256 KiB) and no decompressor (40 KiB), and a broadcast is compressed once, whoever gets it:
all connections share one encoding, and the process has one compressor. A client's bytes get a fresh
decompressor each time, for one that was used before would let them quote what another client sent.

What a client sends may be a bomb: a thousand times larger than it looks. Inflating stops one byte
beyond the limit.

Sections of RFC 7692 are named where a rule comes from them.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.edge.codec import BINARY, CONTROL, OPCODE, TEXT, BrokenRuleError, MessageReader, header
from gateway_wire.close_codes import LIMIT, MESSAGE_TOO_BIG, PROTOCOL_ERROR

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "COMPRESS_FROM",
    "MAX_FINAL_BLOCKS",
    "DeflateCounters",
    "DeflateEncoding",
    "DeflateReader",
    "inflate",
    "negotiate",
]

COMPRESS_FROM: Final = 256
"""Smallest payload, in bytes, that is compressed. One of JSON then shrinks by a third, which still fits
the same packet; below, the answer costs more than it saves."""

LEVEL: Final = 4
"""zlib's level. A JSON of 1 KB becomes as small as with 9; one of 20 KB takes two thirds of the time of
level 6, the default, and is 8 % larger; docs/decisions/deflate.md has the table."""

MEMORY: Final = 8
"""zlib's memLevel: the default. Less saves memory once per process, more gains nothing."""

MAX_FINAL_BLOCKS: Final = 64
"""Blocks with BFINAL that one message may have. Each costs a decompressor and a copy of what follows it;
whoever sends such blocks (7.2.3.4) sends one a message or one a fragment."""

_WINDOW: Final = 15
_RAW: Final = -_WINDOW
"""wbits of zlib for the largest window, without header and checksum."""

_RSV1: Final = 0x40
"""Marks the first frame of a compressed message (6)."""
_TAIL: Final = b"\x00\x00\xff\xff"
"""End of an empty block without compression, which senders leave out (7.2.1)."""
_LAST: Final = b"\x03\x00"
"""An empty final block: where the decompressor does not end here, data is missing."""
_END: Final = _TAIL + _LAST

_WORD: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_PARAMETER: Final = re.compile(
    rf"""[ \t]*+;[ \t]*+({_WORD})(?:[ \t]*+=[ \t]*+(?:({_WORD})|"((?:[^"\\]|\\.)*)"))?"""
)
"""Name and value, as a token or quoted (RFC 6455 9.1)."""
_EXTENSION: Final = re.compile(rf"[ \t,]*+(?:({_WORD})((?:{_PARAMETER.pattern})*))?[ \t]*+(?:,|$)")
"""One element of the list, name and parameters, with empty ones before it."""

_NAME: Final = "permessage-deflate"
_ANSWER: Final = f"{_NAME}; server_no_context_takeover; client_no_context_takeover"
_OUR_WINDOW: Final = "server_max_window_bits"
_WINDOWS: Final = tuple(str(bits) for bits in range(8, _WINDOW + 1))
_ACCEPTED: Final[dict[str, tuple[str | None, ...]]] = {
    "server_no_context_takeover": (None,),
    "client_no_context_takeover": (None,),
    _OUR_WINDOW: (str(_WINDOW),),
    "client_max_window_bits": (None, *_WINDOWS),
}
"""The parameters of an offer and which values of each are accepted (7.1). A smaller window of ours
would be another compression of each broadcast; a smaller one of theirs needs nothing of us."""


def negotiate(offers: str) -> str | None:
    """Return the extension to answer with, None for none.

    Args:
        offers: Value of `Sec-WebSocket-Extensions`; of a repeated header joined by `, `. What breaks
            the grammar offers nothing.
    """
    answers: list[str] = []
    at = 0
    while at < len(offers):
        extension = _EXTENSION.match(offers, at)
        if extension is None:
            return None
        name, parameters = extension.group(1, 2)
        if name == _NAME and (answer := _answer(_PARAMETER.finditer(parameters))) is not None:
            answers.append(answer)
        at = extension.end()
    return answers[0] if answers else None


def _answer(parameters: Iterator[re.Match[str]]) -> str | None:
    """Return the answer to one offer, None if it is declined."""
    asked: set[str] = set()
    for parameter in parameters:
        name, value, quoted = parameter.groups()
        if quoted is not None:
            value = re.sub(r"\\(.)", r"\1", quoted)
        if name in asked or value not in _ACCEPTED.get(name, ()):
            return None
        asked.add(name)
    # Who names our window must be told it (7.1.2.1).
    return f"{_ANSWER}; {_OUR_WINDOW}={_WINDOW}" if _OUR_WINDOW in asked else _ANSWER


@dataclass(slots=True)
class DeflateCounters:
    """What was compressed, as plain numbers that a collector reads.

    Attributes:
        compressions: Messages compressed, each once for all connections that get it.
        bytes_before: Their payload.
        bytes_after: What is sent in its place; as much, where compressing gained nothing.
    """

    compressions: int = 0
    bytes_before: int = 0
    bytes_after: int = 0


class DeflateEncoding:
    """Messages as websocket frames, compressed where that makes them smaller.

    One object for all connections that agreed to it. Its compressor is made with the first message
    that needs it.

    Attributes:
        counters: What was done so far.
    """

    __slots__ = ("_compressor", "counters")

    def __init__(self) -> None:
        self.counters = DeflateCounters()
        self._compressor: zlib._Compress | None = None

    @property
    def name(self) -> str:
        """Name for logs, metrics and records."""
        return "websocket+deflate"

    def __repr__(self) -> str:
        return f"<DeflateEncoding {self.counters}>"

    def encode(self, message: str | bytes) -> bytes:
        """Return one whole message as a frame: text for `str`, binary for `bytes`.

        Raises:
            UnicodeEncodeError: The text holds a lone surrogate, which UTF-8 cannot carry.
        """
        if isinstance(message, str):
            opcode, payload = TEXT, message.encode()
        else:
            opcode, payload = BINARY, message
        if len(payload) >= COMPRESS_FROM:
            compressed = self._compressed(payload)
            if compressed is not payload:
                opcode, payload = _RSV1 | opcode, compressed
        return header(opcode, len(payload)) + payload

    def _compressed(self, payload: bytes) -> bytes:
        """Return the payload compressed, or itself if that is no larger."""
        compressor = self._compressor
        if compressor is None:
            compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, _RAW, MEMORY)
            self._compressor = compressor
        # A full flush makes the compressor forget, so that nothing refers to a message before.
        data = compressor.compress(payload) + compressor.flush(zlib.Z_FULL_FLUSH)
        compressed = data[: -len(_TAIL)]
        if len(compressed) >= len(payload):
            compressed = payload
        counters = self.counters
        counters.compressions += 1
        counters.bytes_before += len(payload)
        counters.bytes_after += len(compressed)
        return compressed


class DeflateReader(MessageReader):
    """A `MessageReader` for a client that may compress."""

    __slots__ = ("_compressed",)

    def __init__(self, max_message: int) -> None:
        super().__init__(max_message)
        # Whether the message under way is compressed: that of the frame that is looked at, or whose
        # fragments are kept.
        self._compressed = False

    def record(self) -> dict[str, bytes | bool | None]:
        """Return what is kept between two calls as plain values."""
        return {**super().record(), "fragments_are_compressed": self._compressed}

    def _frame_bounds(self, data: bytes, start: int) -> tuple[int, int]:
        first = data[start]
        if first & OPCODE and not first & CONTROL:  # it begins a message
            self._compressed = bool(first & _RSV1)
        return super()._frame_bounds(data, start)

    def _check_first_byte(self, first: int) -> None:
        if first & OPCODE in {TEXT, BINARY}:
            first &= ~_RSV1
        super()._check_first_byte(first)

    def _check_size(self, length: int) -> None:
        if not self._compressed:
            super()._check_size(length)
            return
        total = length + len(self._fragments or b"")
        if total > _longest(self._max_message):
            text = f"compressed message of {total} bytes, the limit is {self._max_message}"
            raise BrokenRuleError(MESSAGE_TOO_BIG.reason(text))

    def _message(self, payload: bytes | bytearray, *, is_text: bool) -> str | bytes:
        if self._compressed:
            payload = inflate(payload, self._max_message)
        return super()._message(payload, is_text=is_text)


def _longest(size: int) -> int:
    """Return how long `size` bytes may become that were compressed badly.

    Nine bits for each byte is the worst that a sender gets who never stores what does not shrink.
    """
    return size + (size >> 3) + 64


def inflate(payload: bytes | bytearray, limit: int) -> bytes:
    """Return what a client compressed.

    Senders that do not leave out the end of the last block are understood, too, and so are those
    that send nothing for nothing.

    Args:
        payload: The payload of all frames of one message.
        limit: Most bytes that may come out.

    Raises:
        BrokenRuleError: More than `limit` bytes come out, the data is broken or ends early, or it has
            more than `MAX_FINAL_BLOCKS`.
    """
    # What was compressed rightly never ends in 0xff: its last bits begin a block (7.2.1).
    data: bytes | bytearray = payload + (_LAST if payload[-4:] in (b"", _TAIL) else _END)
    pieces: list[bytes] = []
    room = limit
    for _ in range(MAX_FINAL_BLOCKS + 1):  # the last one is ours
        piece, data = _inflate_blocks(data, room)
        pieces.append(piece)
        room -= len(piece)
        if room < 0:
            text = f"message of more than {limit} bytes when inflated"
            raise BrokenRuleError(MESSAGE_TOO_BIG.reason(text))
        if data in (b"", _END):
            return b"".join(pieces)
    text = f"more than {MAX_FINAL_BLOCKS} final blocks in a compressed message"
    raise BrokenRuleError(LIMIT.reason(text))


def _inflate_blocks(data: bytes | bytearray, room: int) -> tuple[bytes, bytes]:
    """Return what comes out up to the next final block, and what follows that.

    At most one byte more than `room` comes out: then there is too much.
    """
    decoder = zlib.decompressobj(_RAW)
    try:
        piece = decoder.decompress(data, room + 1)
    except zlib.error as error:
        raise BrokenRuleError(PROTOCOL_ERROR.reason(f"broken compression: {error}")) from error
    if not decoder.eof and len(piece) <= room:
        raise BrokenRuleError(PROTOCOL_ERROR.reason("compressed data ends early"))
    return piece, decoder.unused_data
