"""How the asyncio client runs calls, on one loop.

An engine belongs to one loop: its links, timers and futures are the loop's. It ends with the loop
without being told: an asynchronous generator that the loop knows of is closed by
`loop.shutdown_asyncgens()`, which `asyncio.run` and all runners like it call before they close the
loop, and its `finally` closes the links while there is still time.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any, TypeVar

from gateway_client.aio.outlet import Outlet
from gateway_client.aio.registers import Registers
from gateway_client.calls.base import Call
from gateway_client.cluster import Cluster, Plan
from gateway_client.config import CONNECT_TIMEOUT
from gateway_client.directory import Node
from gateway_client.tally import Losses, Request, Tally
from gateway_wire.commands import Command, Role
from gateway_wire.frames import encode_frame
from gateway_wire.hello import Party, new_instance

__all__ = ["Engine"]

R = TypeVar("R")


class Engine:
    """Runs calls for one client object on one loop.

    Attributes:
        cluster: What is known of the cluster.
        is_closed: Whether it has ended, with its loop or before.
    """

    def __init__(self, cluster: Cluster, losses: Losses) -> None:
        self.cluster = cluster
        self._losses = losses
        self._party = Party(Role.CLIENT, new_instance())
        self._registers = Registers(cluster, self._party)
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
            self._registers.start()

    async def run(self, call: Call[R]) -> R:
        """Run one call.

        Raises:
            GatewayError: As the call's method says.
        """
        begun = self._loop.time()
        timeout = self.cluster.config.timeout if call.timeout is None else call.timeout
        tally, asks = await self.plan(call, timeout)
        said: list[tuple[Outlet, int]] = []
        request_id = next(self._request_ids)
        # All are encoded before any is sent: one that is too large must not leave half a call.
        frames: dict[int, bytes] = {}
        for _, command in asks:
            if id(command) not in frames:
                frames[id(command)] = encode_frame(command, request_id if call.confirm else 0)
        for node, command in asks:
            outlet = self.outlet_to(node)
            request = Request(tally, node, type(command))
            outlet.say(frames[id(command)], request, request_id, confirm=call.confirm)
            said.append((outlet, request_id))
        if tally.open:
            await self._settled(tally, said, begun + timeout, timeout)
        return self.conclude(tally)

    async def plan(self, call: Call[R], timeout: float) -> Plan[R]:
        """Decide whom a call asks, after the registers were heard.

        Raises:
            GatewayError: If that cannot be known, or there is nobody to ask.
        """
        cluster, directory = self.cluster, self.cluster.directory
        await self.start()
        if directory.dropped:
            self._forget()
        connect_in = min(timeout, CONNECT_TIMEOUT)
        await self._registers.settle(connect_in)
        unknown = cluster.unknown(call, self._loop.time())
        if unknown:
            await self._registers.look_up(connect_in)
            directory.note_absent(unknown, self._loop.time())
        return cluster.plan(call, self._loop.time())

    def encode(self, command: Command) -> tuple[bytes, int]:
        """Return a command's frame and its request id."""
        request_id = next(self._request_ids)
        return encode_frame(command, request_id), request_id

    def outlet_to(self, node: Node) -> Outlet:
        """Return the way out to a gateway."""
        outlet = self._outlets.get(node)
        if outlet is None:
            self._retire_replaced()
            outlet = self._outlets[node] = Outlet(node, self.cluster, self._party)
        return outlet

    def conclude(self, tally: Tally[R]) -> R:
        """Return the result of a call, or raise what came of it."""
        if tally.misses and not tally.call.confirm:
            self._losses.count += len(tally.misses)
        return tally.result()

    async def close(self) -> None:
        """Close every link; harmless when closed, or when never started."""
        await self._guard.aclose()

    def retire(self) -> None:
        """The same without waiting for it, on the loop's thread."""
        self.is_closed = True
        self._registers.retire()
        for outlet in self._outlets.values():
            outlet.retire()

    # Private methods

    async def _settled(
        self, tally: Tally[Any], said: list[tuple[Outlet, int]], deadline: float, timeout: float
    ) -> None:
        """Wait until every gateway has answered or time is up."""
        done: asyncio.Future[None] = self._loop.create_future()
        tally.on_settled = partial(_wake, done)
        timer = self._loop.call_at(deadline, self._time_out, said, timeout)
        try:
            await done
        except asyncio.CancelledError:
            for outlet, request_id in said:
                outlet.abandon(request_id)
            raise
        finally:
            timer.cancel()

    def _time_out(self, said: list[tuple[Outlet, int]], timeout: float) -> None:
        now = self._loop.time()
        for outlet, request_id in said:
            outlet.time_out(request_id, timeout, now)

    def _forget(self) -> None:
        directory = self.cluster.directory
        gone = [node for node in directory.dropped if not self._is_linked(node)]
        directory.forget(gone)
        for node in gone:
            self._outlets.pop(node, None)

    def _retire_replaced(self) -> None:
        """Let go of gateways that announced themselves anew, at another address."""
        for node in self._outlets.keys() - set(self.cluster.directory.nodes):
            self._outlets.pop(node).retire()

    def _is_linked(self, node: Node) -> bool:
        outlet = self._outlets.get(node)
        return outlet is not None and outlet.is_linked

    async def _close_with_loop(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self.is_closed = True
            await self._registers.close()
            for outlet in tuple(self._outlets.values()):
                await outlet.close()


def _wake(waiter: asyncio.Future[None], _tally: Tally[Any]) -> None:
    if not waiter.done():
        waiter.set_result(None)
