"""Handlers that do what browsers order: `def` methods with `self`, and one `async def` beside them."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gateway_client import AsyncGateway, Gateway
from tests.workers.apps import orders


class Events:
    """Made once in each process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1)

    def on_worker_start(self, worker: Any) -> None:
        """Note it."""
        orders.started(worker, "def")

    def on_connect(self, client_id: str) -> None:
        """Note it."""
        orders.connected(client_id)

    def on_websocket_connect(self, client_id: str, request: Any) -> None:
        """Note it."""
        orders.upgraded(client_id, request)

    def on_message(self, client_id: str, message: str | bytes) -> None:
        """Send it back, or do what it orders and send the result."""
        if not orders.is_order(message):
            Gateway.send_to_current_client(message)
            return
        try:
            answer = orders.answer(self._perform(**json.loads(message)))
        except Exception as error:
            Gateway.send_to_current_client(orders.answer(error=error))
            raise
        Gateway.send_to_current_client(answer)

    async def on_close(self, client_id: str, reason: Any) -> None:
        """Note it."""
        orders.closed(client_id, reason)

    def on_worker_stop(self, worker: Any) -> None:
        """Note it."""
        orders.stopped(worker)

    def _perform(self, do: str, args: list[Any]) -> Any:
        match do:
            case "call":
                return getattr(Gateway, args[0])(*args[1:])
            case "call all":
                return [getattr(Gateway, name)(*more) for name, *more in args]
            case "call from a thread":
                return self._threads.submit(getattr(Gateway, args[0]), *args[1:]).result()
            case "call the other":  # a loop of one's own is no mistake: the call is carried over
                return asyncio.run(getattr(AsyncGateway, args[0])(*args[1:]))
            case _:
                return orders.ORDERS[do](*args)
