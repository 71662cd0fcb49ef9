"""Compression in a running cluster: broadcasts, a real browser, and the switch."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser as Chromium

from gateway_client import AsyncGatewayClient, GatewayClient
from tests.support.browser import browser
from tests.support.cluster import browse, gateway, register
from tests.support.daemons import Daemon, run
from tests.support.waiting import eventually
from tests.support.workers import metric, worker

__all__ = ["browser"]

ROWS: Final = [{"id": 1000 + number, "state": "shipped"} for number in range(35)]
NEWS: Final = json.dumps({"type": "orders", "rows": ROWS}, separators=(",", ":"))
"""About 1 KB."""

TALK: Final = """
url => {
    const socket = new WebSocket(url), long = "grüße ".repeat(17_000), texts = [];
    window.talk = new Promise((resolve, reject) => {
        socket.onclose = event => reject(new Error(`closed: ${event.code} ${event.reason}`));
        socket.onmessage = event => {
            texts.push(event.data);
            if (texts.length == 1) window.online = true;
            if (texts.length == 2) socket.send(long);
            if (texts.length == 3)
                resolve({ news: texts[1], same: texts[2] === long, agreed: socket.extensions });
        };
    });
}
"""
"""What the page does: take a message, send 100 KB, and take them back."""


@pytest.fixture(scope="module")
def directory() -> Iterator[Daemon]:
    """Give a running register."""
    with register() as running:
        yield running


def test_a_broadcast_is_compressed_once(directory: Daemon) -> None:
    """Three browsers that agreed and three others get the same text, for one compression."""
    with ExitStack() as stack:
        door = stack.enter_context(gateway(directory, "--compression"))
        client = stack.enter_context(GatewayClient(directory.ready.listen))
        browsers = [
            stack.enter_context(browse(door.ready.ws, compression=compression))
            for compression in (None, "deflate") * 3
        ]
        assert client.send_to_all(NEWS) == 6
        assert client.send_to_all("short") == 6
        for each in browsers:
            assert (each.text(), each.text()) == (NEWS, "short")

        assert metric(door, "connections_opened_compressed_total") == 3
        assert metric(door, "compressions_total") == 1
        assert metric(door, "compressions_before_bytes_total") == len(NEWS)
        assert 0 < metric(door, "compressions_after_bytes_total") < len(NEWS) / 3


@pytest.mark.asyncio(loop_scope="module")
async def test_a_page_speaks_compressed(browser: Chromium, directory: Daemon) -> None:
    """Chromium offers by itself; what it is sent and what it sends arrive as they were."""
    with (
        gateway(directory, "--compression") as door,
        worker(directory, "echo"),
    ):
        eventually(lambda: metric(door, "workers") == 1)
        page = await browser.new_page()
        await page.evaluate(TALK, door.ready.ws)
        await page.wait_for_function("window.online")
        async with AsyncGatewayClient(directory.ready.listen) as client:
            assert await client.send_to_all(NEWS) == 1
        told = await page.evaluate("window.talk")
        await page.close()

        assert told["news"] == NEWS
        assert told["same"]
        assert told["agreed"].startswith("permessage-deflate")
        assert metric(door, "compressions_total") == 2


def test_a_reload_switches_it(directory: Daemon, tmp_path: Path) -> None:
    """Who connects after the reload is asked by the new setting; who was there stays as agreed."""
    settings = tmp_path / "cluster.toml"
    settings.write_text("[gateway]\ncompression = true\n")
    with (
        gateway(directory, "-c", str(settings)) as door,
        browse(door.ready.ws, compression="deflate") as early,
        GatewayClient(directory.ready.listen) as client,
    ):
        settings.write_text("[gateway]\ncompression = false\n")
        code, _, stderr = run("gateway", "reload", f"--run-dir={door.run_dir}")
        assert (code, stderr) == (0, "")
        with browse(door.ready.ws, compression="deflate") as late:
            assert client.send_to_all(NEWS) == 2
            assert early.text() == late.text() == NEWS
            assert [each.name for each in early.socket.protocol.extensions] == [
                "permessage-deflate"
            ]
            assert not late.socket.protocol.extensions
        assert metric(door, "connections_opened_compressed_total") == 1
