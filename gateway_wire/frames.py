"""Frames: how commands become bytes and bytes become commands.

A frame is a 32-bit big-endian length and a msgpack body ``[code, request_id, options,
fields...]``. ``request_id`` 0 asks for no reply; ``options`` is a map or nil, of which unknown keys
are ignored (``id``, ``ttl``, ``trace``, ``receipt`` and ``conflate`` are reserved).

Three errors, three consequences: bytes that are no frame end the link
(:class:`~gateway_wire.errors.RemoteProtocolError`); a command that is unknown or has wrong fields
costs that one command (:class:`BadCommand` in its place); a frame that is too large ends the link, since
what follows it could not be found.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgpack

from gateway_wire.commands import COMMANDS, Command, CommandError
from gateway_wire.errors import ErrorCode, MessageTooLarge, RemoteProtocolError
from gateway_wire.limits import MAX_FRAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


__all__ = [
    "BadCommand",
    "Envelope",
    "FrameDecoder",
    "decode_body",
    "encode_frame",
    "encode_packed",
    "pack_field",
    "pack_fields",
]

_LENGTH: Final = Struct(">I")
_PREFIX: Final = _LENGTH.size
_HEAD: Final = 3  # code, request_id, options

_packer: Final = msgpack.Packer(autoreset=True, use_bin_type=True)
# One packer serves all threads: pack holds the GIL throughout, since the plain values that
# commands hold make it call no Python code. Reusing it halves the cost of a command.
_pack: Final = _packer.pack


class Envelope(NamedTuple):
    """A command as it travels: with the request it belongs to, and its options."""

    command: Command | BadCommand
    request_id: int
    options: Mapping[str, Any] | None


@dataclass(slots=True)
class BadCommand:
    """Stands where a command could not be built; the link goes on.

    Attributes:
        code: The code that arrived.
        error: Why it could not be built.
    """

    code: int
    error: CommandError


def encode_frame(
    command: Command, request_id: int = 0, options: Mapping[str, Any] | None = None
) -> bytes:
    """Encode one command as a frame.

    Raises:
        MessageTooLarge: If the frame would be larger than a frame may be.
        ValueError: If a text holds lone surrogates, which UTF-8 cannot carry.
        TypeError: If a field holds a value that msgpack cannot carry.
    """
    try:
        body: bytes = _pack((command.code, request_id, options, *command.to_fields()))
    except OverflowError as error:
        msg = f"{command.wire_name} holds an integer of more than 64 bits"
        raise ValueError(msg) from error
    size = len(body)
    if size > MAX_FRAME:
        raise MessageTooLarge(
            f"{command.wire_name} command", size, MAX_FRAME, "send it in several calls"
        )
    return _LENGTH.pack(size) + body


def pack_field(value: object) -> bytes:
    """Pack the value of a field, for whoever keeps it or sends it more than once.

    Raises:
        ValueError: If a text holds lone surrogates, or an integer has more than 64 bits.
        TypeError: If it holds a value that msgpack cannot carry.
    """
    try:
        packed: bytes = _pack(value)
    except OverflowError as error:
        raise ValueError("an integer has more than 64 bits") from error
    return packed


def pack_fields(*values: object) -> bytes:
    """Pack the values of up to 15 fields that follow each other, faster than one by one.

    Raises:
        ValueError: If a text holds lone surrogates, or an integer has more than 64 bits.
        TypeError: If one holds a value that msgpack cannot carry.
    """
    return pack_field(values)[1:]  # without the head of the array, which is one byte up to 15


def encode_packed(kind: type[Command], fields: Sequence[bytes]) -> bytes:
    """Encode a command whose fields are packed, all of them, as `encode_frame` does with request id 0.

    Each of `fields` holds one or several (`pack_fields`).

    Raises:
        MessageTooLarge: If the frame would be larger than a frame may be.
    """
    body = b"".join((_packed_head(kind.code, kind.field_count), *fields))
    size = len(body)
    if size > MAX_FRAME:
        raise MessageTooLarge(
            f"{kind.wire_name} command", size, MAX_FRAME, "send it in several calls"
        )
    return _LENGTH.pack(size) + body


@cache
def _packed_head(code: int, fields: int) -> bytes:
    """Return what stands before the fields of a command that asks for no reply."""
    header: bytes = msgpack.Packer().pack_array_header(_HEAD + fields)
    return header + pack_field(code) + pack_field(0) + pack_field(None)


def decode_body(body: bytes) -> Envelope:
    """Decode the body of one frame.

    Raises:
        RemoteProtocolError: If it is not msgpack of the right shape.
    """
    try:
        frame = msgpack.unpackb(body, strict_map_key=False, ext_hook=_refuse_extension)
    except (ValueError, TypeError, msgpack.UnpackException) as error:  # TypeError: a list as key
        raise RemoteProtocolError(f"a frame is not msgpack: {error}") from error
    if type(frame) is not list or len(frame) < _HEAD:
        raise RemoteProtocolError("a frame is not an array [code, request_id, options, ...]")
    code, request_id, options, *values = frame
    if type(code) is not int or type(request_id) is not int or request_id < 0:
        raise RemoteProtocolError("a frame does not begin with a command code and a request id")
    if options is not None and type(options) is not dict:
        raise RemoteProtocolError("the options of a frame are neither a map nor nil")
    known = COMMANDS.get(code)
    if known is None:
        unknown = CommandError(ErrorCode.UNSUPPORTED, f"command {code} is unknown here")
        return Envelope(BadCommand(code, unknown), request_id, options)
    try:
        return Envelope(known.from_fields(values), request_id, options)
    except CommandError as error:
        return Envelope(BadCommand(code, error), request_id, options)


def _refuse_extension(code: int, _: bytes) -> Any:
    msg = f"msgpack extension type {code} is not part of this protocol"
    raise ValueError(msg)


class FrameDecoder:
    """Finds frame bodies in a stream of bytes, however it is cut.

    Whole frames that arrive in one piece are sliced out without a copy of the rest. What a frame
    still lacks is collected in pieces and joined once, so that a 4 MiB frame that trickles in costs
    linear time.

    Attributes:
        limit: Bytes a body may have from now on; the link raises it when the hello is finished.
    """

    __slots__ = ("_have", "_need", "_pieces", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._pieces: list[bytes] = []
        self._have = 0
        self._need = 0

    def __repr__(self) -> str:
        return f"<FrameDecoder holding {self._have} bytes>"

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes from the network and give the bodies that they complete, one after another.

        The limit is looked at anew for each frame: the frame that finishes the hello may be followed
        in the same piece by one that only an open link may carry.

        Raises:
            RemoteProtocolError: If a frame is announced that is larger than ``limit``.
        """
        if self._pieces:
            self._pieces.append(data)
            self._have += len(data)
            if self._have < self._need:
                return
            data = b"".join(self._pieces)
            self._pieces.clear()
        position, end, need = 0, len(data), _PREFIX
        while end - position >= _PREFIX:
            (size,) = _LENGTH.unpack_from(data, position)
            if size > self.limit:
                self._refuse(data, position, size)
            need = _PREFIX + size
            if end - position < need:
                break
            yield data[position + _PREFIX : position + need]
            position += need
            need = _PREFIX
        if position < end:
            self._pieces.append(data[position:] if position else data)
        self._have = end - position
        self._need = need

    def _refuse(self, data: bytes, position: int, size: int) -> None:
        start = bytes(data[position : position + 16])
        msg = f"a frame of {size:,} bytes was announced, the limit is {self.limit:,}"
        if start[:4].isascii() and start[:4].decode().isprintable():
            msg += f" (the bytes {start!r} look like another protocol on this port)"
        raise RemoteProtocolError(msg)
