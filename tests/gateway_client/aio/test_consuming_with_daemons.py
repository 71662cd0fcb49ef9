"""Consuming from real gateways, while consumers and gateways are killed and come."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest
from websockets.sync.client import ClientConnection, connect

from gateway_client import AsyncGatewayClient, AsyncMessage
from tests.support.daemons import Daemon
from tests.support.waiting import PATIENCE

HANGING = """
import asyncio, sys
from gateway_client import AsyncGatewayClient

async def main():
    async with AsyncGatewayClient(sys.argv[1], secret_key="") as client:
        async for message in client.consume("chat"):
            print(message.data["frame"]["data"], flush=True)
            await asyncio.Event().wait()

asyncio.run(main())
"""


class Cluster:
    """A register and as many gateways as the test starts, whose browsers' messages go to `chat`."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.register = stack.enter_context(
            Daemon("register", "start", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
        )

    @property
    def address(self) -> str:
        """Where the register is."""
        return self.register.ready.listen

    def gateway(self) -> Daemon:
        """Start a gateway."""
        options = {
            "--listen": "ws://127.0.0.1:0",
            "--http": "127.0.0.1:0",
            "--start-port": "0",
            "--register": self.address,
            "--route": "queue:chat",
        }
        arguments = [each for option in options.items() for each in option]
        return self._stack.enter_context(Daemon("gateway", "start", *arguments))

    def browser(self, gateway: Daemon) -> tuple[ClientConnection, str]:
        """Connect a browser; give it and its client id."""
        browser = self._stack.enter_context(connect(gateway.ready.ws, max_queue=None))
        return browser, json.loads(browser.recv(PATIENCE))["client_id"]

    def hanging_consumer(self) -> subprocess.Popen[str]:
        """Start a process that takes one message, says so, and does nothing more."""
        command = [sys.executable, "-c", HANGING, self.address]
        process = self._stack.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        )
        self._stack.callback(process.kill)
        return process


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster of real processes."""
    with ExitStack() as stack:
        yield Cluster(stack)


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[AsyncGatewayClient]:
    """A client of it."""
    async with AsyncGatewayClient(cluster.address, secret_key="") as client:
        yield client


def text_of(message: AsyncMessage) -> str:
    """Return what the browser sent."""
    text: str = message.data["frame"]["data"]
    return text


async def test_the_first_reply_needs_no_register(
    cluster: Cluster, client: AsyncGatewayClient
) -> None:
    """The gateways that a consumer knows are known to its client, too."""
    browser, _ = await asyncio.to_thread(lambda: cluster.browser(cluster.gateway()))
    browser.send("1")
    async for message in client.consume("chat"):
        await asyncio.to_thread(cluster.register.kill)
        assert await message.reply("done") == 1
        break
    assert await asyncio.to_thread(browser.recv, PATIENCE) == "done"


async def test_what_a_killed_consumer_had_comes_again(
    cluster: Cluster, client: AsyncGatewayClient
) -> None:
    """In order, and flagged, since it may have been handled."""
    browser, me = await asyncio.to_thread(lambda: cluster.browser(cluster.gateway()))
    killed = cluster.hanging_consumer()
    for text in "12":
        browser.send(text)
    assert killed.stdout is not None
    assert await asyncio.to_thread(killed.stdout.readline) == "1\n"
    killed.kill()
    seen = []
    async for message in client.consume("chat"):
        seen.append((message.client_id, text_of(message), message.redelivered))
        await message.reply(text_of(message))
        if len(seen) == 2:
            break

    assert seen == [(me, "1", True), (me, "2", True)]
    assert [browser.recv(PATIENCE) for _ in "12"] == ["1", "2"]


async def test_what_a_consumer_gives_back_untried_is_no_redelivery(
    cluster: Cluster, client: AsyncGatewayClient
) -> None:
    """Whoever leaves with messages in store leaves them as they were; the one in hand was tried."""
    browser, _ = await asyncio.to_thread(lambda: cluster.browser(cluster.gateway()))
    for text in "123":
        browser.send(text)
    async with client.consume("chat") as consumer:
        async for message in consumer:
            if text_of(message) == "2":
                break
        assert message.tries == 1
    async with client.consume("chat") as consumer:
        messages = aiter(consumer)
        again = [await anext(messages) for _ in range(2)]

    assert [(text_of(each), each.tries) for each in again] == [("2", 2), ("3", 1)]


async def test_what_is_given_back_comes_again_in_order(
    cluster: Cluster, client: AsyncGatewayClient
) -> None:
    """With what is behind it; after too many tries it is set aside, and the rest goes on."""
    browser, _ = await asyncio.to_thread(lambda: cluster.browser(cluster.gateway()))
    for text in ("bad", "2", "3"):
        browser.send(text)
    seen: list[str] = []
    async with client.consume("chat", manual_ack=True) as consumer:
        async for message in consumer:
            seen.append(text_of(message))
            await (message.nack() if seen[-1] == "bad" else message.ack())
            if seen[-1] == "3":
                break
    assert seen == [*["bad"] * 5, "2", "3"]
    async for message in client.consume("dead:chat"):
        assert text_of(message) == "bad"
        break


async def test_gateways_are_found_and_lost_without_a_restart(
    cluster: Cluster, client: AsyncGatewayClient
) -> None:
    """One that is killed takes nothing else with it; one that is started is consumed from."""
    killed = await asyncio.to_thread(cluster.gateway)
    told: list[str] = []
    async with client.consume("chat", on_error=lambda error: told.append(str(error))) as consumer:
        messages = aiter(consumer)
        browser, _ = await asyncio.to_thread(cluster.browser, killed)
        browser.send("1")
        assert text_of(await anext(messages)) == "1"
        killed.kill()
        well = await asyncio.to_thread(cluster.gateway)
        browser, _ = await asyncio.to_thread(cluster.browser, well)
        browser.send("2")
        assert text_of(await anext(messages)) == "2"
    assert any(f"gateway {killed.ready.internal} is lost" in text for text in told)


class Handled:
    """What was handled of several browsers that send numbers, and consumers that handle them."""

    def __init__(self, client: AsyncGatewayClient, client_ids: list[str], count: int) -> None:
        self.numbers: dict[str, list[int]] = {client_id: [] for client_id in client_ids}
        self.is_complete = asyncio.Event()
        self._client = client
        self._count = count

    async def consume(self, patience: int) -> None:
        """Consume, and leave the loop in the midst each time after some messages."""
        while True:
            async with self._client.consume("chat", prefetch=5) as consumer:
                left = patience
                async for message in consumer:
                    await asyncio.sleep(0)
                    self._note(message)
                    left -= 1
                    if left == 0:
                        break

    def _note(self, message: AsyncMessage) -> None:
        self.numbers[message.client_id].append(int(text_of(message)))
        if all(len(set(each)) == self._count for each in self.numbers.values()):
            self.is_complete.set()


async def test_order_holds_with_many_consumers_that_come_and_go(
    cluster: Cluster, client: AsyncGatewayClient
) -> None:
    """Each message is handled, and each browser's first handlings are in its order."""
    gateways = [await asyncio.to_thread(cluster.gateway) for _ in range(2)]
    browsers = [await asyncio.to_thread(cluster.browser, each) for each in gateways * 3]
    handled = Handled(client, [client_id for _, client_id in browsers], 50)
    consumers = [asyncio.ensure_future(handled.consume(each)) for each in (7, 19, 1_000)]
    for number in range(50):
        for browser, _ in browsers:
            browser.send(str(number))
    async with asyncio.timeout(PATIENCE):
        await handled.is_complete.wait()
    for each in consumers:
        each.cancel()
    await asyncio.wait(consumers)

    firsts = [list(dict.fromkeys(numbers)) for numbers in handled.numbers.values()]
    assert firsts == [list(range(50))] * len(browsers)
