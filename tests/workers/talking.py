"""Browsers that send numbered messages to `apps/numbers.py`, and what may come back."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from gateway_client import GatewayClient
from tests.support.cluster import gateway, register
from tests.support.crowd import Talker, frame
from tests.support.daemons import Daemon
from tests.support.waiting import eventually
from tests.support.workers import Events, metric, settled_events, worker

END = "the end"


class Answer(NamedTuple):
    """What came back for a message: its number, the process that had it, and how many its session had seen before."""

    number: int
    pid: int
    seen: int


class Running(NamedTuple):
    """Gateways and workers, and a client to speak to them."""

    gateways: list[Daemon]
    workers: list[Daemon]
    client: GatewayClient


@contextmanager
def running(*, gateways: int, workers: Sequence[str], processes: int) -> Iterator[Running]:
    """Start a cluster, and wait until all its parts are linked.

    Args:
        gateways: How many.
        workers: What each instance runs.
        processes: How many processes each has.
    """
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        doors = [gateway(directory, "--ping-interval=0") for _ in range(gateways)]
        rooms = [worker(directory, each, f"--processes={processes}") for each in workers]
        for each in (*doors, *rooms):
            stack.push(each)
            each.launch()
        for each in (*doors, *rooms):
            each.become_ready()
        for each in doors:
            eventually(lambda: metric(each, "workers") == len(workers) * processes)  # noqa: B023
        yield Running(doors, rooms, stack.enter_context(GatewayClient(directory.ready.listen)))


def numbered(count: int, padding: int = 0) -> bytes:
    """Give the frames of messages 0, 1, ..., with so many bytes behind each number."""
    return b"".join(frame(f"{number} {'x' * padding}") for number in range(count))


def answers(talker: Talker) -> list[Answer]:
    """Give what came back to a browser, but for the end."""
    return [Answer(*map(int, text.split())) for text in talker.received if text != END]


async def to_the_end(run: Running, talking: Sequence[Talker], sent: int, before: Events) -> Events:
    """Wait until all that was sent is accounted for and all answers are read; give the account.

    Answers leave a worker before their acknowledgements, so what is sent when all is settled arrives
    after the last of them.
    """
    gateways = run.gateways

    def settled() -> Events:
        account = settled_events(*gateways).since(before)
        assert account.entered == sent, account
        return account

    account = await asyncio.to_thread(eventually, settled)
    await asyncio.to_thread(run.client.send_to_all, END)
    for talker in talking:
        await talker.until_text(END)
        assert talker.close_code is None
    return account
