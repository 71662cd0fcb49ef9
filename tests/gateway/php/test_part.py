"""A gateway that serves PHP programs beside its own links, over real sockets."""

import asyncio
import logging
from dataclasses import replace

import pytest

from gateway.executor import FULL_INBOX
from gateway.php.frames import Command, Frame
from gateway_process.refusals import LINES_PER_HOST
from gateway_wire.commands import (
    BindUid,
    CountClients,
    CountClientsByGroups,
    GetSession,
    IsOnline,
    JoinGroups,
    Role,
    SendToUids,
    SetSession,
)
from gateway_wire.ids import ClientIdForm, parse_client_id, php_address_of
from tests.gateway.php.programs import PhpProgram, serving_php
from tests.gateway.running import Running, WorkerLink, browsing
from tests.gateway.support import MIB, turns_until
from tests.support.links import Dialler

KEY = "of the cluster"


async def dial_client(dialler: Dialler) -> WorkerLink:
    """Dial as a client of ours."""
    return WorkerLink(*await dialler.dial(Role.CLIENT))


def done(running: Running, commands: int) -> bool:
    """Tell whether so many commands are executed."""
    return running.process.core.executor.counters.commands >= commands


async def test_client_ids_lead_to_the_listener() -> None:
    """A browser is told one of PHP's form, in the init message as ever, and PHP finds it by that."""
    async with serving_php() as running, browsing(running) as (browser, client_id):
        parsed = parse_client_id(client_id)
        assert parsed.form is ClientIdForm.PHP
        assert php_address_of(parsed.node_key) == running.php

        async with await PhpProgram.dial(running.php) as program:
            assert await program.ask(Command.IS_ONLINE, client_id) == 1
            program.tell(Command.SEND_TO_ONE, client_id, body="hello")
            assert await browser.recv() == "hello"


async def test_both_kinds_of_programs_act_on_the_same_things() -> None:
    """What one binds, joins and stores, the other finds and reaches."""
    async with (
        serving_php() as running,
        browsing(running) as (browser, client_id),
        Dialler(running.internal) as dialler,
        await PhpProgram.dial(running.php) as php,
    ):
        ours = await dial_client(dialler)
        php.tell(Command.BIND_UID, client_id, ext="42")
        php.tell(Command.JOIN_GROUP, client_id, ext="news")
        assert await php.ask(Command.GET_CLIENT_COUNT_BY_GROUP, ext="news") == 1
        assert await ours.ask(SendToUids(["42"], "from ours")) == 1
        assert await browser.recv() == "from ours"
        assert await ours.ask(CountClientsByGroups(["news"])) == {"news": 1}

        assert await ours.ask(BindUid(client_id, "43"))
        assert await ours.ask(JoinGroups(client_id, ["sports"]))
        assert await ours.ask(SetSession(client_id, {"name": "ann"}))
        number = int(client_id[12:], 16)
        assert await php.ask(Command.GET_CLIENT_ID_BY_UID, ext="43") == {0: number}
        php.tell(Command.SEND_TO_GROUP, ext='{"group":["sports"],"exclude":null}', body="from PHP")
        assert await browser.recv() == "from PHP"

        php.tell(Command.SET_SESSION, client_id, ext='a:1:{s:4:"name";s:3:"bob";}')
        assert await php.ask(Command.IS_ONLINE, client_id) == 1
        assert await ours.ask(GetSession(client_id)) == {"name": "bob"}
        assert await ours.ask(IsOnline(client_id)) is True


async def test_a_request_and_its_close_at_once_are_executed() -> None:
    """PHP writes and leaves; nothing is answered to a send."""
    async with serving_php() as running, browsing(running) as (browser, client_id):
        for number in range(3):
            async with await PhpProgram.dial(running.php) as program:
                program.tell(Command.SEND_TO_ONE, client_id, body=f"message {number}")
        assert [await browser.recv() for _ in range(3)] == [f"message {n}" for n in range(3)]
        await turns_until(lambda: running.process.php and not running.process.php.backend.links)


async def test_a_connection_may_be_kept() -> None:
    """Requests of one are executed and answered in their order, however they are cut."""
    async with (
        serving_php() as running,
        browsing(running) as (browser, client_id),
        await PhpProgram.dial(running.php) as program,
    ):
        number = int(client_id[12:], 16)
        frames = [
            Frame(Command.SEND_TO_ONE, number, body=b"first"),
            Frame(Command.IS_ONLINE, number),
            Frame(Command.PING),
            Frame(Command.IS_ONLINE, number ^ 1),
            Frame(Command.SEND_TO_ONE, number, body=b"second"),
            Frame(Command.GET_CLIENT_COUNT_BY_GROUP),
        ]
        for byte in b"".join(each.encode() for each in frames):
            program.writer.write(bytes([byte]))
            await asyncio.sleep(0)

        assert [await program.answer() for _ in range(3)] == [1, 0, 1]
        assert [await browser.recv() for _ in range(2)] == ["first", "second"]


async def test_the_secret_key_is_shown_once_or_each_time() -> None:
    """As a worker or a persistent client does, or one that makes a connection for each call."""
    async with (
        serving_php(KEY) as running,
        browsing(running) as (_, client_id),
        await PhpProgram.dial(running.php) as program,
    ):
        for _ in range(2):
            program.show(KEY)
            assert await program.ask(Command.IS_ONLINE, client_id) == 1
        assert await program.ask(Command.IS_ONLINE, client_id) == 1


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        (KEY, "", "GET_CLIENT_COUNT_BY_GROUP came before a secret key, which this gateway has"),
        (KEY, "other", "the $secretKey of the PHP program is not that of this gateway"),
        ("", KEY, "the PHP program has a $secretKey and this gateway has none"),
    ],
)
async def test_a_key_that_differs_closes_the_link(
    ours: str, theirs: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One clear line says who and why, and no key; nothing was executed."""
    async with serving_php(ours) as running, await PhpProgram.dial(running.php) as program:
        if theirs:
            program.show(theirs)
        program.tell(Command.GET_CLIENT_COUNT_BY_GROUP)

        assert await program.rest() == b""
        assert running.process.php is not None
        assert running.process.php.backend.refused == {"AuthenticationFailed": 1}
        assert running.process.core.executor.counters.commands == 0
    (line,) = [each.getMessage() for each in caplog.records if "refused" in each.getMessage()]
    assert line.startswith("link from 127.0.0.1:")
    assert told in line
    assert KEY not in caplog.text
    assert "other" not in line


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n", "look like another protocol"),
        (b"\xff" * 64, "a frame of 4,294,967,295 bytes"),
        (b"\x00" * 64, "a frame of 0 bytes"),
        (Frame(99).encode(), "command 99"),
        (Frame(Command.ON_MESSAGE).encode(), "ON_MESSAGE"),
        (Frame(Command.SEND_TO_UID, ext=b"{").encode(), "SEND_TO_UID"),
        (Frame(Command.SELECT, ext=b"[" * 5000).encode(), "SELECT"),
        (Frame(Command.SET_SESSION, ext=b'O:3:"Foo":0:{}').encode(), "SET_SESSION"),
        (Frame(Command.UPDATE_SESSION, 1, b"a:999999999:{").encode(), ""),
    ],
)
async def test_hostile_bytes_close_the_link(
    data: bytes, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With one line that says what was wrong; the gateway goes on."""
    async with serving_php() as running:
        async with await PhpProgram.dial(running.php) as hostile:
            hostile.writer.write(data)
            if told:
                assert await hostile.rest() == b""
        async with await PhpProgram.dial(running.php) as program:
            assert await program.ask(Command.GET_CLIENT_COUNT_BY_GROUP) == 0
    lines = [each.getMessage() for each in caplog.records]
    assert [told in line for line in lines] == [True] * bool(told)


async def test_a_send_that_is_refused_costs_no_link(caplog: pytest.LogCaptureFixture) -> None:
    """A worker would lose all its events for one message that is too large."""
    async with (
        serving_php(max_message=1000) as running,
        browsing(running) as (browser, client_id),
        await PhpProgram.dial(running.php) as program,
    ):
        program.tell(Command.SEND_TO_ONE, client_id, body="x" * 1001)
        program.tell(Command.SEND_TO_ONE, client_id, body="x" * 1000)

        assert await browser.recv() == "x" * 1000
        assert await program.ask(Command.IS_ONLINE, client_id) == 1
        assert running.process.core.executor.counters.failed == 1
    assert "SEND_TO_ONE of a PHP program is refused: the message has 1,001 bytes" in caplog.text


async def test_refused_sends_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """An application may send what is too large a thousand times a second; the metrics count it."""
    count = 3 * LINES_PER_HOST
    async with serving_php(max_message=1000) as running, await PhpProgram.dial(running.php) as php:
        for more in range(count):
            php.tell(Command.SEND_TO_ALL, body=bytes(1001 + more))
        assert await php.ask(Command.GET_CLIENT_COUNT_BY_GROUP) == 0
        assert running.process.core.executor.counters.failed == count
    said = [each.getMessage() for each in caplog.records if "refused" in each.getMessage()]
    assert len(said) == LINES_PER_HOST + 1
    assert said[-1].startswith("what else is refused of PHP programs is counted in the metrics")


async def test_a_client_that_does_not_read_is_not_read() -> None:
    """Its questions wait where they are, others are served, and it gets all answers in the end."""
    session = f's:{MIB // 4}:"{"x" * (MIB // 4)}";'
    count = 400
    async with (
        serving_php() as running,
        browsing(running) as (_, client_id),
        await PhpProgram.dial(running.php) as lazy,
        await PhpProgram.dial(running.php) as other,
    ):
        lazy.tell(Command.SET_SESSION, client_id, ext=f'a:1:{{s:1:"a";{session}}}')
        before = count + 1
        for _ in range(count):
            lazy.tell(Command.GET_SESSION_BY_CLIENT_ID, client_id)
        await lazy.writer.drain()
        assert await other.ask(Command.IS_ONLINE, client_id) == 1
        assert not done(running, before)

        answers = [await lazy.answer() for _ in range(count)]

        assert len({str(each) for each in answers}) == 1


async def test_half_a_frame_is_nothing() -> None:
    """Who dies while it writes has asked for what came before that, and for nothing else."""
    async with serving_php() as running, browsing(running) as (browser, client_id):
        async with await PhpProgram.dial(running.php) as dying:
            dying.tell(Command.SEND_TO_ONE, client_id, body="whole")
            half = Frame(Command.SEND_TO_ONE, int(client_id[12:], 16), body=b"half")
            dying.writer.write(half.encode()[:-1])
        assert await browser.recv() == "whole"
        async with await PhpProgram.dial(running.php) as other:
            other.tell(Command.SEND_TO_ONE, client_id, body="of another")
            assert await browser.recv() == "of another"


async def test_a_flood_is_executed_in_turns() -> None:
    """A peer that asks for more than fits an inbox is slowed down, and loses nothing."""
    count = 2 * FULL_INBOX
    async with (
        serving_php() as running,
        browsing(running) as (_, client_id),
        await PhpProgram.dial(running.php) as flood,
        Dialler(running.internal) as dialler,
    ):
        for at in range(count):
            flood.tell(Command.JOIN_GROUP, client_id, ext=f"g{at % 100 + 1}")
        ours = await dial_client(dialler)
        assert await ours.ask(CountClients()) == 1
        assert await flood.ask(Command.GET_CLIENT_COUNT_BY_GROUP, ext="g100") == 1
        assert done(running, count)
        assert running.process.core.executor.counters.turns > count / 2000


async def test_links_are_counted() -> None:
    """The metrics page tells of PHP programs beside our own links."""
    async with serving_php() as running, await PhpProgram.dial(running.php) as program:
        await program.ask(Command.GET_CLIENT_COUNT_BY_GROUP)
        assert running.process.php is not None
        assert repr(running.process.php) == "<PhpPart <Backend <Acceptor of 1 links>>>"

        page = await running.text("/metrics")

    name = "gatewayworker_gateway_php_links"
    assert f"{name} 1.0" in page
    assert f"{name}_accepted_total 1.0" in page


async def test_a_reload_changes_nothing() -> None:
    """Links stay, and client ids lead to the same listener."""
    async with serving_php() as running, await PhpProgram.dial(running.php) as program:
        assert await program.ask(Command.GET_CLIENT_COUNT_BY_GROUP) == 0
        await running.process.reload(replace(running.settings, drain=0.1))
        async with browsing(running) as (_, client_id):
            assert await program.ask(Command.IS_ONLINE, client_id) == 1


async def test_a_stop_closes_the_links(caplog: pytest.LogCaptureFixture) -> None:
    """Idle ones too; nobody needs a line about it."""
    caplog.set_level(logging.WARNING)
    async with serving_php() as running:
        idle = await PhpProgram.dial(running.php)
        assert await idle.ask(Command.GET_CLIENT_COUNT_BY_GROUP) == 0
        await running.process.stop()

        assert await idle.rest() == b""
        with pytest.raises(ConnectionRefusedError):
            await PhpProgram.dial(running.php)
        idle.writer.close()
    assert caplog.records == []
