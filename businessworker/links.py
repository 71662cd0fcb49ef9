"""The links of a worker: to every register, and to every gateway that they announce.

It is the client library's engine with links of another kind (`GatewayLink`) and another role. The registers are
watched as every client watches them; each gateway that one announces is dialled at once, and not only when
something is said to it. A gateway whose link ends is dialled again until every register has dropped it.

Whatever changes is logged once, with the remedy where there is one.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from businessworker.gateway_link import GatewayLink, LinkState
from gateway_client.aio.engine import Engine
from gateway_client.cluster import Cluster
from gateway_client.config import CONNECT_TIMEOUT
from gateway_client.errors import RegisterUnavailable, no_register
from gateway_client.forks import renew_after_fork
from gateway_client.tally import Losses
from gateway_process.errors import StartupError
from gateway_wire.commands import Role, TakeEvents
from gateway_wire.errors import AuthenticationFailed, LinkRefused

if TYPE_CHECKING:
    from businessworker.gateway_link import Receiver
    from gateway_client.config import Config
    from gateway_client.directory import Node
    from gateway_wire.errors import GatewayError
    from gateway_wire.hello import Party

__all__ = ["Links"]

logger = logging.getLogger("businessworker")


class Links:
    """All links of one worker process.

    Attributes:
        engine: Runs the calls of the worker's handlers on these links.
        receiver: Who takes the events; None until they are wanted.
        losses: What was said to gateways and did not reach them.
        sent: Commands that handlers gave to their current clients.
    """

    def __init__(self, config: Config, introduction: TakeEvents) -> None:
        """Make them on the running loop; :meth:`start` begins to watch.

        Args:
            config: Where the registers are, and the secret key.
            introduction: How the worker asks for events.
        """
        self.engine = Engine(
            Cluster(config),
            Losses(),
            role=Role.WORKER,
            make_outlet=self._make_link,
            on_news=self._register_news,
        )
        self.receiver: Receiver | None = None
        self.losses = self.engine.losses
        self.sent = 0
        self._introduction = introduction
        self._wants_events = False
        self._changed = asyncio.Event()
        self._said: dict[str, str] = {}
        renew_after_fork(self)

    def __repr__(self) -> str:
        taking = sum(each.is_taking for each in self.gateways)
        return f"<Links to {taking} of {len(self.gateways)} gateways>"

    @property
    def gateways(self) -> tuple[GatewayLink, ...]:
        """The links to all gateways that are known."""
        return tuple(each for each in self.engine.outlets if isinstance(each, GatewayLink))

    # What the process asks for, in this order.

    async def start(self) -> None:
        """Watch the registers, and wait until one has said who the gateways are.

        Waits as long as that takes: a register may be started after its workers.

        Raises:
            StartupError: If every register refuses the worker; the message names the remedy.
        """
        await self.engine.start()
        registers, directory = self.engine.registers, self.engine.cluster.directory
        while not registers.is_settled():
            if directory.is_answered:
                with suppress(RegisterUnavailable):  # it was lost again while others were awaited
                    await registers.settle(CONNECT_TIMEOUT)
                continue
            self._refuse_start()
            await self._change()

    async def take_events(self, receiver: Receiver) -> None:
        """Have events sent, and wait until every gateway sends them or could not be asked.

        Where everything starts at once no gateway may be announced yet. So for as long as the registers
        settle, the first is waited for: who is ready is heard by those who come then.

        Args:
            receiver: Who takes them.
        """
        self.receiver, self._wants_events = receiver, True
        self.engine.keep_up()
        for link in self.gateways:
            link.take_events()
        directory = self.engine.cluster.directory
        while directory.is_settling and not directory.nodes:
            await self._change()
        while not all(each.is_tried for each in self.gateways):
            await self._change()

    async def leave(self) -> None:
        """Have no more clients sent, and wait until the last event of each gateway is acknowledged.

        A gateway whose link is lost has nothing more to wait for.
        """
        self._wants_events = False
        for link in self.gateways:
            link.leave_events()
        while any(each.state is LinkState.LEAVING for each in self.gateways):
            await self._change()

    async def close(self) -> None:
        """Say goodbye to all, once what was sent is written."""
        await self.engine.close()

    def after_fork(self) -> None:
        """Let go of the connections in a child that a handler has forked.

        Otherwise gateways would not see this process end as long as such a child lives.
        """
        self.engine.disown()

    # What a link to a gateway asks and tells.

    def next_request_id(self) -> int:
        """Return a request id that is not in use."""
        return self.engine.next_request_id()

    def introduction(self) -> TakeEvents | None:
        """Return how the worker asks for events, or None while it wants none."""
        return self._introduction if self._wants_events else None

    def link_changed(self, link: GatewayLink) -> None:
        """Take note that a link has opened or ended, or that the gateway answered."""
        if link.state is LinkState.DIALLING and link.node in self.engine.cluster.directory.dropped:
            self.engine.forget_dropped()
        name = f"gateway {link.node.address}"
        if link.state is LinkState.TAKING:
            self._say(name, logging.INFO, "sends events")
        elif link.trouble and not self.engine.is_closed:
            level = logging.INFO if link.has_stopped else logging.WARNING
            self._say(name, level, link.trouble)
        self._changed.set()

    # Private methods

    def _make_link(self, node: Node, cluster: Cluster, party: Party) -> GatewayLink:
        return GatewayLink(node, cluster, party, self)

    def _register_news(self) -> None:
        if self.engine.is_closed:
            return
        for name, failure in self.engine.registers.failures.items():
            if failure is None:
                self._said.pop(f"register {name}", None)
            else:
                self._say(f"register {name}", *_why_no_register(failure))
        self.engine.keep_up()
        self._changed.set()

    def _refuse_start(self) -> None:
        failures = self.engine.registers.failures
        if all(isinstance(failure, AuthenticationFailed) for failure in failures.values()):
            raise StartupError(f"the register refuses this worker: {no_register(failures)}")

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _say(self, name: str, level: int, text: str) -> None:
        """Log what is new, once."""
        if self._said.get(name) != text:
            self._said[name] = text
            logger.log(level, "%s %s", name, text)


def _why_no_register(failure: GatewayError) -> tuple[int, str]:
    if isinstance(failure, AuthenticationFailed):
        return logging.ERROR, f"refuses this worker: {failure}"
    if isinstance(failure, LinkRefused) and failure.is_stop:
        return logging.INFO, "has stopped"
    if isinstance(failure.__cause__, ConnectionRefusedError):
        return logging.WARNING, "refuses connections; start it with `register start`"
    return logging.WARNING, f"does not answer: {failure}"
