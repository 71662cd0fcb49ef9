"""Where events come from, as the dispatcher sees it: one gateway behind its link.

The dispatcher knows nothing of sockets, and the links nothing of handlers; this is all that either
needs of the other. Every method is called on the event loop's thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway_wire.commands import Error, PatchSession

__all__ = ["Source"]


class Source(Protocol):
    """One gateway, for as long as its link lives."""

    @property
    def name(self) -> str:
        """The gateway's internal address, for logs."""

    @property
    def gateway_addr(self) -> str:
        """The host under which the gateway is known; what `current.gateway_addr` says."""

    def acknowledge(self, event_ids: list[int]) -> None:
        """Say that these events are finished.

        Called once per turn of the loop at most, after everything that their handlers sent.
        """

    def send_frame(self, frame: bytes) -> None:
        """Send an encoded command that asks for no reply; dropped, and counted, if the link is lost."""

    def patch_session(self, patch: PatchSession, settled: Callable[[Error | None], None]) -> None:
        """Send a session patch.

        Args:
            patch: What a handler changed.
            settled: Called with None when the gateway has taken the patch, with its answer if it
                refused; in the order of the link, so before any later event is handed over. Never
                called if the link is lost.
        """
