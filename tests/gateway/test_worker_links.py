"""A whole gateway process between browsers and workers, over real sockets."""

import asyncio
import logging
from collections import defaultdict
from contextlib import AsyncExitStack

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import ClientConnection, connect

from gateway.holding import Loss
from gateway_process.inspection import ConnectionQuery
from gateway_wire.addresses import Address
from gateway_wire.aio.link import LinkLost
from gateway_wire.commands import (
    ClientAssigned,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    LeaveEvents,
    SendToClients,
)
from gateway_wire.errors import ErrorCode
from gateway_wire.limits import EVENT_CREDIT
from tests.gateway.running import WorkerLink, browsing, dial_worker, serving_workers
from tests.gateway.support import turns_until
from tests.support.cluster import gateway, get_text, register
from tests.support.links import Dialler
from tests.support.waiting import eventually


async def test_a_browser_and_a_worker_talk() -> None:
    """The worker is told who it is, how it came and what it says, and answers on the same link."""
    async with serving_workers() as (running, dialler):
        worker = await dial_worker(dialler)
        async with browsing(running, "/room%201?token=t") as (browser, client_id):
            await browser.send("ping")
            assigned, connected, message = await worker.told(3)
            port = browser.local_address[1]
            assert assigned == ClientAssigned(client_id, {}, "127.0.0.1", port, running.url)
            assert isinstance(connected, ClientConnected)
            assert (connected.path, connected.query) == ("/room%201", "token=t")
            assert connected.headers["upgrade"] == "websocket"
            assert message == ClientMessage(2, client_id, None, "ping")
            worker.link.send(SendToClients([client_id], "pong"))
            worker.finish(1, 2)
            assert await browser.recv() == "pong"
            await browser.close(4000, "bye")
            assert await worker.told(1) == [
                ClientClosed(3, client_id, None, 4000, "peer_closed", "bye")
            ]
        worker.finish(3)


async def test_a_flood_is_stopped_at_its_source() -> None:
    """The browser itself is not read from while its events are unfinished; others are served."""
    count = 3_000
    async with serving_workers() as (running, dialler):
        worker = await dial_worker(dialler)
        router, counters = running.process.core.router, running.process.core.clients.counters
        async with browsing(running) as (flood, _), browsing(running) as (calm, calm_id):
            await worker.told(4)
            worker.finish(1, 2)
            sending = asyncio.create_task(_count(flood, count, width=8_000))
            await turns_until(lambda: router.paused)
            flooded = await worker.told(EVENT_CREDIT)
            await calm.send("calm")
            (message,) = await worker.told(1)
            assert (message.client_id, message.message) == (calm_id, "calm")
            worker.finish(message.event_id)
            await turns_until(lambda: router.unacked == EVENT_CREDIT)
            assert counters.received < count / 4
            assert not sending.done()
            worker.finish(*(each.event_id for each in flooded))
            numbers = [int(each.message) for each in flooded]
            while len(numbers) < count:
                (message,) = await worker.told(1)
                numbers.append(int(message.message))
                worker.finish(message.event_id)
            await sending
            assert numbers == list(range(count))
            await turns_until(lambda: not router.unacked)
            assert router.paused == 0


async def _count(browser: ClientConnection, count: int, width: int = 0) -> None:
    for number in range(count):
        await browser.send(f"{number:{width}}")


async def test_workers_that_are_replaced_lose_and_double_nothing() -> None:
    """Each leaves when its successor is there, under messages all the time; the order is kept."""
    async with serving_workers() as (running, dialler), browsing(running) as (browser, _):
        handled: list[int] = []
        worker = await dial_worker(dialler)
        working = asyncio.create_task(_work(worker, handled))
        sending = asyncio.create_task(_count(browser, 3_000))
        for generation in range(1, 6):
            while len(handled) < 400 * generation:  # noqa: ASYNC110 - the loop's own progress
                await asyncio.sleep(0)
            successor = await dial_worker(dialler)
            following = asyncio.create_task(_work(successor, handled))
            worker.link.send(LeaveEvents(), 1000)
            await working
            worker.link.close(ErrorCode.STOPPING, "replaced")
            worker, working = successor, following
        await sending
        await turns_until(lambda: len(handled) == 3_000)
        worker.link.send(LeaveEvents(), 1000)
        await working
        assert handled == list(range(3_000))
        assert running.process.core.router.counters.lost.total() == 0


async def _work(worker: WorkerLink, handled: list[int]) -> None:
    """Finish each event at once, until leaving is answered."""
    while True:
        request_id, command = await worker.next()
        if request_id:
            return
        if isinstance(command, ClientMessage):
            handled.append(int(command.message))
        if not isinstance(command, ClientAssigned):
            worker.finish(command.event_id)


async def test_the_last_events_are_finished_before_a_stop_ends() -> None:
    """Browsers are closed, the worker hears of each, and its links live until it is done."""
    async with serving_workers() as (running, dialler):
        worker = await dial_worker(dialler)
        async with browsing(running) as (browser, client_id):
            await worker.told(2)
            stopping = asyncio.create_task(running.process.stop())
            (closed,) = await worker.told(1)
            assert closed == ClientClosed(2, client_id, None, 1012, "stopping", "stopping")
            assert browser.close_code == 1012
            assert not stopping.done()
            assert worker.link.is_open
            worker.finish(1)
            worker.finish(2)
            await stopping
        reason = await worker.owner.reasons.get()
        assert "this gateway is stopping" in str(reason)
        counters = running.process.core.router.counters
        assert (counters.acknowledged, counters.lost.total()) == (2, 0)


async def test_a_worker_that_never_finishes_does_not_hold_a_stop_up_for_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What it has is lost when the time is over, and the log says how much."""
    async with serving_workers(stop_timeout=2.1) as (running, dialler):
        worker = await dial_worker(dialler)
        async with browsing(running):
            await worker.told(2)
            with caplog.at_level(logging.WARNING, "gateway"):
                await running.process.stop()
    assert "2 events were not finished in time; they are lost" in caplog.text
    assert running.process.core.router.unacked == 0


async def test_what_waits_for_no_worker_does_not_hold_a_stop_up() -> None:
    """Nobody will come for it."""
    async with serving_workers() as (running, dialler):
        worker = await dial_worker(dialler)
        worker.link.close(ErrorCode.STOPPING, "gone")
        await turns_until(lambda: not running.process.core.router.workers)
        async with browsing(running):
            await running.process.stop()
        assert running.process.core.router.counters.lost[Loss.STOPPING] == 2


async def test_work_and_connections_are_told() -> None:
    """What `status` and `connections` show of a gateway process."""
    async with serving_workers() as (running, dialler):
        worker = await dial_worker(dialler)
        async with browsing(running) as (browser, client_id):
            await browser.send("hello")
            await worker.told(3)
            connections = running.process.core.hub.connections
            running.process.core.outbox.offer([connections[client_id]], "welcome")
            work = running.process.work()
            (row,) = running.process.connections(ConnectionQuery()).rows
        assert (work.connections, work.messages_in, work.messages_out) == (1, 1, 1)
        assert work.send_failures == 0
        assert work.event_lag > 0
        assert (row["client_id"], row["worker"], row["listener"]) == (client_id, "w#0", running.url)


async def test_the_sums_are_exact_when_a_worker_dies_under_load() -> None:
    """Each event is handled once or counted as lost, no browser is dropped, the order is kept."""
    browsers, messages = 10, 300
    handled: dict[str, list[int]] = defaultdict(list)
    with register() as directory, gateway(directory) as daemon:
        async with (
            Dialler(Address.parse(daemon.ready.internal)) as dialler,
            AsyncExitStack() as stack,
        ):
            victim, heir = [await dial_worker(dialler) for _ in range(2)]
            working = [asyncio.create_task(_note(each, handled)) for each in (victim, heir)]
            sockets = [
                await stack.enter_async_context(connect(daemon.ready.ws, close_timeout=1))
                for _ in range(browsers)
            ]
            sending = [asyncio.create_task(_count(each, messages)) for each in sockets]
            await turns_until(lambda: sum(map(len, handled.values())) > browsers * messages / 3)
            working[0].cancel()
            victim.link.abort(LinkLost("killed"))
            await asyncio.gather(*sending)
            seen = await asyncio.to_thread(eventually, lambda: _finished(daemon.ready.http))
            working[1].cancel()
            assert all(each.close_code is None for each in sockets)
    assert seen["events_total"] == browsers * (messages + 1)
    assert seen["events_dispatched_total"] == seen["events_total"]
    acknowledged, lost = seen["events_acknowledged_total"], seen["events_lost_total"]
    assert acknowledged + lost == seen["events_total"]
    # What was handled and not heard of any more counts as lost; nothing else is.
    told = sum(map(len, handled.values()))
    assert browsers * messages - lost <= told <= browsers * messages
    assert all(each == sorted(set(each)) for each in handled.values())


async def _note(worker: WorkerLink, handled: dict[str, list[int]]) -> None:
    while True:
        (command,) = await worker.told(1)
        if isinstance(command, ClientMessage):
            handled[command.client_id].append(int(command.message))
        if not isinstance(command, ClientAssigned):
            worker.finish(command.event_id)


def _finished(http: str) -> dict[str, float]:
    """Give the counters of events, by name and summed over reasons, once none is unfinished."""
    seen: dict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(get_text(http, "/metrics")):
        for sample in family.samples:
            seen[sample.name.removeprefix("gatewayworker_gateway_")] += sample.value
    assert seen["events_unacknowledged"] == seen["events_held"] == 0
    return seen
