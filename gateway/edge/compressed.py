"""Websockets that agreed to permessage-deflate.

They differ from others in three things: what reads, how messages to them are encoded, and in how small
pieces what came is passed on. Their classes are their own, so that a connection without compression
pays nothing for those with it.

A piece is small because it can grow a thousandfold, and when the core stops reading, what was inflated
before has to be kept.
"""

from __future__ import annotations

from typing import ClassVar, Final

from gateway.edge.codec import MessageReader
from gateway.edge.deflate import DeflateReader
from gateway.edge.interface import Encoding
from gateway.edge.secure import SecureWebSocketEdge
from gateway.edge.websocket import WebSocketEdge

__all__ = ["SLICE", "CompressedWebSocketEdge", "SecureCompressedWebSocketEdge"]

SLICE: Final = 1024
"""Bytes of one read that are passed on before it is asked again whether the core still reads. Deflate
makes at most 1,032 bytes of one, so they become a MiB at most besides a message that they end."""


class CompressedWebSocketEdge(WebSocketEdge):
    """The `Edge` of a websocket whose messages may be compressed; arguments as for `WebSocketEdge`."""

    __slots__ = ()

    _READER: ClassVar[type[MessageReader]] = DeflateReader
    _SLICE: ClassVar[int] = SLICE

    @property
    def encoding(self) -> Encoding:
        """Frames that are compressed where that is worth it."""
        return self._context.deflate

    def data_received(self, data: bytes) -> None:
        """Pass on what the bytes completed, piece by piece, as long as the core reads."""
        self._heard = True
        self._pass_on_in_slices(self._unread + data)


class SecureCompressedWebSocketEdge(CompressedWebSocketEdge, SecureWebSocketEdge):
    """The same over TLS."""

    __slots__ = ()
