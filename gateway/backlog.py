"""What stands in the place of a connection's pending frames while its client takes nothing.

Most connections are *open*: what is pending is a plain `list`, and appending to it is all that a delivery
costs. One whose transport could not send everything is *blocked*: it has a `Backlog`, which counts
what waits. One that is lost or cut has `Nowhere`, which keeps nothing. So what a frame means for a
connection is decided where it is appended, and who walks over thousands need not ask.

Bytes are counted by the object that holds them (:mod:`gateway.shared_bytes`). What a full backlog
means is the outbox's to decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.shared_bytes import SharedBytes

__all__ = ["Backlog", "Nowhere"]


class Backlog(list[bytes]):
    """Frames that wait for a client that has not taken what it was sent before.

    Attributes:
        given: What the transport was given last and could not send; None when the client has taken it.
        size: Bytes of it and of the frames.
        is_last: Whether nothing follows, so that the edge waits to be told when all is written.
    """

    __slots__ = ("_grown", "_held", "given", "is_last", "size")

    def __init__(
        self, frames: Iterable[bytes], held: SharedBytes, grown: Callable[[], None]
    ) -> None:
        """Take over what is pending.

        Args:
            frames: The frames.
            held: Counts bytes.
            grown: Called after each frame that is appended.
        """
        super().__init__()
        self.given: bytes | None = None
        self.size = 0
        self.is_last = False
        self._held = held
        self._grown = grown
        for frame in frames:
            self.keep(frame)

    def append(self, frame: bytes) -> None:
        """Put a frame behind the others."""
        self.keep(frame)
        self._grown()

    def keep(self, frame: bytes) -> None:
        """Put a frame behind the others, whatever that means."""
        super().append(frame)
        self._count(frame)

    def drop(self, frames: Iterable[bytes]) -> None:
        """Count frames no longer that were taken out."""
        for frame in frames:
            self.size -= len(frame)
            self._held.release(frame)

    def clear(self) -> None:
        """Forget everything."""
        self.taken()
        self.drop(self)
        super().clear()

    def give(self, data: bytes) -> None:
        """Take note that the transport holds what it was given."""
        self.given = data
        self._count(data)

    def taken(self) -> None:
        """Take note that the client has taken what the transport held."""
        if self.given is not None:
            self.drop((self.given,))
            self.given = None

    def _count(self, data: bytes) -> None:
        self.size += len(data)
        self._held.hold(data)


class Nowhere(list[bytes]):
    """Keeps nothing.

    Attributes:
        refused: Frames that it was to keep.
    """

    __slots__ = ("refused",)

    def __init__(self) -> None:
        """Make one for all connections of an outbox."""
        super().__init__()
        self.refused = 0

    def append(self, frame: bytes) -> None:  # noqa: ARG002  nobody gets it
        """Count a frame that nobody gets."""
        self.refused += 1
