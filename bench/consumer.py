"""The consumer of the bench: takes what the crowd sends, and tells how many, how fast and how late.

    python -P -m bench.consumer REGISTER KIND

`KIND` is what it does with a message (`KINDS`). For each line on its stdin, which is a number of messages, it prints
`counting`, and one line when so many have come::

    result messages=.. seconds=.. p50_us=.. p99_us=..

`seconds` lie between the first message and the last. Latencies are from the browser's `send()` to the begin of the loop's
body, of one message in sixteen: looking at each would be most of what the body does.
"""

from __future__ import annotations

import asyncio
import sys
import time
from threading import Thread
from typing import TYPE_CHECKING, Final

from gateway_client import AsyncGatewayClient, GatewayClient

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from gateway_client.aio.message import AsyncMessage
    from gateway_client.queue_message import BaseMessage

__all__ = ["KINDS", "TOPIC", "Tally"]

TOPIC: Final = "bench"

_SAMPLED: Final = 15
"""A message is looked at where its number has none of these bits."""

_STAMP: Final = slice(11, 30)
"""Where a text has the time when it was sent, in nanoseconds of the machine's clock."""


class Tally:
    """Counts messages down to a result."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._left = self._expected = 0
        self._first = 0.0
        self._latencies: list[int] = []

    def __repr__(self) -> str:
        return f"<Tally {self._left} of {self._expected} left>"

    def begin(self, messages: int) -> None:
        """Count so many from now on."""
        self._latencies.clear()
        self._first = 0.0
        self._left = self._expected = messages
        print("counting", flush=True)

    def count(self, message: BaseMessage) -> None:
        """Count one."""
        self._left = left = self._left - 1
        if not self._first:
            self._first = time.monotonic()
        if not left & _SAMPLED:
            now = time.monotonic_ns()
            self._latencies.append(now - int(message.data["frame"]["data"][_STAMP]))
            if not left:
                self._tell(now / 1e9 - self._first)

    def _tell(self, seconds: float) -> None:
        sampled = sorted(self._latencies)
        p50, p99 = (sampled[int(len(sampled) * part)] // 1000 for part in (0.5, 0.99))
        result = f"result messages={self._expected} seconds={seconds:.6f}"
        print(f"{result} p50_us={p50} p99_us={p99}", flush=True)


async def _empty(register: str, tally: Tally) -> None:
    async with AsyncGatewayClient(register) as client:
        async for message in client.consume(TOPIC):
            tally.count(message)


async def _manual(register: str, tally: Tally) -> None:
    async with AsyncGatewayClient(register) as client:
        async for message in client.consume(TOPIC, manual_ack=True):
            tally.count(message)
            await message.ack()


async def _reply(register: str, tally: Tally) -> None:
    async with AsyncGatewayClient(register) as client:
        async for message in client.consume(TOPIC):
            tally.count(message)
            await _echo(message)


async def _reply_side_by_side(register: str, tally: Tally) -> None:
    async def handle(message: AsyncMessage) -> None:
        tally.count(message)
        await _echo(message)

    async with AsyncGatewayClient(register) as client:
        await client.consume_with(handle, TOPIC)


async def _echo(message: AsyncMessage) -> None:
    await message.reply(message.data["frame"]["data"])


def _blocking(register: str, tally: Tally) -> None:
    with GatewayClient(register) as client:
        for message in client.consume(TOPIC):
            tally.count(message)


def _on_a_loop(
    consume: Callable[[str, Tally], Coroutine[Any, Any, None]],
) -> Callable[[str, Tally], None]:
    return lambda register, tally: asyncio.run(consume(register, tally))


KINDS: Final[dict[str, Callable[[str, Tally], None]]] = {
    "async": _on_a_loop(_empty),
    "manual_ack": _on_a_loop(_manual),
    "reply": _on_a_loop(_reply),
    "reply_side_by_side": _on_a_loop(_reply_side_by_side),
    "blocking": _blocking,
}
"""What consumes, by its name on the command line."""


def _obey(tally: Tally) -> None:
    for line in sys.stdin:
        tally.begin(int(line))


def main(register: str, kind: str) -> None:
    """Consume until the process is ended."""
    tally = Tally()
    Thread(target=_obey, args=(tally,), daemon=True).start()
    KINDS[kind](register, tally)


if __name__ == "__main__":
    main(*sys.argv[1:])
