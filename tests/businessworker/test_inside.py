"""`Gateway` and `AsyncGateway` inside a worker: from threads, from other loops, from its own loop."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import pytest
from asgiref.sync import async_to_sync

from businessworker.inside import OwnLinks
from businessworker.links import Links
from businessworker.mailbox import Mailbox
from gateway_client import (
    AsyncGateway,
    Gateway,
    GatewayClient,
    GatewayError,
    GatewayUnavailable,
    MessageTooLarge,
    ReplyTimeout,
    config,
    inside,
)
from gateway_client.config import Config
from gateway_wire import commands as wire
from gateway_wire.commands import Command, TakeEvents
from tests.businessworker.peers import Peers, peers
from tests.gateway_client.peers import mute

LIMIT = 1000
"""Bytes of the largest message of these workers."""


@pytest.fixture
def there() -> Iterator[Peers]:
    """A register and its gateways."""
    with peers() as running:
        yield running


class Inner(NamedTuple):
    """A worker without events."""

    mailbox: Mailbox
    links: Links
    own: OwnLinks


@pytest.fixture
async def worker(there: Peers) -> AsyncIterator[Inner]:
    """This process, as a worker that has heard the register."""
    mailbox = Mailbox(asyncio.get_running_loop())
    links = Links(
        Config((there.register.address,), timeout=2, max_message=LIMIT), TakeEvents("w", 0)
    )
    own = OwnLinks(links.engine, mailbox)
    inside.install(own)
    config.set_defaults([there.register.address], "")
    try:
        await links.start()
        yield Inner(mailbox, links, own)
    finally:
        inside.uninstall()
        config.forget_defaults()
        await links.close()


class Current:
    """The client whose event a test handles; commands go where those of a real one go."""

    def __init__(self, worker: Inner, client_id: str) -> None:
        self.client_id = client_id
        self._worker = worker

    def send(self, command: Command) -> None:
        """Send on the gateway's link, by way of the mailbox from a thread."""
        if self._worker.mailbox.is_here:
            self._say(command)
        else:
            self._worker.mailbox.post(self._say, command)

    def _say(self, command: Command) -> None:
        (link,) = self._worker.links.gateways
        assert link._link is not None
        link._link.send(command)


async def test_a_thread_uses_the_workers_links(there: Peers, worker: Inner) -> None:
    """Sends, binds, queries and their results, on the one link that the worker has."""
    me = there.gateway.connect()

    def handler() -> None:
        assert Gateway.bind_uid(me, 42) is True
        assert Gateway.send_to_uid(42, {"type": "hi"}) == 1
        assert Gateway.get_client_id_by_uid(42) == [me]
        assert Gateway.send_to_client("c" * 32, "nobody") == 0
        assert Gateway.send_to_uid([], "nobody") == 0
        with pytest.raises(MessageTooLarge):
            Gateway.send_to_uid(42, "m" * (LIMIT + 1))

    await asyncio.to_thread(handler)
    assert there.gateway.openings == 1
    assert repr(worker.own) == f"<OwnLinks {worker.own.calls} calls>"
    assert worker.own.calls == 6


async def test_the_workers_own_loop_runs_calls_itself(there: Peers, worker: Inner) -> None:
    """`AsyncGateway` on the worker's loop uses the same link."""
    me = there.gateway.connect()
    assert await AsyncGateway.bind_uid(me, 42) is True
    assert await AsyncGateway.send_to_uid(42, "m") == 1
    await AsyncGateway.send_to_uid(42, "m", confirm=False)
    async with AsyncGateway.pipeline() as pipeline:
        pipeline.send_to_uid(42, "m")
        pipeline.get_all_client_count()
    assert pipeline.results == [1, 1]
    assert there.gateway.openings == 1
    assert worker.own.calls == 5


async def test_other_loops_are_served_too(there: Peers, worker: Inner) -> None:
    """`async_to_sync` and `asyncio.run` in a thread have loops of their own, and no links."""
    me = there.gateway.connect()

    async def talk() -> list[object]:
        assert await AsyncGateway.bind_uid(me, 42) is True
        await AsyncGateway.send_to_uid(42, "m", confirm=False)
        async with AsyncGateway.pipeline() as pipeline:
            pipeline.send_to_uid(42, "m")
        with pytest.raises(MessageTooLarge):
            await AsyncGateway.send_to_uid(42, "m" * (LIMIT + 1))
        return pipeline.results

    assert await asyncio.to_thread(lambda: asyncio.run(talk())) == [1]
    assert await asyncio.to_thread(async_to_sync(talk)) == [1]
    assert there.gateway.openings == 1


async def test_a_loop_that_gave_up_is_not_disturbed(there: Peers, worker: Inner) -> None:
    """An answer that comes when the caller was cancelled, or its loop is closed, goes nowhere."""
    held: list[tuple[object, int]] = []
    there.gateway.fault = lambda link, _, request_id: held.append((link, request_id))

    async def impatient() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await AsyncGateway.get_all_client_count()

    await asyncio.to_thread(lambda: asyncio.run(impatient()))
    there.gateway.fault = None
    (link, request_id), *_ = held
    there.loop.call(link.send, wire.Reply(7), request_id)  # type: ignore[attr-defined]
    assert await AsyncGateway.get_all_client_count() == 0


async def test_the_blocking_client_refuses_the_loops_thread(worker: Inner) -> None:
    """It would stop the loop that has to answer it; the error names the other one."""
    with pytest.raises(RuntimeError, match=r"await AsyncGateway\.send_to_uid"):
        Gateway.send_to_uid(42, "m")
    with pytest.raises(RuntimeError, match="AsyncGateway"), Gateway.pipeline() as pipeline:
        pipeline.send_to_uid(42, "m")


async def test_one_threads_words_leave_in_their_order(there: Peers, worker: Inner) -> None:
    """Confirmed and unconfirmed calls, pipelines, and what goes to the current client."""
    me = there.gateway.connect()

    def handler() -> None:
        inside.current_client.set(Current(worker, me))
        for number in range(0, 60, 6):
            Gateway.send_to_uid("u", str(number), confirm=False)
            Gateway.send_to_current_client(str(number + 1))
            Gateway.send_to_all(str(number + 2))
            Gateway.send_to_current_client(str(number + 3))
            with Gateway.pipeline() as pipeline:
                pipeline.send_to_group("g", str(number + 4))
            Gateway.send_to_client(me, str(number + 5), confirm=False)
        Gateway.get_all_client_count()

    await AsyncGateway.get_all_client_count()
    await asyncio.to_thread(handler)
    said = [each.message for each in there.gateway.received if hasattr(each, "message")]
    assert said == list(map(str, range(60)))


async def test_current_client_methods_on_the_loop_never_wait(there: Peers, worker: Inner) -> None:
    """An `async def` handler may await them without giving up its turn."""
    me = there.gateway.connect()
    await AsyncGateway.get_all_client_count()
    inside.current_client.set(Current(worker, me))
    for said in (
        AsyncGateway.send_to_current_client({"n": 1}),
        AsyncGateway.close_current_client("bye"),
        AsyncGateway.destroy_current_client(),
    ):
        with pytest.raises(StopIteration):
            said.send(None)
    await AsyncGateway.get_all_client_count()
    assert there.gateway.commands(wire.SendToClients) == [wire.SendToClients([me], '{"n":1}')]
    assert there.gateway.commands(wire.CloseClient) == [wire.CloseClient(me, "bye")]
    assert there.gateway.commands(wire.DestroyClient) == [wire.DestroyClient(me)]
    with pytest.raises(MessageTooLarge, match="raise max_message"):
        await AsyncGateway.send_to_current_client("m" * (LIMIT + 1))


async def test_an_unconfirmed_send_waits_for_nothing(there: Peers, worker: Inner) -> None:
    """It returns when the gateway does not answer; what is lost is counted."""
    await AsyncGateway.get_all_client_count()
    there.gateway.fault = mute
    await asyncio.to_thread(lambda: Gateway.send_to_all("m", confirm=False))
    there.gateway.stop()
    (link,) = worker.links.gateways
    while not link.trouble.startswith("could not be reached"):  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.001)
    await asyncio.to_thread(lambda: Gateway.send_to_all("m", confirm=False))
    assert Gateway.lost == AsyncGateway.lost == worker.own.lost == 1


async def test_what_cannot_be_sent_is_raised_where_it_is_called(
    there: Peers, worker: Inner
) -> None:
    """A gateway that is down, one that is silent, none at all."""
    me = there.gateway.connect()
    await AsyncGateway.get_all_client_count()
    there.gateway.fault = mute
    with pytest.raises(ReplyTimeout, match=r"within 0\.05 s"):
        await asyncio.to_thread(lambda: Gateway.is_online(me, timeout=0.05))
    there.register.tell()
    there.gateway.stop()
    while worker.links.gateways:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.001)
    for confirm in (True, False):
        with pytest.raises(GatewayUnavailable):
            await asyncio.to_thread(lambda: Gateway.send_to_all("m", confirm=confirm))  # noqa: B023


async def test_a_call_that_must_look_a_gateway_up_waits_for_it(there: Peers, worker: Inner) -> None:
    """A client of a gateway that the worker does not know yet is found, and the thread told."""
    you = there.other.connect()
    there.register.nodes = [there.gateway.entry, there.other.entry]
    assert await asyncio.to_thread(lambda: Gateway.send_to_client(you, "m")) == 1
    unconfirmed = "d" * 32
    await asyncio.to_thread(lambda: Gateway.send_to_client(unconfirmed, "m", confirm=False))


async def test_a_loop_that_stands_still_is_told_to_the_thread(worker: Inner) -> None:
    """A thread does not wait for ever for a loop that a handler blocks."""
    errors: list[Exception] = []

    def handler() -> None:
        try:
            Gateway.get_all_client_count(timeout=0.01)
        except GatewayError as error:
            errors.append(error)

    thread = threading.Thread(target=handler)
    thread.start()
    thread.join()  # on the loop's thread, so that it stands still
    assert "this worker's event loop" in str(errors[0])
    assert "blocks it" in str(errors[0])


async def test_a_call_ends_with_the_worker(there: Peers, worker: Inner) -> None:
    """A thread that waits for an answer hears that the link was closed."""
    there.gateway.fault = mute
    waiting = asyncio.create_task(asyncio.to_thread(Gateway.get_all_client_count))
    await asyncio.to_thread(
        there.gateway.wait_for, lambda: wire.CountClients() in there.gateway.received
    )
    await worker.links.close()
    with pytest.raises(ReplyTimeout, match="was lost before it answered"):
        await waiting


async def test_other_clients_keep_links_of_their_own(there: Peers, worker: Inner) -> None:
    """A subclass and a client object dial; without an address they find the worker's cluster."""

    class Other(Gateway):
        pass

    def handler() -> None:
        assert Other.get_all_client_count() == 0
        Other.close()
        with GatewayClient() as client:
            assert client.get_all_client_count() == 0
        Gateway.close()  # the worker keeps its links
        assert Gateway.get_all_client_count() == 0

    await AsyncGateway.get_all_client_count()
    await asyncio.to_thread(handler)
    await AsyncGateway.aclose()
    assert there.gateway.openings == 3


def _count(answers: multiprocessing.SimpleQueue[object]) -> None:
    try:
        Gateway.send_to_current_client("m")
    except RuntimeError as error:
        answers.put(str(error))
    answers.put(Gateway.get_all_client_count())
    Gateway.close()


async def test_a_forked_child_is_outside(there: Peers, worker: Inner) -> None:
    """A process that a handler forks has no current client, and links of its own to the cluster."""
    there.gateway.connect()
    fork = multiprocessing.get_context("fork")
    answers: multiprocessing.SimpleQueue[object] = fork.SimpleQueue()

    def handler() -> None:
        inside.current_client.set(Current(worker, "a" * 32))
        child = fork.Process(target=_count, args=(answers,))
        child.start()
        child.join()
        ended.append(child.exitcode)

    ended: list[int | None] = []
    thread = threading.Thread(target=handler)
    thread.start()
    await asyncio.to_thread(thread.join)
    assert ended == [os.EX_OK]
    assert "outside of an event" in str(answers.get())
    assert answers.get() == 1
    assert await AsyncGateway.get_all_client_count() == 1
