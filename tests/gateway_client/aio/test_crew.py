"""Handlers called with messages: one client's in order, clients side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway_client import AsyncGatewayClient
from gateway_client.aio.crew import Crew, Handler
from gateway_client.aio.message import AsyncMessage
from gateway_wire import commands as wire
from tests.gateway_client.peers import FakeGateway, FakeRegister

ONE, OTHER = "a" * 32, "b" * 32


class Running:
    """A handler under the test's control, and `consume_with` that calls it.

    Attributes:
        begun: What the handler was called with.
        told: What `on_error` was told.
    """

    def __init__(self, client: AsyncGatewayClient, gateway: FakeGateway) -> None:
        self.begun: list[Any] = []
        self.told: list[Exception] = []
        self.gateway = gateway
        self._client = client
        self._news = asyncio.Event()
        self._going: dict[Any, asyncio.Future[None]] = {}
        self.task: asyncio.Task[None] | None = None

    def start(self, handler: Handler | None = None, prefetch: int = 100) -> None:
        """Begin to consume."""
        self.task = asyncio.ensure_future(
            self._client.consume_with(
                handler or self.handle, "chat", prefetch=prefetch, on_error=self.told.append
            )
        )

    async def handle(self, message: AsyncMessage) -> None:
        """Wait until the test lets this one go on."""
        self.begun.append(message.data)
        self._news.set()
        future = self._going[message.data] = asyncio.get_running_loop().create_future()
        await future

    def end(self, data: Any, error: BaseException | None = None) -> None:
        """Let the handler of one message return, or raise."""
        if error is None:
            self._going[data].set_result(None)
        else:
            self._going[data].set_exception(error)

    async def until(self, *begun: Any) -> None:
        """Wait until the handler was called with these, in this order."""
        await self.until_number(len(begun))
        assert self.begun == list(begun)

    async def until_number(self, number: int) -> None:
        """Wait until the handler was called so many times."""
        while len(self.begun) < number:
            self._news.clear()
            await self._news.wait()

    async def push(self, *data: Any, client_id: str = ONE) -> list[int]:
        """Let a client send messages."""
        return await asyncio.to_thread(self.gateway.push, *data, client_id=client_id)

    async def acknowledged(self, ids: list[int]) -> None:
        """Wait until these and no others were acknowledged, in any order."""
        await asyncio.to_thread(
            self.gateway.wait_for, lambda: len(self.gateway.acknowledged) >= len(ids)
        )
        assert sorted(self.gateway.acknowledged) == sorted(ids)


@pytest.fixture
async def aclient(register: FakeRegister) -> AsyncIterator[AsyncGatewayClient]:
    """An asynchronous client of the cluster."""
    async with AsyncGatewayClient(str(register.address), secret_key="") as client:
        yield client


@pytest.fixture
async def running(aclient: AsyncGatewayClient, gateway: FakeGateway) -> AsyncIterator[Running]:
    """A handler to be started; cancelled at the end, if it was not before."""
    running = Running(aclient, gateway)
    yield running
    if running.task is not None:
        running.task.cancel()
        await asyncio.wait([running.task])


async def test_one_clients_messages_follow_one_another_and_others_do_not_wait(
    running: Running,
) -> None:
    """A message is acknowledged when its handler has returned."""
    running.start()
    mine = await running.push("1", "2")
    theirs = await running.push("x", client_id=OTHER)
    await running.until("1", "x")
    running.end("x")
    await running.acknowledged(theirs)
    running.end("1")
    await running.until("1", "x", "2")
    await running.acknowledged([*theirs, mine[0]])


async def test_no_more_run_at_once_than_were_asked_for(
    running: Running, register: FakeRegister, other: FakeGateway
) -> None:
    """`prefetch` bounds them over all gateways."""
    await asyncio.to_thread(register.tell, running.gateway, other)
    running.start(prefetch=2)
    for gateway, names in ((running.gateway, "ab"), (other, "cd")):
        for each in names:
            await asyncio.to_thread(gateway.push, each, client_id=each * 32)
    for ended in range(4):
        await running.until_number(ended + 1)
        assert len(running.begun) - ended <= 2
        running.end(running.begun[ended])


async def test_a_handler_that_raises_gives_its_message_back(running: Running) -> None:
    """With what is behind it, which comes again; `on_error` is told, and others go on."""
    running.start()
    mine = await running.push("1", "2")
    await running.push("x", client_id=OTHER)
    await running.until("1", "x")
    running.end("1", KeyError("user"))
    await asyncio.to_thread(running.gateway.wait_for, lambda: bool(running.gateway.given_back))
    again = await running.push("1")
    await running.until("1", "x", "1")
    running.end("1")
    await running.acknowledged(again)

    assert running.gateway.given_back == [([mine[0]], True)]
    assert [repr(error) for error in running.told] == ["KeyError('user')"]
    assert "<AsyncMessage chat of aaaa" in running.told[0].__notes__[0]


async def test_a_handler_that_is_cancelled_from_inside_gives_its_message_back(
    running: Running,
) -> None:
    """Only the end of consuming cancels in earnest."""
    running.start()
    await running.push("1")
    await running.until("1")
    running.end("1", asyncio.CancelledError())
    await asyncio.to_thread(running.gateway.wait_for, lambda: bool(running.gateway.given_back))

    assert [str(error) for error in running.told] == ["the handler was cancelled"]


async def test_handlers_that_do_not_wait_share_one_task(running: Running) -> None:
    """However many messages there are; the loop gets turns in between."""
    tasks = set()

    async def handle(message: AsyncMessage) -> None:
        tasks.add(asyncio.current_task())
        running.begun.append(message.data)

    running.start(handle)
    ids: list[int] = []
    for client in "abcd":
        ids += await running.push(*range(10), client_id=client * 32)
    await running.acknowledged(ids)

    assert len(tasks) <= 4


async def test_its_end_cancels_handlers_and_gives_back_what_was_not_begun(running: Running) -> None:
    """What a handler was at comes again as a second try, the rest as it was."""
    running.start()
    mine = await running.push("1", "2")
    await running.push("x", client_id=OTHER)
    await running.until("1", "x")
    assert running.task is not None
    running.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running.task
    gateway = running.gateway
    await asyncio.to_thread(gateway.wait_for, lambda: not gateway.listener.links)

    assert (gateway.acknowledged, gateway.given_back) == ([], [(mine[1:], False)])
    assert gateway.commands(wire.StopConsuming) == [wire.StopConsuming()]


async def test_handlers_that_take_long_to_end_do_not_keep_what_was_not_begun(
    running: Running, aclient: AsyncGatewayClient
) -> None:
    """It is given back before the links are closed, and no handler is called any more."""
    ended, go_on = asyncio.Event(), asyncio.Event()

    async def handle(message: AsyncMessage) -> None:
        try:
            await running.handle(message)
        finally:
            ended.set()
            await go_on.wait()

    running.start(handle)
    mine = await running.push("1", "2", "3")
    await running.until("1")
    await aclient.aclose()
    await ended.wait()
    await asyncio.to_thread(running.gateway.wait_for, lambda: bool(running.gateway.given_back))
    go_on.set()
    assert running.task is not None
    await running.task

    assert running.gateway.given_back == [(mine[1:], False)]
    assert running.begun == ["1"]


async def test_a_handler_that_cancels_its_task_costs_its_message(running: Running) -> None:
    """It is given back without a word, as at the end of a loop, and others are handled."""

    async def handle(message: AsyncMessage) -> None:
        running.begun.append(message.data)
        task = asyncio.current_task()
        if message.data == "1" and task is not None:
            task.cancel()
            await asyncio.sleep(0)

    running.start(handle)
    [mine, *_] = await running.push("1", "2")
    theirs = await running.push("x", client_id=OTHER)
    await asyncio.to_thread(running.gateway.wait_for, lambda: bool(running.gateway.given_back))
    again = await running.push("2")
    await running.acknowledged([*theirs, *again])

    assert (running.gateway.given_back, running.told) == ([([mine], True)], [])


def test_the_end_of_a_loop_is_no_failure_of_handlers(
    register: FakeRegister, gateway: FakeGateway
) -> None:
    """Where all tasks are cancelled at once, in any order, nothing is told and nothing begun."""
    client = AsyncGatewayClient(str(register.address), secret_key="")
    running: list[Running] = []

    async def main() -> None:
        running.append(Running(client, gateway))
        running[0].start()
        for name in "abcdefgh":
            await running[0].push(name, name.upper(), client_id=name * 32)
        await running[0].until(*"abcdefgh")

    asyncio.run(main())
    gateway.wait_for(lambda: not gateway.listener.links)

    assert (running[0].told, running[0].begun) == ([], list("abcdefgh"))
    assert gateway.acknowledged == []


async def test_what_a_lost_link_gave_is_not_begun(running: Running) -> None:
    """It comes again: only what its handler is at already is handled twice."""
    running.start()
    await running.push("1", "2")
    await running.until("1")
    await asyncio.to_thread(running.gateway.cut_links)
    again = await running.push("1", "2")
    running.end("1")
    await running.until("1", "1")
    running.end("1")
    await running.until("1", "1", "2")
    running.end("2")
    await running.acknowledged(again)


async def _handler(_: AsyncMessage) -> None:
    """Do nothing."""


def test_it_shows_how_much_it_has_to_do() -> None:
    """A debugger shows how many clients it is at."""
    crew = Crew(_handler, None, None, 1)  # type: ignore[arg-type]

    assert repr(crew) == "<Crew of 0 tasks for 0 clients>"
