"""Workers that consume beside their events: in a task of their loop, and in a thread."""

import asyncio
import threading
from typing import Any

from gatewayworker import AsyncGateway, Gateway
from tests.support.workers import note

tasks: list[asyncio.Task[None]] = []


async def _consume() -> None:
    async for message in AsyncGateway.consume("chat", name="task"):
        await message.reply(f"a task got {message.data['frame']['data']}")


async def on_worker_start(worker: Any) -> None:
    """Begin to consume."""
    tasks.append(asyncio.create_task(_consume()))


async def on_worker_stop(worker: Any) -> None:
    """Tell that the stop is in order; what is consumed ends with the loop."""
    note("stop")


async def on_message(client_id: str, message: str) -> None:
    """Consume one message for each event, on links that end with it."""
    async for taken in AsyncGateway.consume("orders"):
        await AsyncGateway.send_to_current_client(f"a handler got {taken.data['frame']['data']}")
        await taken.ack()
        break


class Blocking:
    """The same in threads."""

    def on_worker_start(self, worker: Any) -> None:
        """Begin to consume."""
        self._thread = threading.Thread(target=self._consume)
        self._thread.start()

    def on_worker_stop(self, worker: Any) -> None:
        """End it, with the message in hand finished."""
        Gateway.close()
        self._thread.join()
        note("stop")

    def on_message(self, client_id: str, message: str) -> None:
        """Consume one message for each event, on links that end with it."""
        for taken in Gateway.consume("orders"):
            Gateway.send_to_current_client(f"a handler got {taken.data['frame']['data']}")
            taken.ack()
            break

    def _consume(self) -> None:
        for message in Gateway.consume("chat", name="thread"):
            message.reply(f"a thread got {message.data['frame']['data']}")
