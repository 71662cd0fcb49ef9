"""Frames of GatewayWorker's internal protocol: their head, and where one ends in a stream of bytes.

A frame is a head of 28 bytes, big-endian, then `ext`, then `body`::

     0  length         4 bytes, of the whole frame      15  client_port    2
     4  command        1, see `Command`                 17  connection_id  4
     5  local_ip       4                                21  flags          1, see `SCALAR` and `RAW`
     9  local_port     2                                22  gateway_port   2
    11  client_ip      4                                24  ext_length     4

An answer has no head: four bytes with the length of what follows, which is one serialized value.

Nothing is decoded here but the head; what a frame means is said by those who take it. One that breaks a
rule ends the link, since what follows it could not be found.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Final

from gateway_wire.errors import RemoteProtocolError

__all__ = [
    "HEAD_LENGTH",
    "MAX_FRAME",
    "MAX_FRAME_BEFORE_PROOF",
    "RAW",
    "SCALAR",
    "Command",
    "Frame",
    "FrameDecoder",
    "answer_head",
]

MAX_FRAME: Final = 10 * 1024 * 1024
"""Bytes of one frame, head included: Workerman's `TcpConnection::$defaultMaxPackageSize`, which rules what
the original gateway takes. What a message, a name or a session may have is less, and checked later."""

MAX_FRAME_BEFORE_PROOF: Final = 4 * 1024
"""Bytes of one frame of a peer that has not shown the secret key: as on our own links."""

SCALAR: Final = 0x01
"""Flag: the body is text or binary as it is; without it, a serialized value."""

RAW: Final = 0x02
"""Flag: the body is to be written to clients as it is (`$raw`), such as a finished websocket frame."""


class Command(IntEnum):
    """What a frame asks for or tells.

    1 to 4, 201 and 205 go to a worker, the others to a gateway.
    """

    ON_CONNECT = 1
    ON_MESSAGE = 3
    ON_CLOSE = 4
    SEND_TO_ONE = 5
    SEND_TO_ALL = 6
    KICK = 7
    DESTROY = 8
    UPDATE_SESSION = 9
    GET_ALL_CLIENT_SESSIONS = 10
    IS_ONLINE = 11
    BIND_UID = 12
    UNBIND_UID = 13
    SEND_TO_UID = 14
    GET_CLIENT_ID_BY_UID = 15
    BATCH_GET_CLIENT_ID_BY_UID = 16
    JOIN_GROUP = 20
    LEAVE_GROUP = 21
    SEND_TO_GROUP = 22
    GET_CLIENT_SESSIONS_BY_GROUP = 23
    GET_CLIENT_COUNT_BY_GROUP = 24
    SELECT = 25
    GET_GROUP_ID_LIST = 26
    UNGROUP = 27
    BATCH_GET_CLIENT_COUNT_BY_GROUP = 28
    WORKER_CONNECT = 200
    PING = 201
    GATEWAY_CLIENT_CONNECT = 202
    GET_SESSION_BY_CLIENT_ID = 203
    SET_SESSION = 204
    ON_WEBSOCKET_CONNECT = 205


_HEAD: Final = Struct(">IBIHIHIBHI")
_LENGTH: Final = Struct(">I")

HEAD_LENGTH: Final = _HEAD.size
"""Bytes of a frame's head."""


@dataclass(slots=True)
class Frame:
    """One frame, its parts as they travel.

    Attributes:
        command: The number of a `Command`; another one is nobody's.
        connection_id: Which client it is about, 0 for none in particular.
        ext: Names, JSON or a session: it depends on the command.
        body: What is sent to or came from clients.
        flags: `SCALAR` and `RAW`, or'ed.
        local_ip: IPv4 address of the gateway's listener for workers, as a number.
        local_port: Its port.
        client_ip: IPv4 address of the client, as a number.
        client_port: Its port.
        gateway_port: Port of the listener that accepted the client.
    """

    command: int
    connection_id: int = 0
    ext: bytes = b""
    body: bytes = b""
    flags: int = SCALAR
    local_ip: int = 0
    local_port: int = 0
    client_ip: int = 0
    client_port: int = 0
    gateway_port: int = 0

    @property
    def name(self) -> str:
        """The command's name, for logs."""
        try:
            return Command(self.command).name
        except ValueError:
            return f"command {self.command}"

    def encode(self) -> bytes:
        """Return the frame as it travels.

        Raises:
            struct.error: If a number does not fit its place.
        """
        ext, body = self.ext, self.body
        head = _HEAD.pack(
            HEAD_LENGTH + len(ext) + len(body),
            self.command,
            self.local_ip,
            self.local_port,
            self.client_ip,
            self.client_port,
            self.connection_id,
            self.flags,
            self.gateway_port,
            len(ext),
        )
        return b"".join((head, ext, body))


def answer_head(size: int) -> bytes:
    """Return what stands in front of an answer of so many bytes."""
    return _LENGTH.pack(size)


class FrameDecoder:
    """Finds frames in a stream of bytes, however it is cut.

    What came is kept as the bytes that came until it is taken, so that whoever serves many links takes
    frames in turns, and needs no queue of them.

    Attributes:
        limit: Bytes that a frame may have from now on, head included.
    """

    __slots__ = ("_at", "_buffer", "limit")

    def __init__(self, limit: int = MAX_FRAME) -> None:
        """Start with nothing; the link raises the limit when the peer has shown the secret key."""
        self.limit = limit
        self._buffer: bytes | bytearray = b""
        # Where in the buffer what is not taken yet begins.
        self._at = 0

    def __repr__(self) -> str:
        return f"<FrameDecoder holding {self.buffered} bytes>"

    @property
    def buffered(self) -> int:
        """Bytes that came and were not taken."""
        return len(self._buffer) - self._at

    def feed(self, data: bytes) -> None:
        """Take bytes from the network."""
        if not self.buffered:
            self._buffer = data
        else:
            if isinstance(self._buffer, bytearray):
                del self._buffer[: self._at]
            else:
                self._buffer = bytearray(memoryview(self._buffer)[self._at :])
            self._buffer += data
        self._at = 0

    def take(self) -> Frame | None:
        """Give the next frame; None if it is not there as a whole.

        Raises:
            RemoteProtocolError: If it is no frame, or larger than `limit`.
        """
        buffer, start = self._buffer, self._at
        left = len(buffer) - start
        if left < HEAD_LENGTH:
            return None
        (length, command, local_ip, local_port, client_ip, client_port, connection_id, flags,
         gateway_port, ext_length) = _HEAD.unpack_from(buffer, start)  # fmt: skip
        if not HEAD_LENGTH + ext_length <= length <= self.limit:
            self._refuse(length, ext_length)
        if left < length:
            return None
        ext_at, end = start + HEAD_LENGTH, start + length
        body_at = ext_at + ext_length
        ext, body = bytes(buffer[ext_at:body_at]), bytes(buffer[body_at:end])
        if left == length:
            self._buffer, self._at = b"", 0
        else:
            self._at = end
        return Frame(
            command,
            connection_id,
            ext,
            body,
            flags,
            local_ip,
            local_port,
            client_ip,
            client_port,
            gateway_port,
        )

    def _refuse(self, length: int, ext_length: int) -> None:
        start = bytes(self._buffer[self._at : self._at + 16])
        if length > self.limit:
            text = f"a frame of {length:,} bytes was announced, the limit is {self.limit:,}"
        elif length < HEAD_LENGTH:
            text = f"a frame of {length} bytes was announced; its head alone has {HEAD_LENGTH}"
        else:
            text = f"a frame of {length:,} bytes was announced, {ext_length:,} of them ext"
        if start[:4].isascii() and start[:4].decode().isprintable():
            text += f" (the bytes {start!r} look like another protocol on this port)"
        raise RemoteProtocolError(text)
