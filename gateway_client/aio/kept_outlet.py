"""A way out to one gateway whose link stays: it is dialled again whenever it ends, and pinged.

For those to whom the gateway talks without being asked: business workers, to whom it sends events, and consumers. Such
a link is dialled at once, and given up only when every register has dropped the gateway.
"""

from __future__ import annotations

from gateway_client.aio.outlet import Outlet, why_no_link
from gateway_client.cluster import Cluster
from gateway_client.directory import Node
from gateway_wire.aio.dialer import KeptLink
from gateway_wire.aio.link import AioLink
from gateway_wire.errors import GatewayError
from gateway_wire.hello import Party

__all__ = ["KeptOutlet"]


class KeptOutlet(Outlet):
    """The way to one gateway, for as long as it is announced."""

    __slots__ = ("_ending", "_farewell", "_kept", "_why_not")

    def __init__(self, node: Node, cluster: Cluster, party: Party, farewell: str) -> None:
        """Make it and begin to dial.

        Args:
            node: The gateway.
            cluster: What is known of the cluster.
            party: Our side, as it introduces itself.
            farewell: What the gateway is told when the link is closed.
        """
        super().__init__(node, cluster, party)
        self._farewell = farewell
        self._ending: GatewayError | None = None  # of the last link that was open
        # Why there is no use in waiting for the link: set by an attempt that failed.
        self._why_not: str | None = None
        key = cluster.config.secret_key
        self._kept = KeptLink(node.address, party, key, self, self._link_failed)
        self._kept.start()

    def dial_failed(self, why_not: str, error: Exception) -> None:
        """Take note that an attempt to dial failed; the next one follows.

        Args:
            why_not: Why, as the end of a sentence that begins with the gateway.
            error: What was raised.
        """
        raise NotImplementedError

    # What is otherwise with a link that stays.

    def connect(self) -> None:
        """Do nothing: it is being dialled."""

    def why_not_wait(self) -> str | None:
        """Return why the last attempt failed, unless the first after a link is still under way."""
        return self._why_not

    def forget(self) -> None:
        """Dial no more: the gateway is gone."""
        self.retire()

    def retire(self) -> None:
        """Say goodbye once what was sent is written, and dial no more."""
        self._kept.retire(text=self._farewell)

    # What the link tells.

    def link_opened(self, link: AioLink) -> None:
        """Send what waited."""
        self._why_not = None
        super().link_opened(link)

    def link_closed(self, link: AioLink, reason: GatewayError) -> None:
        """Fail what was open; it is dialled again."""
        self._ending = reason
        super().link_closed(link, reason)

    # Private methods

    def _link_failed(self, _kept: KeptLink, error: Exception) -> None:
        if error is self._ending:  # which `link_closed` was told
            return
        self._why_not = why_no_link(error)
        self.fail_waiting(self._why_not, error)
        self.dial_failed(self._why_not, error)
