"""Handlers that do what browsers order: a module of `async def` functions, and of one `def` beside them."""

import asyncio
import json
from typing import Any

from gateway_client import AsyncGateway, Gateway
from tests.workers.apps import orders


async def on_worker_start(worker: Any) -> None:
    """Note it."""
    orders.started(worker, "async def")


def on_connect(client_id: str) -> None:
    """Note it."""
    orders.connected(client_id)


async def on_websocket_connect(client_id: str, request: Any) -> None:
    """Note it."""
    orders.upgraded(client_id, request)


async def on_message(client_id: str, message: str | bytes) -> None:
    """Send it back, or do what it orders and send the result."""
    if not orders.is_order(message):
        await AsyncGateway.send_to_current_client(message)
        return
    try:
        answer = orders.answer(await _perform(**json.loads(message)))
    except Exception as error:
        await AsyncGateway.send_to_current_client(orders.answer(error=error))
        raise
    await AsyncGateway.send_to_current_client(answer)


async def on_close(client_id: str, reason: Any) -> None:
    """Note it."""
    orders.closed(client_id, reason)


async def on_worker_stop(worker: Any) -> None:
    """Note it."""
    orders.stopped(worker)


async def _perform(do: str, args: list[Any]) -> Any:
    match do:
        case "call":
            return await getattr(AsyncGateway, args[0])(*args[1:])
        case "call all":
            return [await getattr(AsyncGateway, name)(*more) for name, *more in args]
        case "call from a thread":
            return await asyncio.to_thread(getattr(Gateway, args[0]), *args[1:])
        case "call the other":
            return getattr(Gateway, args[0])(*args[1:])
        case _:
            return orders.ORDERS[do](*args)
