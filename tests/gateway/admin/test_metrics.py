"""The metrics page."""

import asyncio
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from gateway.admin.measures import NAMESPACE
from gateway.admin.metrics import CATALOGUE, MetricsPage
from gateway.queues.limits import MESSAGE_OVERHEAD, QueueLimits
from gateway_wire.errors import ErrorCode
from tests.gateway.admin.core import Core, gateway
from tests.gateway.admin.ports import served
from tests.gateway.queues.queued import End
from tests.gateway.running import dial_worker
from tests.gateway.support import turns_until
from tests.support.links import Dialler

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"
NAME = re.compile(rf"`({NAMESPACE}_\w+)`")


async def page(core: Core, accept: str = "") -> tuple[str, str]:
    """Give content type and text of the page."""
    headers = {"Accept": accept} if accept else {}
    async with (
        served(MetricsPage(core.sources()).routes()) as session,
        session.get("/metrics", headers=headers) as answer,
    ):
        return answer.headers["Content-Type"], await answer.text()


async def values(core: Core) -> dict[str, float]:
    """Give each sample's value by its name, with the label's value behind it if there is one."""
    _, text = await page(core)
    return {
        " ".join([sample.name.removeprefix(f"{NAMESPACE}_"), *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_browsers_are_counted() -> None:
    """Who is online, bound and in groups, and who ended how."""
    async with gateway() as core:
        first, second = await core.browser(), await core.browser()
        ann, bob = (core.hub.connections[each.client_id] for each in (first, second))
        core.hub.bind(ann, "ann")
        for each in (ann, bob):
            core.hub.join(each, "room")
        seen = await values(core)
        assert [seen[name] for name in ("connections", "uids", "groups", "sockets")] == [2, 1, 1, 2]
        core.clients.close(ann, None, 4001, "enough")
        core.clients.destroy(bob)
        await core.clients.all_gone()
        seen = await values(core)
    assert seen["connections"] == seen["sockets"] == 0
    assert seen["connections_opened_total"] == 2
    assert seen["connections_closed_total application"] == 1
    assert seen["connections_closed_total closed"] == 1


async def test_messages_are_counted() -> None:
    """A delivery is a message of the application: the init message is none."""
    async with gateway() as core:
        browser = await core.browser()
        core.outbox.offer(core.hub.of_clients([browser.client_id]), "hello")
        assert await browser.next() == "hello"
        seen = await values(core)
    assert seen["deliveries_total"] == 1
    assert seen["flushes_total"] == 1
    assert seen["written_bytes_total"] > len("hello")
    assert seen["blocked_connections"] == seen["waiting_bytes"] == 0


async def test_frames_that_leave_together_show() -> None:
    """A histogram whose count is the writes and whose sum is the frames."""
    async with gateway() as core:
        browser = await core.browser()
        for number in range(3):
            core.outbox.offer(core.hub.of_clients([browser.client_id]), f"hello {number}")
        assert await browser.next() == "hello 0"
        seen = await values(core)
    assert (seen["frames_per_flush_count"], seen["frames_per_flush_sum"]) == (1, 3)
    buckets = [seen[f"frames_per_flush_bucket {up_to}"] for up_to in ("1.0", "2.0", "4.0", "+Inf")]
    assert buckets == [0, 0, 1, 1]


async def test_events_are_counted_by_what_became_of_them() -> None:
    """Their sum is exact, and every reason of a loss is there from the start."""
    async with gateway() as core, Dialler(core.address) as dialler:
        worker = await dial_worker(dialler)
        browser = await core.browser()
        await browser.send("one")
        await browser.send("two")
        await worker.told(4)
        worker.finish(1, 77)
        await turns_until(lambda: core.router.counters.unknown)
        seen = await values(core)
        assert seen["workers"] == 1
        assert [seen[f"events{each}"] for each in ("_total", "_dispatched_total")] == [3, 3]
        assert (seen["events_acknowledged_total"], seen["events_unacknowledged"]) == (1, 2)
        assert seen["acknowledgements_unknown_total"] == 1
        assert seen["event_lag_seconds"] > 0
        worker.link.close(ErrorCode.STOPPING, "gone")
        await turns_until(lambda: not core.router.workers)
        await browser.send("three")
        await turns_until(lambda: core.router.held)
        seen = await values(core)
    assert seen["events_lost_total worker_lost"] == 2
    assert (seen["events_held"], seen["events_unacknowledged"], seen["workers"]) == (1, 0, 0)
    for reason in ("no_worker", "hold_full", "stopping"):
        assert seen[f"events_lost_total {reason}"] == 0
    assert seen["messages_discarded_total"] == seen["paused_connections"] == 0


async def test_queues_are_counted_by_topic() -> None:
    """What is in each, who has it, what became of the rest, and who waits."""
    async with gateway() as core:
        browser = await core.browser()
        ann = core.hub.connections[browser.client_id]
        core.queues.limits = QueueLimits(messages=3, tries=1)
        end = End()
        consumer = core.queues.attach(end, 2, "w")
        core.queues.consume(consumer, ["chat"])
        for number in range(5):
            core.queues.push("chat", number, ann, asyncio.get_running_loop().time() - 60)
        core.queues.call_when_room("chat", lambda: None)
        ids = [message.message_id for message in end.sent]
        core.queues.acknowledge(consumer, ids[1:])
        core.queues.reject(consumer, ids[:1], tried=True)
        core.queues.reject(consumer, [end.sent[-1].message_id], tried=False)
        seen = await values(core)
    of_chat = {name.split()[0]: value for name, value in seen.items() if name.endswith(" chat")}
    assert of_chat.pop("queue_age_seconds") >= 60
    assert of_chat.pop("queue_bytes") == 3 * (MESSAGE_OVERHEAD + 1) + len(ann.packed_headers)
    assert of_chat == {
        "queue_waiting": 1,
        "queue_unacknowledged": 2,
        "queue_consumers": 1,
        "queue_paused_connections": 1,
        "queue_pushed_total": 5,
        "queue_delivered_total": 6,
        "queue_redelivered_total": 2,
        "queue_acknowledged_total": 1,
        "queue_dead_total": 1,
        "queue_dropped_total": 0,
    }
    assert seen["queue_waiting dead:chat"] == 1


async def test_the_state_of_the_process_shows() -> None:
    """Ready, accepting, registers and lag are gauges of 0 and 1 or numbers."""
    async with gateway() as core:
        seen = await values(core)
        assert (seen["ready"], seen["accepting"], seen["registers_connected"]) == (1, 1, 1)
        core.reason = "stopping"
        core.edge.stop_accepting()
        seen = await values(core)
    assert (seen["ready"], seen["accepting"], seen["registers_lost"]) == (0, 0, 0)


async def test_every_close_reason_is_there_from_the_start() -> None:
    """A rate needs a sample before the first event."""
    async with gateway() as core:
        seen = await values(core)
    assert seen["connections_closed_total slow"] == 0
    assert seen["connections_closed_total ping_timeout"] == 0


async def test_memory_cpu_and_files_are_told() -> None:
    """The process's own numbers stand beside ours."""
    async with gateway() as core:
        seen = await values(core)
    assert seen["process_resident_memory_bytes"] > 0
    assert seen["process_cpu_seconds_total"] > 0
    assert seen["process_open_fds"] > 0


async def test_prometheus_chooses_the_format() -> None:
    """Both text formats are spoken."""
    async with gateway() as core:
        kind, text = await page(core)
        assert kind.startswith("text/plain")
        kind, text = await page(core, "application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")


async def test_the_document_lists_exactly_what_is_exported() -> None:
    """No metric is without a line in the document, and no line without a metric."""
    async with gateway() as core:
        _, text = await page(core)
    exported = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in text_string_to_metric_families(text)
    }
    assert exported == set(NAME.findall(DOCUMENT.read_text("utf-8")))


def test_names_say_what_they_are() -> None:
    """Each name stands once; the unit is at its end and never `total`, which counters get."""
    names = [measure.name for measure in CATALOGUE]
    assert len(names) == len(set(names))
    assert not any(name.endswith("total") for name in names)
