"""`session` and `current`: the client of the event that is being handled, and of no other."""

import asyncio
import copy
import json
import threading
from collections.abc import Callable
from typing import Any

import msgpack
import pytest

from businessworker import current, session
from businessworker.context import Session
from tests.businessworker.stage import Stage, send, stage


async def in_event(function: Callable[[], Any], before: dict[Any, Any] | None = None) -> Stage:
    """Run a function in an event of client `a`, and give the stage with what it left."""
    errors: list[BaseException] = []

    async def on_message(client_id: str, message: str) -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)
            raise

    async with stage(on_message=on_message) as on:
        on.assign("a", before)
        await on.say("a", "go")
        if errors:
            raise errors[0]
        return on


def changed(on: Stage) -> dict[Any, Any]:
    """Give what the first patch sets."""
    return on.source.patched[0].patch.changed


async def test_the_session_is_a_dict_in_every_way() -> None:
    """All of a dict's methods and operators do to it what they do to a dict."""

    def work() -> None:
        model: Any = {"a": 1, "b": [1], 3: None}
        target: Any
        for target in (model, session):
            target.update({"c": 2}, d=3)
            target.setdefault("e", []).append(5)
            target.setdefault("a", 9)
            assert target.pop("c") == 2
            assert target.pop("c", None) is None
            with pytest.raises(KeyError):
                target.pop("c")
            with pytest.raises(KeyError):
                target["c"]
            target["b"].append(2)
            del target[3]
            target |= {"f": 6}
        assert session == model
        assert model == session
        assert (session != model) is False  # `!=` is what is tried
        assert session != {}
        assert repr(session) == repr(model)
        assert [*session] == [*model] == [*session.keys()]
        assert [*reversed(session)] == [*reversed(model)]
        assert [*session.values()] == [*model.values()]
        assert [*session.items()] == [*model.items()]
        assert len(session) == len(model)
        assert ("a" in session, "x" in session) == (True, False)
        assert session.get("x", 7) == 7
        assert session | {"g": 7} == model | {"g": 7}
        assert {"g": 7} | session == {"g": 7} | model
        assert dict(session) == {**session} == session.copy() == model
        assert session.popitem() == model.popitem()
        assert bool(session)
        session.clear()
        assert not session
        with pytest.raises(KeyError):
            session.popitem()

    on = await in_event(work, {"a": 1, "b": [1], 3: None})
    assert sorted(on.source.patched[0].patch.removed, key=str) == [3, "a", "b"]


async def test_the_session_travels_as_a_dict() -> None:
    """json, msgpack and copy take it for what it is, empty or not."""

    def work() -> None:
        for value in ({}, {"a": [1]}):
            session.clear()
            session.update(value)
            assert isinstance(session, dict)
            assert json.dumps(session) == json.dumps(value)
            assert json.dumps(session, indent=1) == json.dumps(value, indent=1)
            assert msgpack.packb(session) == msgpack.packb(value)
            for copied in (copy.copy(session), copy.deepcopy(session)):
                assert type(copied) is dict
                assert copied == value

    await in_event(work)


async def test_code_that_reads_past_a_dicts_methods_fails_and_says_what_to_do() -> None:
    """As serializers in C do, which take whatever is in the table of a dict."""

    def use() -> str:
        session["a"] = 1
        return json.dumps(dict(dict.items(session)))

    async def on_message(client_id: str, message: str) -> None:
        with pytest.raises(TypeError, match="GiveSessionCopyInstead is not JSON serializable"):
            use()

    async with stage(on_message=on_message) as on:
        on.assign("a")
        await on.say("a", "x")
        assert on.events.handlers[0].failed == 0


async def test_a_session_is_not_hashable() -> None:
    """As any dict."""
    with pytest.raises(TypeError, match="unhashable"):
        hash(session)


async def test_a_change_deep_inside_reaches_the_gateway() -> None:
    """Nested lists and dicts are the session's own."""

    def work() -> None:
        session["cart"]["items"].append("tea")

    on = await in_event(work, {"cart": {"items": []}})
    assert changed(on) == {"cart": {"items": ["tea"]}}


async def test_current_says_who_and_where() -> None:
    """The client, its uid at the event, its address, its gateway and its listener."""
    seen: list[Any] = []

    def work() -> None:
        seen.extend((current.client_id, current.uid, current.remote_addr, current.remote_port))
        seen.extend((current.gateway_addr, current.gateway_port, current.listener, repr(current)))

    await in_event(work)
    assert seen == [
        *("a", "7", "203.0.113.9", 4711),
        *("10.0.0.1", 7272, "ws://0.0.0.0:7272", "<Current client a>"),
    ]


@pytest.mark.parametrize("name", ["client_id", "uid", "listener", "gateway_port"])
def test_outside_of_an_event_there_is_no_client(name: str) -> None:
    """The error says what was asked for, where it may be asked, and what to do elsewhere."""
    with pytest.raises(RuntimeError, match=f"current.{name} was used outside of an event.*pass on"):
        getattr(current, name)
    assert repr(current) == "<Current client of no event>"


@pytest.mark.parametrize("use", [dict, len, repr, bool, lambda s: s.get("a"), json.dumps])
def test_outside_of_an_event_there_is_no_session(use: Callable[[Session], object]) -> None:
    """Whatever is done with it, the error names the way that works with a client id."""
    with pytest.raises(RuntimeError, match=r"session was used outside.*Gateway\.get_session"):
        use(session)


async def test_what_a_handler_starts_knows_the_client_but_not_the_session() -> None:
    """A task or thread of the handler may send and read `current` later; the session is closed."""
    results: list[Any] = []
    release = asyncio.Event()

    async def later() -> None:
        await release.wait()
        send("later")
        results.append(current.client_id)
        try:
            session["n"] = 1
        except RuntimeError as error:
            results.append(str(error))

    tasks: list[asyncio.Task[None]] = []

    async def on_message(client_id: str, message: str) -> None:
        session["n"] = 0
        tasks.append(asyncio.create_task(later()))
        await asyncio.to_thread(session.update, {"from_thread": True})

    async with stage(on_message=on_message) as on:
        on.assign("a")
        await on.say("a", "go")
        assert changed(on) == {"n": 0, "from_thread": True}
        release.set()
        await tasks[0]
        assert [each.message for each in on.source.sent] == ["later"]
    assert results[0] == "a"
    assert "on_message of app has returned, and with it its session was closed" in results[1]


async def test_a_bare_thread_has_no_client() -> None:
    """Threads that inherit no context get the error, and not somebody's client."""
    results: list[str] = []

    def elsewhere() -> None:
        try:
            results.append(current.client_id)
        except RuntimeError as error:
            results.append(str(error))

    def on_message(client_id: str, message: str) -> None:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()

    async with stage(on_message=on_message) as on:
        on.assign("a")
        await on.say("a", "go")
    assert "asyncio.to_thread" in results[0]
