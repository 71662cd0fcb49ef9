"""How browsers are let go, over edges without I/O."""

import asyncio

from gateway.drain import LEAST_PER_TICK, TICK, close_all
from gateway_wire import close_codes
from tests.gateway.support import Doorkeeper, Pipe, Pipes, pipe_of, request

GOODBYE = [(close_codes.STOPPING.code, close_codes.STOPPING.name)]


async def test_a_few_are_closed_at_once() -> None:
    """Nobody waits for a spread that so few do not need."""
    pipes = Pipes()
    connections = [pipes.connect() for _ in range(LEAST_PER_TICK)]
    closing = asyncio.create_task(close_all(pipes.hub, pipes.clients, 3600))
    await asyncio.sleep(0)
    assert closing.done()
    assert [pipe_of(each).goodbyes for each in connections] == [GOODBYE] * LEAST_PER_TICK


async def test_many_are_closed_at_an_even_pace() -> None:
    """Each tick takes its share; after the time nobody is left, and each was told once."""
    pipes = Pipes()
    connections = [pipes.connect() for _ in range(400)]
    closing = asyncio.create_task(close_all(pipes.hub, pipes.clients, 4 * TICK))
    await asyncio.sleep(0)
    assert len(pipes.hub.connections) == 300
    await closing
    assert [pipe_of(each).goodbyes for each in connections] == [GOODBYE] * 400


async def test_without_a_time_all_are_closed_at_once() -> None:
    """`--drain 0` spreads nothing."""
    pipes = Pipes()
    for _ in range(400):
        pipes.connect()
    closing = asyncio.create_task(close_all(pipes.hub, pipes.clients, 0))
    await asyncio.sleep(0)
    assert closing.done()
    assert not pipes.hub.connections


async def test_who_comes_meanwhile_is_closed_too() -> None:
    """A handshake that finishes during the stop does not outlive it."""
    pipes = Pipes()
    for _ in range(100):
        pipes.connect()
    closing = asyncio.create_task(close_all(pipes.hub, pipes.clients, 2 * TICK))
    await asyncio.sleep(0)
    late = pipes.connect()
    await closing
    assert pipe_of(late).goodbyes == GOODBYE


async def test_who_comes_afterwards_is_sent_away_at_once() -> None:
    """A handshake that finishes when all are closed, but not yet gone, does not hold up the stop."""
    pipes = Pipes()
    await close_all(pipes.hub, pipes.clients, 0)
    late = pipes.connect()
    assert pipe_of(late).goodbyes == GOODBYE
    assert not pipes.hub.connections


async def test_who_was_not_let_in_yet_is_closed_too() -> None:
    """It is in no count of clients, and does not hold up the stop."""
    doorkeeper = Doorkeeper()
    pipes = Pipes(choose=lambda _: doorkeeper)
    pipe = Pipe(pipes.lines)
    pipes.clients.opened(pipe, request())
    await close_all(pipes.hub, pipes.clients, 3600)
    assert pipe.goodbyes == GOODBYE
    assert not pipes.clients.pending


async def test_with_nobody_there_it_is_over() -> None:
    """An empty gateway stops at once."""
    pipes = Pipes()
    await close_all(pipes.hub, pipes.clients, 3600)
