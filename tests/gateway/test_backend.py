"""The internal listener: links come, are refused, and end."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from gateway.backend import Backend
from gateway.executor import Executor
from gateway.flusher import Flusher
from gateway.handlers import QueueHandlers, command_table
from gateway.queues.queues import Queues
from gateway_wire.aio.listener import LinkListener
from gateway_wire.commands import CountClients, Error, Reply, Role, SendToAll, Watch
from gateway_wire.errors import AuthenticationFailed, ErrorCode, LinkRefused
from gateway_wire.frames import encode_frame
from gateway_wire.limits import DEFAULT_MAX_MESSAGE
from tests.gateway.support import Pipes, turns_until
from tests.support.links import Dialler, address_of, bound, party


@asynccontextmanager
async def backend(core: Pipes, secret_key: str = "") -> AsyncIterator[tuple[Backend, Dialler]]:
    """Accept links and execute what they bring on a core."""
    loop = asyncio.get_running_loop()
    flusher = Flusher(loop, 0)
    flusher.outbox = core.outbox
    of_queues = QueueHandlers(Queues(), loop.time)
    table = command_table(core.hub, core.outbox, core.clients, of_queues, DEFAULT_MAX_MESSAGE)
    executor = Executor(loop, flusher, table)
    listener = partial(LinkListener, party(Role.GATEWAY), secret_key)
    served = Backend(listener, executor, lambda _: None)
    sock = bound()
    address = address_of(sock)
    await served.start(sock)
    try:
        async with Dialler(address, secret_key) as dialler:
            yield served, dialler
    finally:
        served.stop_accepting()
        served.close_links(ErrorCode.STOPPING, "the test is over")
        await served.wait_closed()


async def test_commands_of_a_link_are_executed() -> None:
    """A push reaches a client before its answer leaves."""
    core = Pipes()
    ann = core.connect()
    async with backend(core, "key") as (served, dialler):
        link, owner = await dialler.dial(Role.CLIENT)
        link.send(SendToAll("hello"), 1)

        assert (await owner.envelopes.get()).command == Reply(1)
        assert core.received(ann) == ["hello"]
        assert (served.links, served.accepted) == (1, 1)
        assert repr(served) == "<Backend <LinkListener of gateway, 1 links>>"


async def test_a_command_that_is_not_for_gateways_is_refused() -> None:
    """It never reaches the executor."""
    async with backend(Pipes()) as (_, dialler):
        link, owner = await dialler.dial(Role.CLIENT)
        link.send_frame(encode_frame(Watch(), 1))
        link.send(CountClients(), 2)
        first, second = [await owner.envelopes.get() for _ in range(2)]

        assert isinstance(first.command, Error)
        assert first.command.error == "forbidden"
        assert second.command == Reply(0)


async def test_a_link_that_is_refused_is_counted_by_its_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Somebody is being refused: that is worth a line, which names who and why."""
    async with backend(Pipes(), "right") as (served, dialler):
        with pytest.raises(AuthenticationFailed):
            await dialler.dial(Role.CLIENT, secret_key="wrong")
        await turns_until(lambda: served.refused)

        assert served.refused == {"AuthenticationFailed": 1}
        assert served.accepted == 0

    assert "refused: the secret key of the client is not that of this gateway" in caplog.text
    assert "127.0.0.1:" in caplog.text


async def test_a_link_that_breaks_a_rule_later_is_worth_a_line_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It was open, and what it then sent was no frame."""
    async with backend(Pipes()) as (served, dialler):
        link, owner = await dialler.dial(Role.CLIENT)
        link.send_frame(b"\xff" * 8)
        await owner.ended.wait()
        await served.wait_closed()

        assert served.refused == {"RemoteProtocolError": 1}

    assert "a frame of" in caplog.text


async def test_links_that_end_are_forgotten_quietly(caplog: pytest.LogCaptureFixture) -> None:
    """Backends come and go; nobody needs a line about it."""
    caplog.set_level(logging.INFO)
    async with backend(Pipes()) as (served, dialler):
        link, owner = await dialler.dial(Role.WORKER)
        link.close(ErrorCode.STOPPING, "done")
        await owner.ended.wait()
        await served.wait_closed()

        assert served.links == 0
        assert served.refused == {}

    assert caplog.records == []


async def test_a_probe_of_the_port_is_no_refusal(caplog: pytest.LogCaptureFixture) -> None:
    """Who connects and leaves without a word, as health checks do each second, costs no line."""
    caplog.set_level(logging.INFO)
    async with backend(Pipes()) as (served, dialler):
        _, writer = await asyncio.open_connection(*dialler.address)
        await turns_until(lambda: served.links == 1)
        writer.close()
        await turns_until(lambda: served.links == 0)

        assert served.refused == {}

    assert caplog.records == []


async def test_a_gateway_that_stops_says_goodbye() -> None:
    """Each link is told why, and new ones are not accepted any more."""
    async with backend(Pipes()) as (served, dialler):
        _, owner = await dialler.dial(Role.CLIENT)
        served.stop_accepting()
        served.close_links(ErrorCode.STOPPING, "this gateway is stopping")
        reason = await owner.reasons.get()

        assert isinstance(reason, LinkRefused)
        assert reason.code == "stopping"

        await served.wait_closed()
        with pytest.raises(ConnectionRefusedError):
            await dialler.dial(Role.CLIENT)
