"""Consuming under fire: what browsers send is handled, in order, whatever is killed meanwhile.

Browsers send numbered messages without pause to three gateways, whose queues are short, so that gateways stop reading from
them all the time. Consumers of all kinds note what they have before they acknowledge it. While messages wait
everywhere, consumers and gateways are killed and others come. What the notes then say of each connection:

- To a gateway that lived: all is there, and the first time in order.
- What a consumer had noted and not acknowledged when it was killed comes again, from there on in order, and flagged. Nothing
  else comes twice.
- To a gateway that was killed: the same up to some message; what it had beyond that is lost with it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from itertools import count, cycle, pairwise
from pathlib import Path
from typing import Final

import pytest

from gateway_client import GatewayClient
from tests.promises.noting import KINDS, PREFETCH, TOPIC, Consumer, Note, by_sender
from tests.support.cluster import gateway, register
from tests.support.crowd import Talker, frame, talkers
from tests.support.daemons import Daemon
from tests.support.waiting import eventually

pytestmark = pytest.mark.serial  # a dozen processes that take all of the machine

logger = logging.getLogger(__name__)

BROWSERS: Final = 200
GATEWAYS: Final = 3
CONSUMERS: Final = 5
PHASES: Final = 5
"""Parts of the run; in each but the last something is killed or stopped."""
MESSAGES: Final = 100
"""Of each browser in a phase: 100,000 in all."""
AT_ONCE: Final = 10
"""Messages that a browser sends before the next one's turn."""
UNDER_WAY: Final = 0.2
"""Share of a phase that is handled when something is killed."""
QUEUE: Final = 2_000
"""Messages that a queue holds: less than waits for it."""
RUN: Final = 120.0
"""Seconds that everything may take, on a machine that is busy with other things."""


class Sender:
    """One connection of a browser, and how much it has sent."""

    def __init__(self, number: int, talker: Talker, door: Daemon) -> None:
        self.number = number
        self.talker = talker
        self.door = door
        self.sent = 0

    def send(self, messages: int) -> None:
        """Send more, each with its number."""
        numbers = range(self.sent, self.sent + messages)
        self.talker.send_all(b"".join(frame(f"{self.number} {each}") for each in numbers))
        self.sent += messages


class Field:
    """The cluster, who sends, and who consumes."""

    def __init__(self, processes: ExitStack, crowds: AsyncExitStack, folder: Path) -> None:
        self._processes = processes
        self._crowds = crowds
        self._folder = folder
        self._kinds = cycle(KINDS)
        self._numbers = count()
        self._directory = processes.enter_context(register())
        self.address = self._directory.ready.listen
        self.gateways: list[Daemon] = []
        self.consumers: list[Consumer] = []
        self.senders: list[Sender] = []
        self.active: list[Sender] = []
        self.killed: list[Daemon] = []

    def begin_gateway(self) -> Daemon:
        """Start one more gateway."""
        flags = ("--route", f"queue:{TOPIC}", "--queue-messages", str(QUEUE))
        started = self._processes.enter_context(gateway(self._directory, *flags))
        self.gateways.append(started)
        return started

    def begin_consumer(self) -> Consumer:
        """Start one more consumer, of the next kind."""
        number = len(self.consumers)
        made = Consumer(next(self._kinds), self.address, self._folder / f"notes {number}")
        self._processes.push(made)
        made.launch()
        self.consumers.append(made)
        return made

    async def connect(self, door: Daemon, browsers: int) -> None:
        """Let browsers come to a gateway."""
        made = await self._crowds.enter_async_context(talkers(door.ready.ws, browsers))
        new = [Sender(next(self._numbers), each, door) for each in made]
        self.senders += new
        self.active += new

    async def send_on(self, share: float) -> None:
        """Have every browser send its part of a phase; wait until that share of it is handled."""
        before = self.handled()
        for _ in range(0, MESSAGES, AT_ONCE):
            for each in self.active:
                each.send(AT_ONCE)
        wanted = before + round(share * MESSAGES * len(self.active))
        await asyncio.to_thread(eventually, lambda: self.handled() >= wanted, RUN)

    def handled(self) -> int:
        """Give how many messages were noted, those that came again counted again."""
        return sum(each.count for each in self.consumers)

    def kill(self, *daemons: Daemon) -> None:
        """End processes with SIGKILL."""
        for each in daemons:
            each.kill()
        self.killed += daemons

    @property
    def living(self) -> list[Daemon]:
        """Gateways that were not killed."""
        return [each for each in self.gateways if each not in self.killed]


@asynccontextmanager
async def field(folder: Path) -> AsyncIterator[Field]:
    """Run a register, gateways, consumers and browsers."""
    with ExitStack() as processes:
        async with AsyncExitStack() as crowds:
            made = Field(processes, crowds, folder)
            for _ in range(CONSUMERS):
                made.begin_consumer()
            for _ in range(GATEWAYS):
                made.begin_gateway()
            for number, door in enumerate(made.gateways):
                await made.connect(door, len(range(number, BROWSERS, GATEWAYS)))
            for each in made.consumers:
                each.become_ready()
            yield made


async def test_what_browsers_send_is_handled_in_order_whatever_is_killed(tmp_path: Path) -> None:
    """100,000 messages of 200 browsers: each is handled, or was in a gateway that was killed."""
    async with field(tmp_path) as on:
        on.consumers[0].die_soon()
        await on.send_on(UNDER_WAY)
        assert await asyncio.to_thread(on.consumers[0].wait) == -signal.SIGKILL
        on.killed.append(on.consumers[0])
        on.begin_consumer()

        await on.send_on(UNDER_WAY)
        on.consumers[2].stop()
        on.begin_consumer()

        await on.send_on(UNDER_WAY)
        await lose_gateway(on, on.gateways[0])

        await on.send_on(UNDER_WAY)
        on.kill(on.consumers[3], on.consumers[5])
        on.begin_consumer()
        await lose_gateway(on, on.gateways[2])

        await on.send_on(0)
        assert sum(each.sent for each in on.senders) == BROWSERS * MESSAGES * PHASES
        await asyncio.to_thread(everything_handled, on)
        for each in on.consumers:
            if each not in on.killed and each is not on.consumers[2]:
                each.stop()
        lost, repeated = check(on)
    assert repeated
    logger.info("%d messages were lost with their gateways, %d came twice", lost, repeated)


async def lose_gateway(on: Field, lost: Daemon) -> None:
    """Kill a gateway; half of its browsers come to others, half to a new one."""
    orphans = [each for each in on.active if each.door is lost]
    on.kill(lost)
    for each in orphans:
        await each.talker.until(lambda: each.talker.close_code is not None)  # noqa: B023 - awaited
        on.active.remove(each)
    half = len(orphans) // 2
    await on.connect(on.gateways[1], half)
    await on.connect(on.begin_gateway(), len(orphans) - half)


def everything_handled(on: Field) -> None:
    """Wait until living gateways have had everything, and see that they kept nothing."""
    sent = sum(each.sent for each in on.senders if each.door not in on.killed)
    kept = ("waiting", "unacknowledged", "paused", "dead", "dropped")
    with GatewayClient(on.address) as client:

        def look() -> dict[str, int | float]:
            state: dict[str, int | float] = client.get_all_queues()[TOPIC]
            assert state["acknowledged"] == state["pushed"] == sent
            return state

        state = eventually(look, RUN)
    assert not any(state[name] for name in kept), state


def check(on: Field) -> tuple[int, int]:
    """Check what was noted; give how many messages were lost, and how many came twice."""
    notes = by_sender(on.consumers)
    lost = repeated = 0
    for sender in on.senders:
        seen = notes.get(sender.number, [])
        handled = in_order(seen, on.killed)
        if sender.door in on.killed:
            lost += sender.sent - handled
        else:
            assert handled == sender.sent
        repeated += len(seen) - handled
    return lost, repeated


def in_order(notes: Sequence[Note], killed: Sequence[Daemon]) -> int:
    """Check the order of one connection's messages; give how many there are."""
    handled = 0
    if notes:
        assert notes[0].number == 0
        handled = 1
    for before, note in pairwise(notes):
        if note.number == before.number + 1:
            assert note.number == handled or note.tries > 1, note
        else:  # from where the consumer that was killed had not acknowledged
            assert before.consumer in killed, (before, note)
            assert before.number - PREFETCH < note.number <= before.number, (before, note)
            assert note.tries > 1, note
        handled = max(handled, note.number + 1)
    return handled
