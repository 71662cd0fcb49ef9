"""Two hands at one session: a worker's handlers, and an application with the client library."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import pytest

from gateway_client import AsyncGatewayClient
from tests.support.cluster import gateway, register
from tests.support.crowd import Talker, frame, talkers
from tests.support.daemons import Daemon
from tests.support.waiting import eventually
from tests.support.workers import Journal, metric, worker

WRITES = 10_000
"""Of each hand."""
KEYS = 100
"""That each hand writes in turn."""


class Stage(NamedTuple):
    """A browser, the other hand, and where the handlers tell what they do."""

    talker: Talker
    client: AsyncGatewayClient
    journal: Journal


class Started(NamedTuple):
    """A cluster: its register, its gateway, and the worker's journal."""

    directory: Daemon
    door: Daemon
    journal: Journal


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """Start a cluster."""
    journal = Journal(tmp_path_factory.mktemp("journal"))
    with (
        register() as directory,
        gateway(directory, "--ping-interval=0") as door,
        worker(directory, "counting", environment=journal.environment),
    ):
        eventually(lambda: metric(door, "workers") == 1)
        yield Started(directory, door, journal)


@pytest.fixture
async def stage(started: Started) -> AsyncIterator[Stage]:
    """Open a browser."""
    async with (
        AsyncGatewayClient(started.directory.ready.listen) as client,
        talkers(started.door.ready.ws, 1) as (talker,),
    ):
        yield Stage(talker, client, started.journal)


async def shown(talker: Talker) -> dict[str, Any]:
    """Give the session as the browser's next event sees it."""
    session: dict[str, Any] = json.loads(await talker.ask("show"))
    return session


async def write(client: AsyncGatewayClient, client_id: str, numbers: range) -> None:
    """Be the other hand: count up in one key, and write each number into one of many."""
    async with client.pipeline(timeout=50) as pipeline:
        for number in numbers:
            changes = {"other": number, f"other {number % KEYS}": number}
            pipeline.update_session(client_id, changes)
    assert pipeline.results == [True] * len(numbers)


async def test_two_hands_that_write_different_keys_lose_nothing(stage: Stage) -> None:
    """10,000 events and 10,000 updates at once: all are there, and no handler saw time go back."""
    talker, client, _ = stage
    for first in range(
        0, WRITES, KEYS
    ):  # in turns, so that neither is done before the other begins
        numbers = range(first, first + KEYS)
        talker.send_all(b"".join(frame(str(number)) for number in numbers))
        await write(client, talker.client_id, numbers)
    session = await shown(talker)
    last = range(WRITES - KEYS, WRITES)
    assert session["count"] == WRITES
    assert session["back"] == 0
    assert session["other"] == WRITES - 1
    assert [session[f"handler {number % KEYS}"] for number in last] == list(last)
    assert [session[f"other {number % KEYS}"] for number in last] == list(last)
    assert await client.get_session(talker.client_id) == session
    assert session["on"] > 1  # they did run side by side


async def test_of_two_that_write_one_key_the_last_to_arrive_wins(stage: Stage) -> None:
    """A handler keeps what it began with; its own value arrives when it returns, and wins then."""
    talker, client, journal = stage
    latch = journal.latch("the handler is last")
    await client.update_session(talker.client_id, {"key": "first", "kept": 1})
    talker.send(f"hold {latch}")
    await asyncio.to_thread(journal.wait, "holding", key="first")
    await client.update_session(talker.client_id, {"key": "the other's", "kept": 2})
    await asyncio.to_thread(journal.let_go, latch)
    await talker.until_received(1)
    assert json.loads(talker.received[0]) == {"key": "the handler's", "kept": 1}
    assert await shown(talker) == {"key": "the handler's", "kept": 2}
    assert await client.get_session(talker.client_id) == {"key": "the handler's", "kept": 2}


async def test_what_arrives_after_a_handler_has_returned_wins_over_it(stage: Stage) -> None:
    """And the next event sees it."""
    talker, client, journal = stage
    latch = journal.latch("the other is last")
    talker.send(f"hold {latch}")
    await asyncio.to_thread(journal.let_go, latch)
    await talker.until_received(1)
    await shown(talker)  # the next event: so the patch of the first has arrived
    await client.update_session(talker.client_id, {"key": "the other's"})
    assert await shown(talker) == {"key": "the other's"}
