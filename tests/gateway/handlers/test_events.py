"""What workers say of events, on real links."""

from typing import Any

import pytest

from gateway_wire.close_codes import CONNECTION_LOST
from gateway_wire.commands import (
    Acknowledge,
    ClientAssigned,
    ClientConnected,
    ClientMessage,
    ClientSession,
    Error,
    GetSession,
    LeaveEvents,
    PatchSession,
    Reply,
    SetSession,
    TakeEvents,
)
from gateway_wire.errors import ErrorCode
from gateway_wire.limits import MAX_SESSION
from tests.gateway.handlers.linked import linked
from tests.gateway.support import turns_until


async def test_events_follow_the_answer_to_taking_them() -> None:
    """Also those that wait already: a worker hears first that it has them."""
    async with linked() as core:
        first = await core.worker()
        first.link.close(ErrorCode.STOPPING, "gone")
        await turns_until(lambda: not core.router.workers)
        ann = core.connect()
        core.clients.received(ann.edge, "hello")
        heir = await core.worker(takes=False)
        heir.link.send(TakeEvents("heir", 1), 9)
        told = [await heir.next() for _ in range(4)]

    assert told == [
        (9, Reply(None)),
        (0, ClientAssigned(ann.client_id, {}, "203.0.113.7", 4711, "public")),
        (0, ClientConnected(1, ann.client_id, None, "/", "", {})),
        (0, ClientMessage(2, ann.client_id, None, "hello")),
    ]


async def test_leaving_is_answered_behind_the_last_acknowledgement() -> None:
    """However many other commands are answered meanwhile."""
    async with linked() as core:
        worker = await core.worker()
        core.connect()
        assert [type((await worker.next())[1]) for _ in range(2)] == [
            ClientAssigned,
            ClientConnected,
        ]
        worker.link.send(LeaveEvents(), 100)
        assert await worker.ask(GetSession("nobody")) is None
        worker.link.send(Acknowledge([1]), 101)
        assert [await worker.next() for _ in range(2)] == [(100, Reply(None)), (101, Reply(None))]
        assert core.router.workers == 0


async def test_taking_twice_is_refused_once() -> None:
    """One answer, an error; the worker goes on taking events."""
    async with linked() as core:
        worker = await core.worker()
        refusal = await worker.ask(TakeEvents("w", 0))

        assert isinstance(refusal, Error)
        assert refusal.error == ErrorCode.INVALID.value
        assert core.router.workers == 1


async def test_the_last_words_of_a_worker_count() -> None:
    """What it acknowledged before its link ended is not lost; what follows from the end is."""
    async with linked() as core:
        worker = await core.worker()
        for _ in range(3):
            core.connect()
        for _ in range(6):
            await worker.next()
        worker.link.send(Acknowledge([1, 2]))
        worker.link.close(ErrorCode.STOPPING, "gone")
        await turns_until(lambda: not core.router.workers)
        counters = core.router.counters

        assert (counters.acknowledged, counters.lost.total(), core.router.unacked) == (2, 1, 0)


async def test_a_patch_sets_and_removes_and_leaves_the_rest() -> None:
    """Top-level keys, text and integers; values are replaced, not merged."""
    async with linked() as core:
        worker = await core.worker(takes=False)
        ann = core.connect()
        core.execute(SetSession(ann.client_id, {"a": {"x": 1}, "b": 2, 3: 4, "stays": 5}))

        assert (
            await worker.ask(PatchSession(ann.client_id, {"a": {"y": 1}}, ["b", 3, "no"])) is True
        )
        assert ann.session == {"a": {"y": 1}, "stays": 5}
        assert await worker.ask(PatchSession("nobody", {"a": 1}, [])) is False


@pytest.mark.parametrize(
    ("changed", "removed", "code"),
    [
        ({"a": "x" * MAX_SESSION}, [], "too_large"),
        ({"a": {"b": 2**63}}, [], "invalid"),
        ({}, [["a"]], "invalid"),
    ],
)
async def test_a_patch_that_cannot_be_is_refused(
    changed: dict[Any, Any], removed: list[Any], code: str
) -> None:
    """Nothing of it is done."""
    async with linked() as core:
        worker = await core.worker(takes=False)
        ann = core.connect()
        core.execute(SetSession(ann.client_id, {"kept": True}))
        refusal = await worker.ask(PatchSession(ann.client_id, changed, removed))

        assert isinstance(refusal, Error)
        assert refusal.error == code
        assert ann.session == {"kept": True}


async def test_a_worker_is_told_of_every_change_but_its_own() -> None:
    """Its own patch is no news, unless it says that it is; that of another link is."""
    async with linked() as core:
        own, other = await core.worker(), await core.worker(takes=False)
        ann = core.connect()
        for _ in range(2):
            await own.next()
        assert await own.ask(PatchSession(ann.client_id, {"own": 1}, [])) is True
        core.clients.received(ann.edge, "one")
        assert type((await own.next())[1]) is ClientMessage
        assert await other.ask(PatchSession(ann.client_id, {"other": 1}, [])) is True
        core.clients.received(ann.edge, "two")
        told = [(await own.next())[1] for _ in range(2)]

        assert told[0] == ClientSession(ann.client_id, {"own": 1, "other": 1})
        assert type(told[1]) is ClientMessage

        patch = PatchSession(ann.client_id, {"called": 1}, [], known=False)
        assert await own.ask(patch) is True
        core.clients.received(ann.edge, "three")
        session = {"own": 1, "other": 1, "called": 1}
        assert (await own.next())[1] == ClientSession(ann.client_id, session)


async def test_a_patch_for_a_client_that_is_gone_changes_nothing() -> None:
    """Its last event may still be on its way."""
    async with linked() as core:
        worker = await core.worker(takes=False)
        ann = core.connect()
        core.clients.lost(ann.edge, CONNECTION_LOST.reason())

        assert await worker.ask(PatchSession(ann.client_id, {"late": 1}, [])) is False
        assert ann.session == {}
