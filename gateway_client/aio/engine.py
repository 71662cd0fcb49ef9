"""How the asyncio client runs calls, on one loop.

An engine belongs to one loop: its links, timers and futures are the loop's. It ends with the loop
without being told: an asynchronous generator that the loop knows of is closed by
`loop.shutdown_asyncgens()`, which `asyncio.run` and all runners like it call before they close the
loop, and its `finally` closes the links while there is still time.

A call that knows its gateways leaves without a wait in between (`make_ready`, `ask`), so that calls leave in
the order in which they were made. A business worker runs its calls here too, with links of another kind.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from gateway_client.aio.outlet import Outlet
from gateway_client.aio.registers import Registers
from gateway_client.calls.base import Call, Missing
from gateway_client.cluster import Cluster, Plan, encode_asks
from gateway_client.config import CONNECT_TIMEOUT
from gateway_client.directory import Node
from gateway_client.tally import Losses, Request, Tally
from gateway_wire.commands import Command, Role
from gateway_wire.frames import encode_frame
from gateway_wire.hello import Party, new_instance

__all__ = ["Asked", "Engine", "MakeOutlet", "abandon"]

R = TypeVar("R")

MakeOutlet: TypeAlias = Callable[[Node, Cluster, Party], Outlet]
"""Makes the way out to one gateway."""


class Asked(NamedTuple, Generic[R]):
    """A call that has left.

    Attributes:
        tally: Its account.
        said: The outlets it was given to, each with the id of its request.
        timeout: Seconds that it may take.
    """

    tally: Tally[R]
    said: list[tuple[Outlet, int]]
    timeout: float


def _nothing() -> None:
    """Take no note of news."""


class Engine:
    """Runs calls for one client object on one loop.

    Attributes:
        cluster: What is known of the cluster.
        registers: Its links to the registers.
        losses: What its unconfirmed sends have lost.
        is_closed: Whether it has ended, with its loop or before.
    """

    def __init__(
        self,
        cluster: Cluster,
        losses: Losses,
        *,
        role: Role = Role.CLIENT,
        make_outlet: MakeOutlet = Outlet,
        on_news: Callable[[], None] = _nothing,
    ) -> None:
        """Make an engine for the running loop.

        Args:
            cluster: What is known of the cluster.
            losses: Is told what is lost.
            role: As what it introduces itself.
            make_outlet: Makes the way out to a gateway when it is first needed.
            on_news: Called when a register has answered, or does not answer any more.
        """
        self.cluster = cluster
        self.losses = losses
        self._party = Party(role, new_instance())
        self._make_outlet = make_outlet
        self.registers = Registers(cluster, self._party, on_news)
        self._outlets: dict[Node, Outlet] = {}
        self._request_ids = itertools.count(1)
        self._loop = asyncio.get_running_loop()
        self._guard = self._close_with_loop()
        self._is_started = False
        self.is_closed = False

    def __repr__(self) -> str:
        return f"<Engine {self.cluster!r}, {len(self._outlets)} gateways>"

    async def start(self) -> None:
        """Let the loop know of the engine, and begin to watch the registers."""
        if not self._is_started:
            self._is_started = True
            await anext(self._guard)
            self.registers.start()

    async def run(self, call: Call[R]) -> R:
        """Run one call.

        Raises:
            GatewayError: As the call's method says.
        """
        deadline = self._loop.time() + self.timeout_of(call)
        if not self.make_ready(call):
            await self._prepare(call, self.timeout_of(call))
        asked = self.ask(call)
        if asked.tally.open:
            await self._settled(asked, deadline)
        return self.conclude(asked.tally)

    def timeout_of(self, call: Call[Any]) -> float:
        """Return the seconds that a call may take."""
        return self.cluster.config.timeout if call.timeout is None else call.timeout

    def make_ready(self, call: Call[Any]) -> bool:
        """Return whether a call can be asked now; else the registers must be heard first.

        Raises:
            MessageTooLarge: If the call's message is above `max_message`.
        """
        if self.cluster.directory.dropped:
            self.forget_dropped()
        is_settled = self._is_started and self.registers.is_settled()
        return is_settled and not self.cluster.unknown(call, self._loop.time())

    def ask(self, call: Call[R]) -> Asked[R]:
        """Give a call to the gateways that are known now.

        Raises:
            GatewayUnavailable: If all gateways are to be asked and none is announced.
            MessageTooLarge: If it does not fit a frame; nothing is sent.
        """
        tally, asks = self.cluster.plan(call, self._loop.time())
        said: list[tuple[Outlet, int]] = []
        request_id = next(self._request_ids)
        frames = encode_asks(asks, request_id if call.confirm else 0)
        for (node, command), frame in zip(asks, frames, strict=True):
            outlet = self.outlet_to(node)
            request = Request(tally, node, type(command))
            outlet.say(frame, request, request_id, confirm=call.confirm)
            said.append((outlet, request_id))
        return Asked(tally, said, self.timeout_of(call))

    def call_when_settled(
        self, asked: Asked[R], deadline: float, callback: Callable[[Tally[Any]], None]
    ) -> asyncio.TimerHandle:
        """Call back once, when every gateway has answered, or has been given up when time is up.

        Args:
            asked: A call of which something is open.
            deadline: Loop time at which to give up.
            callback: Gets the call's tally.

        Returns:
            The timer, for the callback to cancel.
        """
        asked.tally.on_settled = callback
        return self._loop.call_at(deadline, self._time_out, asked)

    async def plan(self, call: Call[R], timeout: float) -> Plan[R]:
        """Decide whom a call asks, after the registers were heard.

        Raises:
            GatewayError: If that cannot be known, or there is nobody to ask.
        """
        if not self.make_ready(call):
            await self._prepare(call, timeout)
        return self.cluster.plan(call, self._loop.time())

    @property
    def outlets(self) -> tuple[Outlet, ...]:
        """The ways out to the gateways that were needed so far and are still announced."""
        return tuple(self._outlets.values())

    def next_request_id(self) -> int:
        """Return a request id that is not in use."""
        return next(self._request_ids)

    def encode(self, command: Command) -> tuple[bytes, int]:
        """Return a command's frame and its request id."""
        request_id = next(self._request_ids)
        return encode_frame(command, request_id), request_id

    def outlet_to(self, node: Node) -> Outlet:
        """Return the way out to a gateway."""
        outlet = self._outlets.get(node)
        if outlet is None:
            self.retire_replaced()
            outlet = self._outlets[node] = self._make_outlet(node, self.cluster, self._party)
        return outlet

    def keep_up(self) -> None:
        """Have a way out to every gateway that is announced, and none to one that is gone.

        For those whose links stay; others get one when something is said to the gateway.
        """
        if self.cluster.directory.dropped:
            self.forget_dropped()
        self.retire_replaced()
        for node in self.cluster.directory.nodes:
            self.outlet_to(node)

    def forget_dropped(self) -> None:
        """Forget gateways that every answering register has dropped, and to which no link lives."""
        directory = self.cluster.directory
        gone = [node for node in directory.dropped if not self._is_linked(node)]
        directory.forget(gone)
        for node in gone:
            if (outlet := self._outlets.pop(node, None)) is not None:
                outlet.forget()

    def retire_replaced(self) -> None:
        """Let go of gateways that announced themselves anew, at another address."""
        for node in self._outlets.keys() - set(self.cluster.directory.nodes):
            self._outlets.pop(node).retire()

    def conclude(self, tally: Tally[R]) -> R:
        """Return the result of a call, or raise what came of it."""
        if tally.misses and tally.missing is Missing.UNCONFIRMED:
            self.losses.count += len(tally.misses)
        return tally.result()

    async def close(self) -> None:
        """Close every link; harmless when closed, or when never started."""
        await self._guard.aclose()

    def retire(self) -> None:
        """The same without waiting for it, on the loop's thread."""
        self.is_closed = True
        self.registers.retire()
        for outlet in self._outlets.values():
            outlet.retire()

    def disown(self) -> None:
        """Let go of the connections in a forked child, where they are still the parent's."""
        self.registers.disown()
        for outlet in self._outlets.values():
            outlet.disown()

    # Private methods

    async def _prepare(self, call: Call[Any], timeout: float) -> None:
        cluster = self.cluster
        await self.start()
        connect_in = min(timeout, CONNECT_TIMEOUT)
        await self.registers.settle(connect_in)
        unknown = cluster.unknown(call, self._loop.time())
        if unknown:
            await self.registers.look_up(connect_in)
            cluster.directory.note_absent(unknown, self._loop.time())

    async def _settled(self, asked: Asked[Any], deadline: float) -> None:
        """Wait until every gateway has answered or time is up."""
        done: asyncio.Future[None] = self._loop.create_future()
        timer = self.call_when_settled(asked, deadline, partial(_wake, done))
        try:
            await done
        except asyncio.CancelledError:
            abandon(asked)
            raise
        finally:
            timer.cancel()

    def _time_out(self, asked: Asked[Any]) -> None:
        now = self._loop.time()
        for outlet, request_id in asked.said:
            outlet.time_out(request_id, asked.timeout, now)

    def _is_linked(self, node: Node) -> bool:
        outlet = self._outlets.get(node)
        return outlet is not None and outlet.is_linked

    async def _close_with_loop(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self.is_closed = True
            await self.registers.close()
            for outlet in tuple(self._outlets.values()):
                await outlet.close()


def _wake(waiter: asyncio.Future[None], _tally: Tally[Any]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def abandon(asked: Asked[Any]) -> None:
    """Forget a call whose caller has given up."""
    for outlet, request_id in asked.said:
        outlet.abandon(request_id)
