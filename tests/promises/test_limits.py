"""Byte limits under load: whoever does not read is cut and costs memory that is bounded; nobody else pays."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from gateway_client import AsyncGatewayClient
from tests.promises.memory import peak, reset_peak
from tests.support.cluster import gateway, register
from tests.support.crowd import Talker, talkers
from tests.support.daemons import Daemon
from tests.support.waiting import eventually
from tests.support.workers import metric, metrics, resident

KIB = 1024
MIB = 1024 * KIB

DEAF = 200
"""Browsers that do not read; a stream of their own waits for each, and one for all."""
READING = 20
ROUNDS = 50
OWN = "x" * (16 * KIB)
"""What each deaf one is sent in a round: 160 MiB in all, and ten times what may wait."""
SHARED = "y" * 500
TAKEN_IN = 16 * MIB
"""Bytes that may be resident besides what waits: commands that are read, and what the allocator rounds up."""


class Limits(NamedTuple):
    """Two settings, and the bytes that may then wait for all deaf browsers."""

    send_buffer: int
    send_buffer_total: int
    bound: int

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of a gateway with them."""
        return (
            *("--ping-interval", "0", "--max-message", str(64 * KIB)),
            *("--send-buffer", str(self.send_buffer)),
            *("--send-buffer-total", str(self.send_buffer_total)),
        )


EACH = Limits(128 * KIB, 256 * MIB, DEAF * (128 + 16) * KIB)
ALL = Limits(8 * MIB, 16 * MIB, 16 * MIB)


@pytest.mark.parametrize("limits", [EACH, ALL], ids=["send_buffer", "send_buffer_total"])
async def test_who_does_not_read_is_cut_and_nobody_else_is(limits: Limits) -> None:
    """Deaf ones are cut as slow, memory stays bounded, and who reads gets every message of the stream."""
    with register() as directory, gateway(directory, *limits.flags) as door:
        async with (
            AsyncGatewayClient(directory.ready.listen, timeout=30) as client,
            talkers(door.ready.ws, READING) as reading,
            talkers(door.ready.ws, DEAF, narrow=True) as deaf,
        ):
            for each in deaf:
                each.stop_reading()
            before = resident(door.pid)
            reset_peak(door.pid)
            await stream(client, deaf, reading)
            grown = peak(door.pid) - before
            counted = await asyncio.to_thread(look, door)
            assert counted.waiting <= limits.bound
            assert grown < limits.bound + TAKEN_IN
            assert all(each.received == numbered() for each in reading)
            assert counted.closed == {"slow": counted.slow}
            assert counted.slow + counted.blocked == DEAF
            assert counted.slow >= DEAF / 2
            await read_on(deaf, counted.blocked)
        await asyncio.to_thread(eventually, lambda: look(door).is_empty)


async def stream(
    client: AsyncGatewayClient, deaf: Sequence[Talker], reading: Sequence[Talker]
) -> None:
    """Send each deaf one messages of its own and everybody the stream, which readers keep up with."""
    for number, text in enumerate(numbered(), 1):
        async with client.pipeline() as pipeline:
            for each in deaf:
                pipeline.send_to_client(each.client_id, OWN)
            pipeline.send_to_all(text)
        assert all(isinstance(each, int) for each in pipeline.results)
        for each in reading:
            await each.until_received(number)


async def read_on(deaf: Sequence[Talker], survivors: int) -> None:
    """Read the rest; those who were not cut find all that they were sent."""
    everything = [text for shared in numbered() for text in (OWN, shared)]
    for each in deaf:
        each.read_on()
    for each in deaf:
        await each.until(lambda: each.close_code is not None or each.received == everything)  # noqa: B023
    assert sum(each.close_code is None for each in deaf) == survivors


def numbered() -> list[str]:
    """Give the messages of the stream."""
    return [f"{number} {SHARED}" for number in range(ROUNDS)]


class Counted(NamedTuple):
    """What a gateway counted: ends by reason, and what waits for whom."""

    closed: dict[str, int]
    slow: int
    blocked: int
    waiting: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits for anybody."""
        return not self.blocked and not self.waiting


def look(door: Daemon) -> Counted:
    """Read them."""
    page = metrics(door.ready.http)
    start = 'gatewayworker_gateway_connections_closed_total{reason="'
    ends = {name[len(start) : -2]: int(page[name]) for name in page if name.startswith(start)}
    return Counted(
        {reason: count for reason, count in ends.items() if count},
        metric(door, "slow_total"),
        metric(door, "blocked_connections"),
        metric(door, "waiting_bytes"),
    )
