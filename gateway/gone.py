"""What stands in for the edge of a client that is gone.

What a client did may wait for long after its end, on queues above all, and its connection with it. The
edge, its transport, which has large buffers for TLS, and what had come of a message that never became
whole would wait too, uncounted. So they are let go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.edge.interface import EdgeRecord, Encoding
    from gateway_wire.close_codes import CloseReason

__all__ = ["GoneEdge"]


class GoneEdge:
    """An `Edge` at its end: it does nothing.

    Args:
        encoding: That of the edge in whose place it stands.
    """

    __slots__ = ("connection", "encoding")

    def __init__(self, encoding: Encoding) -> None:
        self.connection: Any = None
        self.encoding = encoding

    def __repr__(self) -> str:
        return "<GoneEdge>"

    def write(self, data: bytes) -> None:
        """Nobody is there to take it."""

    def goodbye(self, _code: int, _reason: str) -> bytes:
        """It is too late for a farewell."""
        return b""

    def finish(self) -> None:
        """Nothing is under way."""

    def abort(self, reason: CloseReason) -> None:
        """It has ended."""

    def pause_reading(self) -> None:
        """Nothing comes."""

    def resume_reading(self) -> None:
        """Nothing comes."""

    def record(self) -> EdgeRecord:
        """Return what is left to be told."""
        return {"encoding": self.encoding.name, "state": "closed"}
