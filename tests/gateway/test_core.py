"""The connected parts of a process: which way what browsers do goes, what a reload changes, and how it ends."""

import asyncio
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from gateway.routes import Route
from gateway.settings import GatewaySettings
from gateway_process.errors import RunError, StartupError
from gateway_wire.commands import AcknowledgeMessages, ClientMessage
from tests.gateway.running import (
    browsing,
    consuming,
    dial_worker,
    serving_workers,
    text_of,
)
from tests.gateway.support import turns_until
from tests.support.links import Dialler

ECHO = """
from gateway import queue

def on_message(conn, message):
    conn.send(f"{VERSION} {message}")
"""


@pytest.fixture
def app_dir(tmp_path: Path) -> Iterator[Path]:
    """Give a folder for modules, and forget them afterwards."""
    path, modules = [*sys.path], {*sys.modules}
    yield tmp_path
    sys.path[:] = path
    for name in {*sys.modules} - modules:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def write(app_dir: Path, code: str, version: int = 1) -> None:
    """Write the entry module of a test."""
    (app_dir / "echo_entry.py").write_text(f"VERSION = {version}\n{code}")


async def test_the_path_says_where_messages_go() -> None:
    """Each browser's messages arrive where the first route that matches says, and nowhere else."""
    routes = (
        "/chat=queue:chat",
        "/chat/=queue:slash",
        "/quiet=discard",
        "/work=worker",
        "queue:rest",
    )
    topics = ("chat", "slash", "rest")
    async with (
        consuming(*routes, topics=topics) as (running, consumer),
        Dialler(running.internal) as dialler,
    ):
        worker = await dial_worker(dialler)
        for path in ("/chat?x=/work", "/chat/", "/quiet", "/work", "/", "/Chat"):
            async with browsing(running, path) as (browser, _):
                await browser.send(path)
                await browser.close()
        got = [(each.topic, text_of(each)) for each in await consumer.told(4)]
        assert got == [
            ("chat", "/chat?x=/work"),
            ("slash", "/chat/"),
            ("rest", "/"),
            ("rest", "/Chat"),
        ]
        messages = [each for each in await worker.told(4) if hasattr(each, "message")]
        assert [each.message for each in messages] == ["/work"]
        assert running.process.core.clients.counters.discarded == 1
        assert consumer.owner.envelopes.empty()


async def test_a_stop_waits_for_consumers() -> None:
    """Browsers are closed; what they said may be dealt with, and the links live until it is."""
    async with consuming("queue:chat") as (running, consumer), browsing(running) as (browser, _):
        await browser.send("last words")
        (message,) = await consumer.told(1)
        stopping = asyncio.create_task(running.process.stop())
        await browser.wait_closed()
        assert browser.close_code == 1012
        assert not stopping.done()
        consumer.link.send(AcknowledgeMessages([message.message_id]))
        await stopping


async def test_a_stop_loses_what_no_consumer_deals_with(caplog: pytest.LogCaptureFixture) -> None:
    """What has nobody is not waited for; the log says how much is lost."""
    async with (
        consuming("queue:chat", topics=("other",)) as (running, _),
        browsing(running) as (browser, _),
    ):
        await browser.send("1")
        await browser.send("2")
        await turns_until(lambda: running.process.core.clients.counters.received == 2)
        with caplog.at_level(logging.WARNING, "gateway"):
            await running.process.stop()
    assert "2 messages on queues were not finished in time; they are lost" in caplog.text


async def test_a_stop_ends_browsers_that_are_not_read_from() -> None:
    """They are told, and may answer: what they sent since is read for that alone."""
    async with (
        consuming("queue:chat", topics=("other",), queue_messages=1) as (running, _),
        browsing(running) as (browser, _),
    ):
        for _ in range(100):
            await browser.send("x" * 1000)
        await turns_until(lambda: running.process.core.queues.states(0.0)["chat"]["paused"])
        await running.process.stop()
        assert browser.close_code == 1012
        assert running.process.core.clients.counters.closed == {"stopping": 1}


async def test_a_reload_changes_routes_for_who_comes_then() -> None:
    """Who is connected stays where it was; limits hold at once."""
    async with (
        consuming("queue:chat", topics=("chat", "news")) as (running, consumer),
        browsing(running) as (old, _),
    ):
        settings = GatewaySettings(route=(Route.parse("queue:news"),), queue_messages=2)
        await running.process.reload(settings)
        async with browsing(running) as (new, _):
            await old.send("old")
            assert (await consumer.told(1))[0].topic == "chat"
            await new.send("new")
            assert (await consumer.told(1))[0].topic == "news"
            assert running.process.core.queues.limits.messages == 2


async def test_a_reload_that_finds_no_room_for_a_topic_changes_no_route() -> None:
    """Consumers have made as many as there may be; no topic was made that there is room for."""
    async with consuming("queue:chat", topics=("a", "b"), queue_topics=4) as (running, consumer):
        routes = (Route.parse("/c=queue:c"), Route.parse("queue:d"))
        with pytest.raises(RunError, match="route: there is no room for the topic 'd'"):
            await running.process.reload(GatewaySettings(route=routes, queue_topics=4))
        assert {*running.process.core.queues.topics} == {"chat", "a", "b"}
        async with browsing(running) as (browser, _):
            await browser.send("x")
            await turns_until(lambda: running.process.core.queues.states(0.0)["chat"]["waiting"])
        assert consumer.owner.envelopes.empty()


async def test_without_routes_the_entry_module_gets_all(app_dir: Path) -> None:
    """Workers are there, and hear of nobody."""
    write(app_dir, ECHO)
    async with serving_workers(entry="echo_entry", app_dir=app_dir) as (running, dialler):
        worker = await dial_worker(dialler)
        async with browsing(running, "/any") as (browser, _):
            await browser.send("hello")
            assert await browser.recv() == "1 hello"
        assert worker.owner.envelopes.empty()


async def test_the_entry_module_is_one_target_of_routes(app_dir: Path) -> None:
    """What no route matches goes to it as well."""
    write(app_dir, ECHO)
    options: dict[str, Any] = {"entry": "echo_entry", "app_dir": app_dir}
    routes = ("/in=entry", "/chat=queue:chat", "/work=worker")
    async with consuming(*routes, **options) as (running, consumer):
        for path in ("/in", "/else"):
            async with browsing(running, path) as (browser, _):
                await browser.send(path)
                assert await browser.recv() == f"1 {path}"
        async with browsing(running, "/chat") as (browser, _):
            await browser.send("hi")
            assert text_of((await consumer.told(1))[0]) == "hi"


async def test_a_reload_imports_the_entry_module_anew(app_dir: Path) -> None:
    """For all that browsers send from then on, also those that are connected."""
    write(app_dir, ECHO)
    options: dict[str, Any] = {"entry": "echo_entry", "app_dir": app_dir}
    async with serving_workers(**options) as (running, _), browsing(running) as (browser, _):
        await browser.send("a")
        assert await browser.recv() == "1 a"
        write(app_dir, ECHO, 22)
        await running.process.reload(GatewaySettings(**options, entry_timeout=9.0))
        await browser.send("b")
        assert await browser.recv() == "22 b"
        assert running.process.core.entry is not None
        assert running.process.core.entry.timeout == 9.0


async def test_a_reload_whose_entry_module_is_broken_changes_nothing(app_dir: Path) -> None:
    """The reason is told; functions, routes and limits stay what they were."""
    write(app_dir, ECHO)
    options: dict[str, Any] = {"entry": "echo_entry", "app_dir": app_dir}
    async with serving_workers(**options) as (running, _), browsing(running) as (browser, _):
        write(app_dir, "def on_message(conn, message)")
        settings = GatewaySettings(**options, route=(Route.parse("/=discard"),), queue_messages=7)
        with pytest.raises(StartupError, match="SyntaxError"):
            await running.process.reload(settings)
        assert running.process.core.queues.limits.messages == 10_000
        async with browsing(running) as (newcomer, _):
            for each in (browser, newcomer):
                await each.send("x")
                assert await each.recv() == "1 x"


async def test_a_stop_waits_for_the_entry_module(app_dir: Path) -> None:
    """What a handler puts on a queue at the end is dealt with as well."""
    code = """
from gateway import queue

async def on_close(conn, reason):
    await queue.push("left", conn.client_id)
"""
    write(app_dir, code)
    options: dict[str, Any] = {"entry": "echo_entry", "app_dir": app_dir, "topics": ("left",)}
    async with consuming(**options) as (running, consumer), browsing(running) as (browser, ann_id):
        stopping = asyncio.create_task(running.process.stop())
        (message,) = await consumer.told(1)
        assert message.data == ann_id
        assert not stopping.done()
        consumer.link.send(AcknowledgeMessages([message.message_id]))
        await stopping
        assert browser.close_code == 1012


async def test_clients_of_connmix_get_its_ids_and_no_init_message() -> None:
    """A decimal that the registers know the gateway by; the first message is the application's."""
    async with serving_workers(connmix=True) as (running, dialler):
        worker = await dial_worker(dialler)
        async with connect(running.url, close_timeout=1) as browser:
            await browser.send("hi")
            _, _, message = await worker.told(3)
            assert isinstance(message, ClientMessage)
            client_id = int(message.client_id)
            assert 2**53 < client_id < 2**63
            assert [str(client_id)] == list(running.process.core.hub.connections)
            running.process.core.outbox.offer(running.process.core.hub.connections.values(), "yo")
            assert await browser.recv() == "yo"
