"""The network between a gateway and its worker breaks under load, while both live on."""

import asyncio
from contextlib import ExitStack
from itertools import pairwise

import pytest

from gateway_client import GatewayClient
from gateway_wire.limits import EVENT_CREDIT
from tests.support.cluster import gateway, register, split
from tests.support.crowd import talkers
from tests.support.relay import relay
from tests.support.waiting import eventually
from tests.support.workers import metric, settled_events, worker
from tests.workers.talking import Running, answers, numbered, to_the_end

ADVERTISED = "127.0.0.2"
"""Where others dial the gateway: an address of this machine too, on which the test listens."""
BROWSERS = 10
MESSAGES = 1_000
CUTS = 3


@pytest.mark.parametrize("target", ["numbers", "numbers:Blocking"])
async def test_links_that_are_cut_cost_what_was_on_its_way(target: str) -> None:
    """Unfinished events are lost and counted, the same worker goes on in order, none comes twice."""
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        place = (f"--advertise={ADVERTISED}", "--advertise-bind=127.0.0.1")
        door = stack.enter_context(gateway(directory, *place))
        port = split(door.ready.internal)[1]
        async with relay((ADVERTISED, port), ("127.0.0.1", port)) as wire:
            serving = worker(directory, target)
            await asyncio.to_thread(stack.enter_context, serving)
            client = stack.enter_context(GatewayClient(directory.ready.listen))
            run = Running([door], [serving], client)
            await asyncio.to_thread(eventually, lambda: metric(door, "workers") == 1)
            async with talkers(door.ready.ws, BROWSERS) as talking:
                before = await asyncio.to_thread(settled_events, door)
                for talker in talking:
                    talker.send_all(numbered(MESSAGES))
                for cut in range(1, CUTS + 1):
                    await talking[0].until_received(cut * MESSAGES // (CUTS + 2))
                    wire.cut()
                account = await to_the_end(run, talking, BROWSERS * MESSAGES, before)
            assert wire.connections > CUTS
        assert 0 < account.lost <= CUTS * BROWSERS * EVENT_CREDIT
        for talker in talking:
            numbers = [answer.number for answer in answers(talker)]
            assert all(first < second for first, second in pairwise(numbers))
        answered = sum(len(answers(talker)) for talker in talking)
        assert account.acknowledged <= answered <= BROWSERS * MESSAGES
