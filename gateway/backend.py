"""The gateway's internal listener: links of clients and workers bring commands to the executor."""

from __future__ import annotations

import logging
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from gateway_wire.aio.link import LinkLost
from gateway_wire.aio.listener import LinkListener

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from gateway.executor import Executor
    from gateway_wire.aio.link import AioLink
    from gateway_wire.errors import ErrorCode, GatewayError
    from gateway_wire.frames import Envelope
    from gateway_wire.hello import Party

__all__ = ["Backend"]

logger = logging.getLogger("gateway")


class Backend:
    """Accepts links from backends and hands on what they send.

    Attributes:
        accepted: Links that were opened so far.
        refused: Links that ended in their hello for a reason, by the name of the error.
    """

    def __init__(
        self,
        party: Party,
        secret_key: str,
        executor: Executor,
        link_done: Callable[[AioLink], None],
    ) -> None:
        """Make the listener; :meth:`start` begins to accept.

        Args:
            party: This gateway process, as it introduces itself.
            secret_key: The cluster's secret key, empty for none.
            executor: Where commands go.
            link_done: Called with a link that has ended, when all that came on it is executed.
        """
        self.accepted = 0
        self.refused: Counter[str] = Counter()
        self._executor = executor
        self._link_done = link_done
        self._listener = LinkListener(party, secret_key, self)

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
        """Forget a link; one that is refused is worth a line, but not who only knocks at the port."""
        self._executor.forget(link, partial(self._link_done, link))
        if link.core.peer is None and not isinstance(reason, LinkLost):
            self.refused[type(reason).__name__] += 1
            logger.warning("link from %s refused: %s", link.remote or "unknown", reason)
        else:
            logger.debug("link closed: %r: %s", link, reason)
