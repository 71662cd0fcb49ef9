"""The asyncio client over real sockets: what is answered, what goes wrong, and loops that end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator

import pytest

from gateway_client import (
    AsyncGatewayClient,
    AuthenticationFailed,
    GatewayUnavailable,
    MessageTooLarge,
    PartialResult,
    RegisterUnavailable,
    ReplyTimeout,
)
from gateway_wire import commands as wire
from gateway_wire.errors import ErrorCode
from gateway_wire.limits import MAX_UNSENT
from tests.gateway_client.peers import (
    FakeGateway,
    FakeRegister,
    PeerLoop,
    answer_with,
    cut_link,
    mute,
    refuse,
)

SHORT = 0.3
"""Seconds for a call that is meant to time out."""
MEGABYTE = "x" * 1024 * 1024
SETTLED = 20
"""Refusals after which the kernel has taken all that it will of a link which nobody reads."""


@pytest.fixture
async def aclient(register: FakeRegister) -> AsyncIterator[AsyncGatewayClient]:
    """An asynchronous client of the cluster."""
    async with AsyncGatewayClient(str(register.address), secret_key="") as client:
        yield client


async def test_a_message_reaches_who_is_bound(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """Bind, join, send, ask and close, as an application does."""
    me = gateway.connect()
    assert await aclient.bind_uid(me, 42) is True
    assert await aclient.join_group(me, "news") is True
    assert await aclient.send_to_uid(42, {"type": "hi"}) == 1
    assert await aclient.send_to_group("news", b"\x00") == 1
    assert await aclient.is_online(me)
    assert await aclient.get_session(me) == {}
    assert await aclient.close_client(me) is True
    assert await aclient.is_online(me) is False
    assert await aclient.is_online("c" * 32) is False


async def test_answers_of_several_gateways_become_one(
    aclient: AsyncGatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """Counts add up, uids are united, clients are asked where they are."""
    register.tell(gateway, other)
    a, b = gateway.connect(1, "u"), other.connect(2, "u")
    assert await aclient.get_all_client_count() == 2
    assert await aclient.get_all_uid_count() == 1
    assert await aclient.send_to_all("m", [a, b]) == 2


async def test_many_tasks_share_one_link(aclient: AsyncGatewayClient, gateway: FakeGateway) -> None:
    """Each task gets its own answer, and a gateway sees one link."""
    clients = [gateway.connect(number, f"u{number}") for number in range(100)]
    uids = await asyncio.gather(*map(aclient.get_uid_by_client_id, clients))
    assert uids == [f"u{number}" for number in range(100)]
    assert gateway.openings == 1


async def test_without_a_register_the_error_says_what_to_start(peers: PeerLoop) -> None:
    """A register that refuses is named, with the command that starts it."""
    register = FakeRegister(peers)
    register.stop()
    async with AsyncGatewayClient(str(register.address), secret_key="") as client:
        with pytest.raises(RegisterUnavailable, match="register start --listen"):
            await client.get_all_client_count()
        register.start()
        with pytest.raises(GatewayUnavailable, match=str(register.address)):
            await client.get_all_client_count()
    register.stop()


async def test_known_gateways_are_used_while_every_register_is_gone(
    aclient: AsyncGatewayClient, register: FakeRegister, gateway: FakeGateway
) -> None:
    """Pushes go on; only a client of an unknown gateway cannot be judged."""
    me = gateway.connect()
    assert await aclient.is_online(me)
    register.stop()
    assert await aclient.send_to_client(me, "m") == 1
    with pytest.raises(RegisterUnavailable):
        await aclient.is_online("c" * 32)


async def test_a_wrong_key_is_named_with_the_address(peers: PeerLoop, gateway: FakeGateway) -> None:
    """Keys that differ are AuthenticationFailed."""
    register = FakeRegister(peers, gateway, secret_key="right")
    async with AsyncGatewayClient(str(register.address), secret_key="wrong") as client:
        with pytest.raises(AuthenticationFailed, match=str(register.address)):
            await client.get_all_client_count()
    register.stop()


async def test_a_silent_gateway_costs_one_caller_its_timeout(
    aclient: AsyncGatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """The first call waits and names it; the next ones do not wait; a late answer brings it back."""
    register.tell(gateway, other)
    assert await aclient.get_all_client_count() == 0
    held: list[object] = []
    other.fault = lambda link, _command, request_id: held.append(
        lambda: link.send(wire.Reply(0), request_id)
    )
    first = await aclient.send_to_uid("u", "m", timeout=SHORT)
    assert [failure.node_id for failure in first.unknown] == [other.node_id]
    second = await aclient.send_to_uid("u", "m")
    assert [failure.node_id for failure in second.not_sent] == [other.node_id]
    with pytest.raises(PartialResult, match=str(other.address)):
        await aclient.get_all_client_count()
    other.fault = None
    peers_loop = other._loop
    for answer in held:
        peers_loop.call(answer)  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        while (await aclient.send_to_uid("u", "m")).not_sent:  # noqa: ASYNC110 - it is the question
            await asyncio.sleep(0)


async def test_a_gateway_that_does_not_read_costs_its_share_at_once(
    aclient: AsyncGatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """So much waits for it and no more; then it is named as not asked, and the others are."""
    register.tell(gateway, other)
    me = gateway.connect(uid="u")
    other.fault = lambda link, _command, _request_id: link.pause_reading()
    while aclient.lost < SETTLED:
        await aclient.send_to_uid("u", MEGABYTE, confirm=False)
        assert await aclient.is_online(me)  # so the gateway that reads has taken it
    reached = await aclient.send_to_uid("u", "m")
    assert reached == 1
    (failure,) = reached.not_sent
    assert failure.node_id == other.node_id
    assert "does not read: 16 MiB wait" in failure.reason


@pytest.mark.usefixtures("deaf")
async def test_calls_that_were_given_up_make_room(aclient: AsyncGatewayClient) -> None:
    """What waited for a link with a call that was cancelled is not kept, nor counted."""
    assert await aclient.is_online("c" * 32) is False  # so it has heard the register
    for _ in range(MAX_UNSENT // len(MEGABYTE) + 1):
        call = asyncio.create_task(aclient.send_to_uid("u", MEGABYTE))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
    with pytest.raises(GatewayUnavailable, match="accepted no link within"):
        await aclient.send_to_uid("u", MEGABYTE, timeout=SHORT)


@pytest.mark.usefixtures("deaf")
async def test_connecting_takes_a_part_of_a_calls_time(aclient: AsyncGatewayClient) -> None:
    """Of 5 s it is given up after 3, as not sent: there is time left to say so."""
    with pytest.raises(GatewayUnavailable, match="accepted no link within 3 s"):
        await aclient.send_to_uid("u", "m")


async def test_a_call_for_a_client_of_a_silent_gateway_times_out(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """ReplyTimeout says that it may have been executed; the next call does not wait."""
    me = gateway.connect()
    gateway.fault = mute
    with pytest.raises(ReplyTimeout, match=r"did not answer within 0\.3 s"):
        await aclient.bind_uid(me, 1, timeout=SHORT)
    with pytest.raises(GatewayUnavailable, match="left alone"):
        await aclient.bind_uid(me, 1)


async def test_a_link_cut_in_mid_call_is_unknown_and_then_dialled_again(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """Nothing is sent twice: the cut call is unknown, and the next one uses a new link."""
    me = gateway.connect()
    gateway.fault = cut_link
    with pytest.raises(ReplyTimeout, match="was lost before it answered"):
        await aclient.join_group(me, "g")
    gateway.fault = None
    assert await aclient.join_group(me, "g")
    assert len(gateway.commands(wire.JoinGroups)) == 2


async def test_a_gateway_that_refuses_is_not_dialled_at_once_again(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """Certainly not executed; within a second it is not even tried."""
    gateway.stop()
    with pytest.raises(GatewayUnavailable, match="could not be reached"):
        await aclient.send_to_all("m")
    with pytest.raises(GatewayUnavailable, match="dialled again in"):
        await aclient.send_to_all("m", confirm=False)
    assert aclient.lost == 1


async def test_a_gateway_that_all_registers_dropped_is_forgotten(
    aclient: AsyncGatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """Once no link to it lives its clients are offline."""
    there = other.connect()
    register.tell(gateway, other)
    assert await aclient.is_online(there)
    register.tell(gateway)
    other.stop()
    async with asyncio.timeout(10):
        while True:
            try:
                assert await aclient.is_online(there) is False
            except (ReplyTimeout, GatewayUnavailable):
                await asyncio.sleep(0)
            else:
                return


async def test_what_a_gateway_refuses_is_raised(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """An error answer becomes the error of the call; nonsense ends the link."""
    gateway.fault = refuse(ErrorCode.TOO_LARGE, "too large")
    with pytest.raises(MessageTooLarge, match="too large"):
        await aclient.set_session(gateway.connect(), {})
    gateway.fault = answer_with("nonsense")
    with pytest.raises(ReplyTimeout, match="answered by a number"):
        await aclient.get_all_client_count()


async def test_a_cancelled_call_disturbs_nobody(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """Its answer comes late and is ignored; the link goes on."""
    await aclient.get_all_client_count()
    held: list[object] = []
    gateway.fault = lambda link, _command, request_id: held.append(
        lambda: link.send(wire.Reply(["late"]), request_id)
    )
    call = asyncio.ensure_future(aclient.get_all_client_id_list())
    await asyncio.to_thread(gateway.wait_for, lambda: bool(gateway.commands(wire.ListClientIds)))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    gateway.fault = None
    gateway._loop.call(held[0])  # type: ignore[arg-type]
    assert await aclient.get_all_client_count() == 0
    assert gateway.openings == 1


async def test_one_tasks_sends_arrive_in_order(
    aclient: AsyncGatewayClient, gateway: FakeGateway
) -> None:
    """Confirmed or not, from the very first call on."""
    for number in range(50):
        await aclient.send_to_all(str(number), confirm=number % 7 == 6)
    await aclient.get_all_client_count()
    sent = [command.message for command in gateway.commands(wire.SendToAll)]
    assert sent == [str(number) for number in range(50)]


# Loops


def test_each_loop_has_links_of_its_own(register: FakeRegister, gateway: FakeGateway) -> None:
    """One client object serves loop after loop; their links end with them, without a warning."""
    client = AsyncGatewayClient(str(register.address), secret_key="")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            assert asyncio.run(client.get_all_client_count(), debug=True) == 0
    gateway.wait_for(lambda: not gateway.listener.links)
    register.wait_for(lambda: not register.listener.links)
    assert gateway.openings == 3


def test_an_unconfirmed_send_is_the_last_thing_a_loop_does(
    register: FakeRegister, gateway: FakeGateway
) -> None:
    """What was written before the loop ended still arrives."""
    client = AsyncGatewayClient(str(register.address), secret_key="")
    asyncio.run(client.send_to_all("last words", confirm=False))
    gateway.wait_for(lambda: bool(gateway.commands(wire.SendToAll)))


SCRIPT = """
import asyncio, gc, sys
from gateway_client import AsyncGateway, AsyncGatewayClient
AsyncGateway.register_address, AsyncGateway.secret_key = sys.argv[1], ""

def with_asgiref():
    from asgiref.sync import async_to_sync
    return async_to_sync(AsyncGateway.get_all_client_count)()

def with_starlette():
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route
    from starlette.testclient import TestClient

    async def count(request):
        return JSONResponse(await AsyncGateway.get_all_client_count())

    return TestClient(Starlette(routes=[Route("/", count)])).get("/").json()

def without_a_register():
    try:
        asyncio.run(AsyncGatewayClient("127.0.0.1:1", secret_key="").get_all_client_count())
    except Exception:
        return 0

for way in (with_asgiref, with_starlette, without_a_register, with_asgiref):
    assert way() == 0, way
gc.collect()
"""


def test_the_loops_of_frameworks_end_without_noise(register: FakeRegister) -> None:
    """async_to_sync and TestClient work, and leave no pending task and no open socket."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", SCRIPT, str(register.address)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, _ours(done.stderr)) == (0, [])


def _ours(stderr: str) -> list[str]:
    words = ("ResourceWarning", "was destroyed", "never retrieved", "Traceback")
    return [line for line in stderr.splitlines() if any(word in line for word in words)]


def test_a_child_process_begins_anew(register: FakeRegister, gateway: FakeGateway) -> None:
    """A child forked while a loop has links opens its own."""

    async def parent() -> int:
        client = AsyncGatewayClient(str(register.address), secret_key="")
        await client.get_all_client_count()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
            if child == 0:
                asyncio._set_running_loop(None)
                os._exit(asyncio.run(client.get_all_client_count()))
        status = await asyncio.to_thread(os.waitpid, child, 0)
        await client.get_all_client_count()
        return os.waitstatus_to_exitcode(status[1])

    assert asyncio.run(parent()) == 0
    assert gateway.openings == 2
