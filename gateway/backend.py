"""The gateway's internal listeners: links of clients and workers bring commands to the executor.

One speaks our own protocol, another may speak GatewayWorker's (`gateway.php`); which one is no matter here.
"""

from __future__ import annotations

import logging
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from gateway_process.refusals import Refusals
from gateway_wire.aio.link import LinkLost
from gateway_wire.errors import ErrorCode, LinkRefused, RemoteProtocolError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from gateway.executor import Executor
    from gateway_wire.aio.link import AioLink, LinkEvents
    from gateway_wire.aio.listener import Acceptor
    from gateway_wire.errors import GatewayError
    from gateway_wire.frames import Envelope

__all__ = ["Backend"]

logger = logging.getLogger("gateway")


class Backend:
    """Accepts links from backends and hands on what they send.

    Attributes:
        accepted: Links that were opened so far.
        refused: Links that were ended for what their peer did, by the name of the error.
    """

    def __init__(
        self,
        listener: Callable[[LinkEvents], Acceptor],
        executor: Executor,
        link_done: Callable[[AioLink], None],
    ) -> None:
        """Make the listener; :meth:`start` begins to accept.

        Args:
            listener: Makes what accepts links, for an owner.
            executor: Where commands go.
            link_done: Called with a link that has ended, when all that came on it is executed.
        """
        self.accepted = 0
        self.refused: Counter[str] = Counter()
        self._refusals = Refusals(logger)
        self._executor = executor
        self._link_done = link_done
        self._listener = listener(self)

    def __repr__(self) -> str:
        return f"<Backend {self._listener!r}>"

    @property
    def links(self) -> int:
        """Links that exist now."""
        return len(self._listener.links)

    async def start(self, sock: socket.socket) -> None:
        """Accept links on a bound socket."""
        await self._listener.start(sock)

    def stop_accepting(self) -> None:
        """Accept no more links; those that are open go on."""
        self._listener.stop_accepting()

    def close_links(self, code: ErrorCode, text: str) -> None:
        """Say goodbye on every link."""
        self._listener.close_links(code, text)

    async def wait_closed(self) -> None:
        """Wait until every link has ended; bound it, for a peer that does not read takes its time."""
        await self._listener.wait_closed()

    # What the listener reports (gateway_wire.aio.link.LinkEvents).

    def link_opened(self, link: AioLink) -> None:
        """Count a link."""
        self.accepted += 1
        logger.debug("link opened: %r", link)

    def link_received(self, link: AioLink, envelopes: list[Envelope]) -> None:
        """Hand commands to the executor."""
        self._executor.accept(link, envelopes)

    def link_closed(self, link: AioLink, reason: GatewayError) -> None:
        """Forget a link; one that broke a rule is worth a line, but not who only knocks at the port."""
        self._executor.forget(link, partial(self._link_done, link))
        if _is_quiet(link, reason):
            logger.debug("link closed: %r: %s", link, reason)
        else:
            self.refused[type(reason).__name__] += 1
            remote = link.remote or "unknown"
            self._refusals.tell(remote, f"link from {remote} refused: {reason}")


def _is_quiet(link: AioLink, reason: GatewayError) -> bool:
    """Tell whether nothing is wrong with the peer, or the link itself has said what is."""
    if link.core.peer is None:
        return isinstance(reason, LinkLost)
    is_unread = isinstance(reason, RemoteProtocolError) and reason.code is ErrorCode.TIMEOUT
    return is_unread or isinstance(reason, LinkLost | LinkRefused)
