"""Runs a handler on the messages of a consumer: each client's one after another, clients side by side.

A few tasks, the crew, call the handler. One that is through with a message takes the next; as long as handlers
return without waiting one task does it all. While they wait there is, in the next turn of the loop, another task for what
is still there, up to as many as messages may be handled at once.

A client's first message makes a lane for it. What else it sends waits in the lane until the message before has returned;
so the order holds, and nobody is held up by another client's messages.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from gateway_client.aio.message import AsyncMessage

if TYPE_CHECKING:
    from gateway_client.consuming import Store
    from gateway_client.troubles import Troubles

__all__ = ["Crew", "Handler"]

Handler: TypeAlias = Callable[[AsyncMessage], Awaitable[object]]
"""Handles a message; an `async def` function."""

_TURN: Final = 50
"""Messages after which a task gives the loop a turn, however fast they are handled."""


class Crew:
    """The tasks that handle the messages of one consumer."""

    __slots__ = (
        "_handler",
        "_is_disbanded",
        "_is_relief_due",
        "_lanes",
        "_ready",
        "_size",
        "_store",
        "_tasks",
        "_troubles",
    )

    def __init__(
        self, handler: Handler, store: Store[AsyncMessage], troubles: Troubles, size: int
    ) -> None:
        """Make a crew that has nothing to do.

        Args:
            handler: Is called with each message.
            store: Has the messages.
            troubles: Is told what the handler raises.
            size: How many messages are handled at once at most.
        """
        self._handler = handler
        self._store = store
        self._troubles = troubles
        self._size = size
        # What may be handled now, and by client what must wait for a message before it.
        self._ready: deque[AsyncMessage] = deque()
        self._lanes: dict[str, deque[AsyncMessage]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_relief_due = False
        self._is_disbanded = False

    def __repr__(self) -> str:
        return f"<Crew of {len(self._tasks)} tasks for {len(self._lanes)} clients>"

    def feed(self) -> None:
        """Take what is in store, and see that somebody handles it."""
        while (message := self._store.take()) is not None:
            lane = self._lanes.get(message.client_id)
            if lane is None:
                self._lanes[message.client_id] = deque()
                self._ready.append(message)
            else:
                lane.append(message)
        self._call_relief()

    async def disband(self) -> None:
        """Cancel what is being handled, and put back into the store what is not."""
        self._is_disbanded = True
        for task in self._tasks:
            task.cancel()
        # At once: gateways have been asked to stop, and when they have answered it is too late to give back.
        self._store.put_back(
            [*self._ready, *(each for lane in self._lanes.values() for each in lane)]
        )
        self._ready.clear()
        self._lanes.clear()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Private methods

    def _call_relief(self) -> None:
        """Have somebody take over in the next turn of the loop what is ready then."""
        if not self._is_relief_due and self._ready:
            self._is_relief_due = True
            asyncio.get_running_loop().call_soon(self._relieve)

    def _relieve(self) -> None:
        self._is_relief_due = False
        if self._ready and len(self._tasks) < self._size:
            task = asyncio.get_running_loop().create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._has_left)

    def _has_left(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._call_relief()  # it was cancelled, if there is anything to do

    async def _work(self) -> None:
        done = 0
        while self._ready:
            message = self._ready.popleft()
            self._call_relief()
            try:
                await self._handle(message)
            finally:
                self._go_on(message.client_id)
            done += 1
            if done % _TURN == 0:
                await asyncio.sleep(0)

    async def _handle(self, message: AsyncMessage) -> None:
        if message.is_settled:  # its link was lost, or one before it was given back
            return
        try:
            await self._handler(message)
        except asyncio.CancelledError:
            if self._is_disbanded:
                raise
            is_back = await message.nack()
            if _is_cancelled():  # as all tasks are at the end of a loop
                raise
            error = RuntimeError("the handler was cancelled")
            self._troubles.handler_failed(error, message, is_back=is_back)
        except Exception as error:  # noqa: BLE001 - whatever it raises
            is_back = await message.nack()
            self._troubles.handler_failed(error, message, is_back=is_back)
        else:
            await message.ack()

    def _go_on(self, client_id: str) -> None:
        lane = self._lanes.get(client_id)
        if lane:
            self._ready.append(lane.popleft())
        else:
            self._lanes.pop(client_id, None)  # there is none when the crew is disbanded


def _is_cancelled() -> bool:
    """Return whether the task itself was cancelled, and not only what it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
