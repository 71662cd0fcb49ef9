"""Tells gateways which events are finished: once per turn of the loop, all of the turn together.

At the end of the turn, so that what the handlers sent is in front of it on the link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from businessworker.lane import Feed

__all__ = ["Acknowledgements"]


class Acknowledgements:
    """What is finished and not yet told.

    Args:
        loop: The loop whose turns count.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._feeds: list[Feed] = []

    def __repr__(self) -> str:
        return f"<Acknowledgements to {len(self._feeds)} gateways>"

    def add(self, feed: Feed, event_id: int) -> None:
        """Tell a gateway at the end of the turn that an event is finished."""
        if feed.is_lost:
            return
        if not feed.finished:
            if not self._feeds:
                self._loop.call_soon(self.flush)
            self._feeds.append(feed)
        feed.finished.append(event_id)

    def flush(self) -> None:
        """Tell what there is to tell, now."""
        feeds, self._feeds = self._feeds, []
        for feed in feeds:
            finished, feed.finished = feed.finished, []
            if not feed.is_lost:
                feed.source.acknowledge(finished)
